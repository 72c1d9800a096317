import '@mantine/core/styles.css'
import '@mantine/notifications/styles.css'
import '@mantine/spotlight/styles.css'
import './app.css'
import { MantineProvider } from '@mantine/core'
import { QueryClientProvider } from '@tanstack/react-query'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { BrowserRouter } from 'react-router'
import { App } from './app.tsx'
import { whenSignedOut } from './api.ts'
import { Notices } from './notices.tsx'
import { keys, makeQueryClient } from './queries.ts'
import { Mended } from './states.tsx'
import { fetchFirstTexts, SpeechProvider } from './texts/index.tsx'
import { theme, variables } from './theme.ts'

const client = makeQueryClient()
whenSignedOut(() => client.setQueryData(keys.session, null))

await fetchFirstTexts()
const root = document.getElementById('root')
if (!root) throw new Error('the page has no root')
createRoot(root).render(
  <StrictMode>
    <MantineProvider theme={theme} cssVariablesResolver={variables} defaultColorScheme="auto">
      <SpeechProvider>
        <Mended>
          <QueryClientProvider client={client}>
            <BrowserRouter>
              <App />
            </BrowserRouter>
          </QueryClientProvider>
        </Mended>
        <Notices />
      </SpeechProvider>
    </MantineProvider>
  </StrictMode>,
)
