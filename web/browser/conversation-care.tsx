/** A change of the care for one conversation: shown at once, told in words, taken back by one press. */
import { Button, Tooltip } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { IconArrowBackUp, IconCheck } from '@tabler/icons-react'
import type { ConversationJson } from '../presenters/shapes.ts'
import type { CareWish } from './care/api.ts'
import { belongs, type Filter } from './care/filter.ts'
import { useColleagues, useLabels, useTeams } from './care/queries.ts'
import type { Target } from './care/questions.tsx'
import { shownAfter } from './care/wish.ts'
import { isOffline } from './live.ts'
import { useConversation, useConversationChange } from './queries.ts'
import { useSession } from './session.ts'
import { useSpeech } from './texts/index.tsx'

export interface Care {
  readonly conversation: ConversationJson | undefined
  readonly target: Target
  readonly isResolved: boolean
  readonly toggleResolved: () => void
}

/** @param goOn to the next one, where this one leaves the list by the change */
export function useCare(id: string | undefined, meant: Filter | undefined, goOn: () => void): Care {
  const { t } = useSpeech()
  const { user, permissions } = useSession()
  const conversation = useConversation(id).data
  const names = { users: useColleagues(), teams: useTeams(), labels: useLabels() }
  const refused = (error: Error): void =>
    void notifications.show({
      color: 'red',
      message: isOffline() ? t('care.offline') : t('conversation.unchanged', { reason: error.message }),
      closeButtonProps: { 'aria-label': t('help.close') },
    })
  const change = useConversationChange(conversation, names, refused)
  const apply = (wish: CareWish): void => {
    if (!conversation || !permissions.includes('conversations.read')) return
    change.mutate(wish)
    const after = shownAfter(conversation, wish, names)
    const leaves =
      meant !== undefined && belongs(conversation, meant, user.id) !== false && belongs(after, meant, user.id) === false
    if (!leaves || isOffline()) return
    goOn()
    const back: CareWish = {
      status: conversation.status,
      ...(conversation.status === 'snoozed' && { snoozed_until: conversation.snoozed_until }),
      ...(wish.assignee_id !== undefined && { assignee_id: conversation.assignee?.id ?? null }),
      ...(wish.team_id !== undefined && { team_id: conversation.team?.id ?? null }),
    }
    const noteId = `left-${conversation.id}`
    notifications.show({
      id: noteId,
      message: (
        <span className="undo-line">
          {t(after.status === 'resolved' ? 'conversation.resolved_done' : 'care.moved', {
            name: conversation.contact.name,
          })}
          <Button
            size="compact-sm"
            variant="default"
            onClick={() => {
              notifications.hide(noteId)
              change.mutate(back)
            }}
          >
            {t('conversation.undo')}
          </Button>
        </span>
      ),
      closeButtonProps: { 'aria-label': t('help.close') },
    })
  }
  const isResolved = conversation?.status === 'resolved'
  return {
    conversation,
    target: { useConversations: () => useShown(id), apply },
    isResolved,
    toggleResolved: () => apply({ status: isResolved ? 'open' : 'resolved' }),
  }
}

function useShown(id: string | undefined): readonly ConversationJson[] {
  const { data } = useConversation(id)
  return data ? [data] : []
}

export function ResolveButton({ care }: { readonly care: Care }) {
  const { t } = useSpeech()
  const { permissions } = useSession()
  const label = t(care.isResolved ? 'action.reopen' : 'action.resolve')
  return (
    <Tooltip label={`${label} (E)`}>
      <Button
        variant="default"
        size="sm"
        className="care resolve"
        data-resolved={care.isResolved || undefined}
        leftSection={care.isResolved ? <IconArrowBackUp size={18} aria-hidden /> : <IconCheck size={18} aria-hidden />}
        onClick={care.toggleResolved}
        disabled={!care.conversation || !permissions.includes('conversations.change')}
      >
        {label}
      </Button>
    </Tooltip>
  )
}
