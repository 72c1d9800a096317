/** One conversation: who, what was said, and the place to answer. */
import { ActionIcon, Badge, Button, Group, Skeleton, Tooltip } from '@mantine/core'
import { IconArrowLeft, IconLayoutSidebarRight } from '@tabler/icons-react'
import { useCallback, useEffect, useRef, useState, type DragEvent } from 'react'
import { Link } from 'react-router'
import type { ConversationJson, MessageJson } from '../presenters/shapes.ts'
import { useSeenSignal } from './answering/signals.ts'
import { Problem } from './api.ts'
import { Composer, type ComposerHandle } from './composer.tsx'
import { CareBar } from './care/care-bar.tsx'
import { Onlookers } from './care/onlookers.tsx'
import { ResolveButton, type Care } from './conversation-care.tsx'
import { useActions } from './keyboard.ts'
import { Messages, type MessagesHandle } from './messages.tsx'
import { ChannelMark, Person } from './person.tsx'
import { PublicBand } from './post-above.tsx'
import { useConversation } from './queries.ts'
import { markRead } from './read-marks.ts'
import { Empty, Failure } from './states.tsx'
import { useSpeech } from './texts/index.tsx'

interface Props {
  readonly id: string
  readonly backTo: string
  readonly care: Care
  readonly isPanelOpen: boolean
  readonly togglePanel: () => void
}

export function ConversationView({ id, backTo, care, isPanelOpen, togglePanel }: Props) {
  const { t } = useSpeech()
  const query = useConversation(id)
  const conversation = query.data
  const composer = useRef<ComposerHandle>(null)
  const [answered, setAnswered] = useState<MessageJson>()
  const [isDropping, setDropping] = useState(false)
  const messages = useRef<MessagesHandle>(null)
  useSeenSignal(
    conversation,
    useCallback(() => messages.current?.isAtEnd() === true, []),
  )

  useEffect(() => {
    if (!conversation) return
    const see = (): void => {
      if (!document.hidden) markRead(conversation)
    }
    see()
    document.addEventListener('visibilitychange', see)
    return () => document.removeEventListener('visibilitychange', see)
  }, [conversation])

  useActions([
    {
      id: 'reply',
      label: 'action.reply',
      keys: 'r',
      group: 'group.conversation',
      run: () => composer.current?.answer(),
    },
    {
      id: 'open',
      label: 'action.open',
      keys: 'Enter',
      group: 'group.conversation',
      isKeyOnly: true,
      run: () => composer.current?.answer(),
    },
    { id: 'note', label: 'action.note', keys: 'n', group: 'group.conversation', run: () => composer.current?.note() },
    {
      id: 'send',
      label: 'action.send',
      keys: 'mod+Enter',
      group: 'group.conversation',
      run: () => composer.current?.send(),
    },
  ])

  if (query.isError && !conversation) {
    const isMissing = query.error instanceof Problem && query.error.status === 404
    return (
      <section className="conversation nothing-chosen" aria-label={t('place.inbox')}>
        {isMissing ? (
          <Empty
            icon={<IconArrowLeft size={40} stroke={1.3} />}
            title={t('conversation.missing')}
            hint={t('conversation.missing_hint')}
          >
            <Button component={Link} to={backTo} variant="default" size="xs">
              {t('conversation.back')}
            </Button>
          </Empty>
        ) : (
          <Failure error={query.error} again={() => void query.refetch()} />
        )}
      </section>
    )
  }
  return (
    <section
      className="conversation"
      aria-label={conversation?.contact.name ?? t('state.loading')}
      data-visibility={conversation?.visibility}
      data-channel={conversation?.channel.type}
      data-dropping={isDropping || undefined}
      onDragOver={(event) => {
        if (!hasFiles(event)) return
        event.preventDefault()
        setDropping(true)
      }}
      onDragLeave={(event) => {
        const to = event.relatedTarget
        if (!(to instanceof Node && event.currentTarget.contains(to))) setDropping(false)
      }}
      onDrop={(event) => {
        if (!hasFiles(event)) return
        event.preventDefault()
        setDropping(false)
        composer.current?.take([...event.dataTransfer.files])
      }}
    >
      {isDropping && <p className="drop-here">{t('answer.drop')}</p>}
      <header className="conversation-head">
        <ActionIcon
          component={Link}
          to={backTo}
          variant="subtle"
          color="gray"
          size={40}
          aria-label={t('conversation.back')}
          className="back"
        >
          <IconArrowLeft size={22} />
        </ActionIcon>
        {conversation ? <Heading conversation={conversation} /> : <Skeleton height={36} width={220} />}
        <Group gap={6} wrap="nowrap" className="conversation-actions">
          <Onlookers conversationId={id} />
          <ResolveButton care={care} />
          <Tooltip label={t('conversation.details')}>
            <ActionIcon
              variant="subtle"
              color="gray"
              size={36}
              aria-label={t('conversation.details')}
              aria-expanded={isPanelOpen}
              onClick={togglePanel}
              className="panel-toggle"
            >
              <IconLayoutSidebarRight size={20} />
            </ActionIcon>
          </Tooltip>
        </Group>
      </header>
      {conversation && <CareBar conversation={conversation} target={care.target} />}
      {conversation?.visibility === 'public' && <PublicBand conversation={conversation} />}
      <Messages
        ref={messages}
        conversationId={id}
        conversation={conversation}
        onAnswer={(message, kind) => (setAnswered(message), composer.current?.answer(kind))}
      />
      {conversation && (
        <Composer
          ref={composer}
          conversation={conversation}
          answered={answered}
          clearAnswered={() => setAnswered(undefined)}
        />
      )}
    </section>
  )
}

/** Files may be dropped anywhere on the conversation; texts and links are left to the fields. */
const hasFiles = (event: DragEvent): boolean => event.dataTransfer.types.includes('Files')

function Heading({ conversation }: { readonly conversation: ConversationJson }) {
  const { t } = useSpeech()
  const { contact, channel, status } = conversation
  return (
    <div className="heading">
      <Person name={contact.name} id={contact.id} size={38} />
      <div className="heading-text">
        <h2 className="heading-name" title={contact.name} dir="auto">
          {contact.name}
        </h2>
        <div className="heading-channel">
          <ChannelMark type={channel.type} size={18} />
          <span>{channel.name}</span>
          {status !== 'open' && (
            <Badge size="sm" variant="light" color="gray" tt="none" className="status-badge">
              {t(`status.${status}`)}
            </Badge>
          )}
        </div>
      </div>
    </div>
  )
}
