import { Button } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import type { MessageJson } from '../../presenters/shapes.ts'
import { putMessage } from '../queries.ts'
import { useSession } from '../session.ts'
import { useSpeech } from '../texts/index.tsx'

/** One thing that can be done; only for those who may answer. */
export function FateAct({
  message,
  word,
  sign,
  run,
}: {
  readonly message: MessageJson
  readonly word: string
  readonly sign?: ReactNode
  readonly run: (message: MessageJson) => Promise<MessageJson>
}) {
  const client = useQueryClient()
  const { t } = useSpeech()
  const { permissions } = useSession()
  const act = useMutation({
    mutationFn: () => run(message),
    onSuccess: (told) => putMessage(client, told),
    onError: (error) => notifications.show({ color: 'red', message: t('fate.refused', { reason: error.message }) }),
  })
  if (!permissions.includes('conversations.reply')) return null
  return (
    <Button size="compact-sm" variant="default" leftSection={sign} loading={act.isPending} onClick={() => act.mutate()}>
      {word}
    </Button>
  )
}
