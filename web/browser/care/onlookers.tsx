/** Who else is here: plain who looks, dimmed who is away, ringed who types. */
import { Avatar, Tooltip } from '@mantine/core'
import { initials } from '../person.tsx'
import { useSession } from '../session.ts'
import { useSpeech } from '../texts/index.tsx'
import { useOnlookers, type Onlooker } from './presence.ts'
import { useColleagues } from './queries.ts'

export function Onlookers({ conversationId, size = 28 }: { readonly conversationId: string; readonly size?: number }) {
  const { user } = useSession()
  const onlookers = useOnlookers(conversationId, user.id)
  return onlookers.length === 0 ? null : <Marks onlookers={onlookers} size={size} />
}

const most = 3

function Marks({ onlookers, size }: { readonly onlookers: readonly Onlooker[]; readonly size: number }) {
  const { t } = useSpeech()
  const colleagues = useColleagues()
  const said = onlookers.map(({ userId, isAway, typing }) => {
    const name = colleagues.find(({ id }) => id === userId)?.name ?? t('presence.somebody')
    const how = typing ? (typing === 'note' ? 'note' : 'typing') : isAway ? 'away' : 'viewing'
    return { userId, name, how, words: t(`presence.${how}`, { name }) } as const
  })
  return (
    <span className="onlookers">
      {said.slice(0, most).map(({ userId, name, how, words }) => (
        <Tooltip key={userId} label={words}>
          <Avatar size={size} radius="xl" className="onlooker" data-how={how} role="img" aria-label={words}>
            {initials(name)}
          </Avatar>
        </Tooltip>
      ))}
      {said.length > most && <span className="onlookers-more">+{said.length - most}</span>}
    </span>
  )
}

/** In words, above the field: someone else is writing here now. */
export function TypingLine({ conversationId }: { readonly conversationId: string }) {
  const { t } = useSpeech()
  const { user } = useSession()
  const colleagues = useColleagues()
  const typing = useOnlookers(conversationId, user.id).filter((each) => each.typing !== null)
  if (typing.length === 0) return null
  const names = typing.map(({ userId }) => colleagues.find(({ id }) => id === userId)?.name ?? t('presence.somebody'))
  const isNote = typing.every((each) => each.typing === 'note')
  return (
    <p className="typing-line" role="status">
      {t(isNote ? 'presence.line_note' : 'presence.line', { name: names.join(', ') })}
    </p>
  )
}
