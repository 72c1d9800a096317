import { Alert, Button, Group, List, Modal, Stack, Text } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import type { ChannelJson } from '../../presenters/shapes.ts'
import { keys } from '../queries.ts'
import { useSpeech } from '../texts/index.tsx'
import { channelsApi } from './channels-api.ts'
import { useTell } from './use-tell.ts'

/** Asks once, and says what will happen, before a channel is disconnected. */
export function Disconnect({
  channel,
  isOpen,
  close,
}: {
  readonly channel: ChannelJson
  readonly isOpen: boolean
  readonly close: () => void
}) {
  const { t } = useSpeech()
  const client = useQueryClient()
  const tell = useTell()
  const disconnect = useMutation({
    mutationFn: () => channelsApi.disconnect(channel.id),
    onSuccess: ({ subscription }) => {
      close()
      if (subscription === 'failed') tell.done(t('channels.disconnect_told'))
      return client.invalidateQueries({ queryKey: keys.channels })
    },
  })
  return (
    <Modal
      opened={isOpen}
      onClose={close}
      title={t('channels.disconnect_title', { name: channel.name })}
      closeButtonProps={{ 'aria-label': t('help.close') }}
    >
      <Stack gap="sm">
        {disconnect.isError && (
          <Alert color="red" variant="light" role="alert">
            {disconnect.error.message}
          </Alert>
        )}
        <Text>{t('channels.disconnect_what')}</Text>
        <List spacing={4}>
          <List.Item>{t('channels.disconnect_in')}</List.Item>
          <List.Item>{t('channels.disconnect_out')}</List.Item>
          <List.Item>{t('channels.disconnect_kept')}</List.Item>
          <List.Item>{t('channels.disconnect_again')}</List.Item>
        </List>
        <Group justify="flex-end">
          <Button variant="default" onClick={close} data-autofocus>
            {t('channels.cancel')}
          </Button>
          <Button color="red.9" loading={disconnect.isPending} onClick={() => disconnect.mutate()}>
            {t('channels.disconnect')}
          </Button>
        </Group>
      </Stack>
    </Modal>
  )
}
