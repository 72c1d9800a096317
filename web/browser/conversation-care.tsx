import { Button, Tooltip } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { IconArrowBackUp, IconCheck, IconUserCheck, IconUserPlus } from '@tabler/icons-react'
import type { ConversationJson } from '../presenters/shapes.ts'
import type { View } from './api.ts'
import { useConversationChange, type ConversationChange } from './queries.ts'
import { useSession } from './session.ts'
import { useSpeech } from './texts/index.tsx'

type Care = ReturnType<typeof useCare>

export function CareButtons({ care }: { readonly care: Care }) {
  const { t } = useSpeech()
  const assignLabel = care.isMine ? t('conversation.mine') : (care.assignee?.name ?? t('action.assign_me'))
  return (
    <>
      <Tooltip label={`${care.isMine ? t('action.unassign') : t('action.assign_me')} (A)`}>
        <Button
          variant="default"
          size="sm"
          className="care"
          aria-label={
            care.assignee ? `${assignLabel}: ${t(care.isMine ? 'action.unassign' : 'action.assign_me')}` : assignLabel
          }
          leftSection={care.assignee ? <IconUserCheck size={18} aria-hidden /> : <IconUserPlus size={18} aria-hidden />}
          onClick={care.toggleMine}
          disabled={!care.isReady}
        >
          {assignLabel}
        </Button>
      </Tooltip>
      <Tooltip label={`${care.isResolved ? t('action.reopen') : t('action.resolve')} (E)`}>
        <Button
          variant="default"
          size="sm"
          className="care resolve"
          data-resolved={care.isResolved || undefined}
          leftSection={
            care.isResolved ? <IconArrowBackUp size={18} aria-hidden /> : <IconCheck size={18} aria-hidden />
          }
          onClick={care.toggleResolved}
          disabled={!care.isReady}
        >
          {care.isResolved ? t('action.reopen') : t('action.resolve')}
        </Button>
      </Tooltip>
    </>
  )
}

/** Who cares for the conversation, and whether it is done. */
export function useCare(conversation: ConversationJson | undefined, view: View, goOn: () => void) {
  const { t } = useSpeech()
  const { user } = useSession()
  const change = useConversationChange(conversation, (error) =>
    notifications.show({ color: 'red', message: t('conversation.unchanged', { reason: error.message }) }),
  )
  const isMine = conversation?.assignee?.id === user.id
  const isResolved = conversation?.status === 'resolved'
  const make = (next: ConversationChange, leaves: boolean): void => {
    if (!conversation) return
    if (leaves) goOn()
    change.mutate(next)
  }
  return {
    isReady: conversation !== undefined,
    isMine,
    isResolved,
    assignee: conversation?.assignee ?? null,
    toggleMine: () =>
      make(
        { assignee: isMine ? null : { id: user.id, name: user.name } },
        isMine ? view === 'mine' : view === 'unassigned',
      ),
    toggleResolved: () =>
      make({ status: isResolved ? 'open' : 'resolved' }, isResolved ? view === 'resolved' : view !== 'all'),
  }
}
