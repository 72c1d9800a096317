import { Button, Tooltip, UnstyledButton } from '@mantine/core'
import { IconCloudOff } from '@tabler/icons-react'
import { useEffect, useState } from 'react'
import { reconnectNow, useLiveState } from './live.ts'
import { useSpeech } from './texts/index.tsx'

/** One quiet word: live, catching up or offline. */
export function LiveMark() {
  const { t } = useSpeech()
  const state = useLiveState()
  return (
    <Tooltip label={t(`live.${state}_hint`)} position="right" multiline maw={260}>
      <UnstyledButton
        className="live-mark"
        data-state={state}
        onClick={reconnectNow}
        disabled={state === 'live'}
        component={state === 'live' ? 'div' : 'button'}
      >
        <span className="live-dot" aria-hidden />
        <span role="status">{t(`live.${state}`)}</span>
      </UnstyledButton>
    </Tooltip>
  )
}

/** Long enough that a node which goes away does not make every screen jump. */
const patienceMs = 1_500

export function OfflineBanner() {
  const { t } = useSpeech()
  const isOffline = useLiveState() === 'offline'
  const [isShown, setShown] = useState(false)
  useEffect(() => {
    const timer = setTimeout(() => setShown(isOffline), isOffline ? patienceMs : 0)
    return () => clearTimeout(timer)
  }, [isOffline])
  if (!isShown) return null
  return (
    <div className="offline-banner" role="alert">
      <IconCloudOff size={20} aria-hidden />
      <span>{t('live.banner')}</span>
      <Button size="compact-sm" variant="default" onClick={reconnectNow}>
        {t('live.try_now')}
      </Button>
    </div>
  )
}
