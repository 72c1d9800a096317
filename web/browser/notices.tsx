/** Where short messages stand; fetched with the first of them. */
import { useNotifications } from '@mantine/notifications'
import { lazy, Suspense, useState } from 'react'

const Notifications = lazy(async () => ({ default: (await import('./notices-shown.tsx')).Notifications }))

export function Notices() {
  const { notifications } = useNotifications()
  const [isWanted, setWanted] = useState(false)
  if (!isWanted && notifications.length > 0) setWanted(true)
  return (
    isWanted && (
      <Suspense>
        <Notifications position="bottom-left" limit={3} />
      </Suspense>
    )
  )
}
