/** Every address of the browser app. Without a session the sign-in screen stands in its place, and the address stays. */
import { lazy, Suspense, useState } from 'react'
import { Navigate, Route, Routes } from 'react-router'
import { Frame } from './frame.tsx'
import { Inbox } from './inbox.tsx'
import { useSessionQuery } from './queries.ts'
import { Failure, Missing, Opening } from './states.tsx'
import { SessionContext } from './session.ts'

const AppDetail = lazy(async () => ({ default: (await import('./places/app-detail.tsx')).AppDetail }))
const Calendar = lazy(async () => ({ default: (await import('./places/calendar.tsx')).Calendar }))
const Channels = lazy(async () => ({ default: (await import('./places/channels.tsx')).Channels }))
const Channel = lazy(async () => ({ default: (await import('./places/channel.tsx')).Channel }))
const ContactPlace = lazy(async () => ({ default: (await import('./places/contact.tsx')).ContactPlace }))
const Contacts = lazy(async () => ({ default: (await import('./places/contacts.tsx')).Contacts }))
const Connect = lazy(async () => ({ default: (await import('./places/connect.tsx')).Connect }))
const Settings = lazy(async () => ({ default: (await import('./places/settings.tsx')).Settings }))
const MustSetUp = lazy(async () => ({ default: (await import('./places/second-factor.tsx')).MustSetUp }))
const Join = lazy(async () => ({ default: (await import('./join.tsx')).Join }))
const SignIn = lazy(async () => ({ default: (await import('./sign-in.tsx')).SignIn }))
const Search = lazy(async () => ({ default: (await import('./places/search.tsx')).Search }))
const Received = lazy(async () => ({ default: (await import('./places/received.tsx')).Received }))

export function App() {
  const session = useSessionQuery()
  const [wasSignedIn, setWasSignedIn] = useState(false)
  const isSignedIn = Boolean(session.data)
  if (isSignedIn && !wasSignedIn) setWasSignedIn(true)

  if (location.pathname === '/join')
    return (
      <Suspense fallback={<Opening />}>
        <Join />
      </Suspense>
    )
  if (session.isPending) return <Opening />
  if (session.data === undefined) return <Failure error={session.error} again={() => void session.refetch()} isWhole />
  if (session.data === null)
    return (
      <Suspense fallback={<Opening />}>
        <SignIn isAgain={wasSignedIn} />
      </Suspense>
    )
  if (session.data.totp.is_needed)
    return (
      <SessionContext value={session.data}>
        <Suspense fallback={<Opening />}>
          <MustSetUp />
        </Suspense>
      </SessionContext>
    )
  return (
    <SessionContext value={session.data}>
      <Frame>
        <Suspense fallback={<Opening />}>
          <Routes>
            <Route path="/" element={<Navigate to="/inbox" replace />} />
            <Route path="/inbox" element={<Inbox />} />
            <Route path="/inbox/:conversationId" element={<Inbox />} />
            <Route path="/calendar" element={<Calendar />} />
            <Route path="/calendar/:postId" element={<Calendar />} />
            <Route path="/channels" element={<Channels />} />
            <Route path="/channels/connect" element={<Connect />} />
            <Route path="/channels/apps/:appId" element={<AppDetail />} />
            <Route path="/channels/:channelId" element={<Channel />} />
            <Route path="/contacts" element={<Contacts />} />
            <Route path="/contacts/:contactId" element={<ContactPlace />} />
            <Route path="/search" element={<Search />} />
            <Route path="/received" element={<Received />} />
            <Route path="/received/:receivedId" element={<Received />} />
            <Route path="/settings/*" element={<Settings />} />
            <Route path="*" element={<Missing />} />
          </Routes>
        </Suspense>
      </Frame>
    </SessionContext>
  )
}
