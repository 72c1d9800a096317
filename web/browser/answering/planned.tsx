import { Button } from '@mantine/core'
import { IconBan, IconPencil, IconSend } from '@tabler/icons-react'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { lazy, Suspense, useState } from 'react'
import type { ConversationJson, MessageJson } from '../../presenters/shapes.ts'
import { putMessage } from '../queries.ts'
import { ruleFor } from '../sayable.ts'
import { useSession } from '../session.ts'
import { useSpeech } from '../texts/index.tsx'
import { answering, type PlanChange } from './api.ts'
import { FateAct } from './fate-act.tsx'

const LaterDialog = lazy(() => import('./later-dialog.tsx').then((file) => ({ default: file.LaterDialog })))

interface Props {
  readonly message: MessageJson
  readonly conversation: ConversationJson | undefined
}

/** An answer that waits for its time: when, under what condition, and what can still be done. */
export function Planned({ message, conversation }: Props) {
  const { t, times } = useSpeech()
  const { permissions } = useSession()
  const client = useQueryClient()
  const [isChanging, setChanging] = useState(false)
  const change = useMutation({
    mutationFn: (body: PlanChange) => answering.changePlan(message.id, body),
    onSuccess: (told) => {
      putMessage(client, told)
      setChanging(false)
    },
  })
  const { id, send_at, cancel_if_answered, text, kind } = message
  if (send_at === null) return null
  const said = kind === 'comment' || kind === 'private_reply' ? kind : 'reply'
  return (
    <div
      className="trouble"
      data-state="planned"
      role="group"
      aria-label={t('answer.planned', { time: times.exact(send_at) })}
    >
      <span title={times.exact(send_at)}>
        <strong>{t('answer.planned', { time: times.moment(send_at) })}</strong>
        {cancel_if_answered && `, ${t('answer.planned_ends')}`}
      </span>
      {permissions.includes('conversations.reply') && (
        <Button
          size="compact-sm"
          variant="default"
          leftSection={<IconPencil size={16} aria-hidden />}
          onClick={() => setChanging(true)}
        >
          {t('answer.planned_change')}
        </Button>
      )}
      <FateAct
        message={message}
        word={t('answer.planned_now')}
        sign={<IconSend size={16} aria-hidden />}
        run={() => answering.sendNow(id)}
      />
      <FateAct
        message={message}
        word={t('answer.planned_cancel')}
        sign={<IconBan size={16} aria-hidden />}
        run={() => answering.cancel(id)}
      />
      {isChanging && (
        <Suspense>
          <LaterDialog
            title={t('answer.planned_title')}
            button={t('answer.planned_save')}
            closesAt={conversation ? (ruleFor(conversation, said)?.closes_at ?? null) : null}
            initial={{ at: send_at, endsIfAnswered: cancel_if_answered }}
            // What a template says is not for changing.
            text={message.extras?.['template'] === undefined ? (text ?? '') : undefined}
            failure={change.error?.message}
            isBusy={change.isPending}
            onClose={() => {
              change.reset()
              setChanging(false)
            }}
            onChoose={({ at, endsIfAnswered }, words) =>
              change.mutate({
                ...(at !== send_at && { send_at: at }),
                ...(endsIfAnswered !== cancel_if_answered && { cancel_if_answered: endsIfAnswered }),
                ...(words !== undefined && words.trim() !== (text ?? '') && { text: words.trim() }),
              })
            }
          />
        </Suspense>
      )}
    </div>
  )
}
