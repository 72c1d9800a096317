/** Something else was begun in another tab or browser: it is shown, and nothing is lost unasked. */
import { Alert, Button, Group } from '@mantine/core'
import { useSpeech } from '../texts/index.tsx'
import type { useServerDraft } from './server-drafts.ts'

export function DraftElsewhere({ server }: { readonly server: ReturnType<typeof useServerDraft> }) {
  const { t, times } = useSpeech()
  if (!server.elsewhere) return null
  return (
    <Alert variant="light" color="yellow" p="xs" role="status" className="draft-elsewhere">
      <p>{t('draft.elsewhere', { time: times.clock(server.elsewhere.updated_at) })}</p>
      <blockquote dir="auto">{server.elsewhere.text}</blockquote>
      <Group gap="xs" mt={6}>
        <Button size="compact-sm" variant="default" onClick={server.take}>
          {t('draft.take')}
        </Button>
        <Button size="compact-sm" variant="default" onClick={server.keepMine}>
          {t('draft.keep')}
        </Button>
      </Group>
    </Alert>
  )
}
