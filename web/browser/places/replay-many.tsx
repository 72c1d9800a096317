import { Alert, Button, Group, Modal, Stack, Text } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { newKey } from '../api.ts'
import { keys } from '../queries.ts'
import { useSpeech } from '../texts/index.tsx'
import { receivedApi, type ReceivedFilter } from './received-api.ts'
import { useTell } from './use-tell.ts'

/** Asks once, and says what will happen, before many bodies are processed again. */
export function ReplayMany({
  filter,
  isOpen,
  close,
}: {
  readonly filter: ReceivedFilter
  readonly isOpen: boolean
  readonly close: () => void
}) {
  const { t } = useSpeech()
  const client = useQueryClient()
  const tell = useTell()
  const replay = useMutation({
    mutationFn: () => receivedApi.replayMany(filter, newKey()),
    onSuccess: ({ count, is_complete }) => {
      tell.done(`${t('received.replayed_many', { count })}${is_complete ? '' : ` ${t('received.replayed_more')}`}`)
      close()
      return client.invalidateQueries({ queryKey: keys.receivedLog })
    },
  })
  return (
    <Modal
      opened={isOpen}
      onClose={close}
      title={t('received.replay_title')}
      closeButtonProps={{ 'aria-label': t('help.close') }}
    >
      <Stack gap="sm">
        {replay.isError && (
          <Alert color="red" variant="light" role="alert">
            {replay.error.message}
          </Alert>
        )}
        <Text>{t('received.replay_what')}</Text>
        <Text>{t('received.replay_safe')}</Text>
        <Group justify="flex-end">
          <Button variant="default" onClick={close}>
            {t('channels.cancel')}
          </Button>
          <Button loading={replay.isPending} onClick={() => replay.mutate()} data-autofocus>
            {t('received.replay')}
          </Button>
        </Group>
      </Stack>
    </Modal>
  )
}
