import { notifications } from '@mantine/notifications'
import { useSpeech } from '../texts/index.tsx'

/** Says for a moment what was done, or what went wrong. */
export function useTell() {
  const { t } = useSpeech()
  const closeButtonProps = { 'aria-label': t('help.close') }
  return {
    done: (message: string): void => void notifications.show({ message, closeButtonProps }),
    failed: (error: Error): void => void notifications.show({ color: 'red', message: error.message, closeButtonProps }),
  }
}
