/** What was said, by day; the newest in sight, and what is read stays where it is. */
import { Button, Skeleton } from '@mantine/core'
import { IconArrowDown } from '@tabler/icons-react'
import { Fragment, useImperativeHandle, useLayoutEffect, useMemo, useRef, useState, type Ref } from 'react'
import type { ConversationJson, MessageJson } from '../presenters/shapes.ts'
import { useNow } from './clock.ts'
import { MessageBubble } from './message.tsx'
import { momentOf } from './message-words.ts'
import { PostAbove } from './post-above.tsx'
import { allItems, useMessages } from './queries.ts'
import { Failure } from './states.tsx'
import type { Kind } from './sayable.ts'
import { useSpeech } from './texts/index.tsx'

interface Props {
  readonly conversationId: string
  readonly conversation: ConversationJson | undefined
  /** `kind`: where it is not the one that stands there already. */
  readonly onAnswer: (message: MessageJson, kind?: Kind) => void
  readonly ref?: Ref<MessagesHandle>
}

export interface MessagesHandle {
  /** Whether the newest is in sight. */
  isAtEnd(): boolean
}

/** So near to the end counts as reading the newest. */
const nearEnd = 80
const groupMs = 4 * 60_000

export function Messages({ conversationId, conversation, onAnswer, ref }: Props) {
  const { t, times } = useSpeech()
  const now = useNow()
  const query = useMessages(conversationId)
  const messages = useMemo(() => inOrder(allItems(query.data)), [query.data])
  const { scroller, inner, newBelow, isAtEnd, toEnd, onScroll } = useEnd(messages)
  const hasMessages = query.isSuccess
  useImperativeHandle(ref, () => ({ isAtEnd: () => hasMessages && isAtEnd.current }), [hasMessages, isAtEnd])

  return (
    <div className="messages-frame">
      <div
        className="messages"
        ref={scroller}
        onScroll={onScroll}
        role="log"
        aria-live="off"
        aria-label={t('conversation.messages')}
        tabIndex={0}
      >
        <div className="messages-inner" ref={inner}>
          {conversation?.visibility === 'public' && <PostAbove conversation={conversation} />}
          {query.hasNextPage && (
            <Button
              variant="subtle"
              size="compact-sm"
              className="older"
              loading={query.isFetchingNextPage}
              onClick={() => void query.fetchNextPage()}
            >
              {t('conversation.older')}
            </Button>
          )}
          {query.isPending && <BubbleSkeletons />}
          {query.isError && messages.length === 0 && <Failure error={query.error} again={() => void query.refetch()} />}
          {query.isSuccess && messages.length === 0 && <p className="messages-empty">{t('conversation.empty')}</p>}
          {messages.map((message, index) => {
            const before = messages[index - 1]
            const isNewDay = !before || times.dayKey(momentOf(before)) !== times.dayKey(momentOf(message))
            return (
              <Fragment key={message.id}>
                {isNewDay && (
                  <div className="day" role="separator">
                    <span>{times.day(momentOf(message), now)}</span>
                  </div>
                )}
                <MessageBubble
                  message={message}
                  conversation={conversation}
                  isContinued={!isNewDay && isSameVoice(before, message)}
                  answered={
                    message.in_reply_to === null
                      ? undefined
                      : messages.find(
                          (each) => each.id === message.in_reply_to || each.external_id === message.in_reply_to,
                        )
                  }
                  now={now}
                  onAnswer={onAnswer}
                />
              </Fragment>
            )
          })}
        </div>
      </div>
      {newBelow > 0 && (
        <Button
          className="below-pill"
          size="compact-sm"
          radius="xl"
          leftSection={<IconArrowDown size={14} />}
          onClick={toEnd}
        >
          {t('conversation.new_below', { count: newBelow })}
        </Button>
      )}
    </div>
  )
}

/** Oldest first; what is not yet known to the server stands last. */
function inOrder(messages: readonly MessageJson[]): readonly MessageJson[] {
  const unique = new Map(messages.map((message) => [message.id, message]))
  return [...unique.values()].sort(
    (one, other) => momentOf(one).localeCompare(momentOf(other)) || one.id.localeCompare(other.id),
  )
}

const voiceOf = (message: MessageJson): string =>
  [message.direction, message.kind === 'note', message.author?.id, message.contact_id, message.contact_name].join()

function isSameVoice(one: MessageJson, other: MessageJson): boolean {
  return voiceOf(one) === voiceOf(other) && Date.parse(momentOf(other)) - Date.parse(momentOf(one)) < groupMs
}

/** Keeps the newest in sight for who reads it, and the place of who reads further up. */
function useEnd(messages: readonly MessageJson[]) {
  const scroller = useRef<HTMLDivElement>(null)
  const inner = useRef<HTMLDivElement>(null)
  const isAtEnd = useRef(true)
  const lastTop = useRef(0)
  const last = useRef<{
    readonly lastId: string | undefined
    readonly firstId: string | undefined
    readonly height: number
  }>({ lastId: undefined, firstId: undefined, height: 0 })
  const [newBelow, setNewBelow] = useState(0)

  useLayoutEffect(() => {
    const element = scroller.current
    if (!element) return
    const newest = messages.at(-1)
    const isOwn =
      newest !== undefined &&
      newest.id !== last.current.lastId &&
      newest.direction === 'outbound' &&
      newest.id.startsWith('local:')
    if (isAtEnd.current || isOwn) {
      element.scrollTop = element.scrollHeight
    } else if (last.current.firstId !== undefined && messages[0]?.id !== last.current.firstId) {
      element.scrollTop += element.scrollHeight - last.current.height
    } else if (newest && last.current.lastId !== undefined && newest.id !== last.current.lastId) {
      const known = messages.findIndex(({ id }) => id === last.current.lastId)
      if (known >= 0) setNewBelow((count) => count + messages.length - 1 - known)
    }
    last.current = { lastId: newest?.id, firstId: messages[0]?.id, height: element.scrollHeight }
  }, [messages])

  // The composer grows and pictures load: who was at the end stays there.
  useLayoutEffect(() => {
    const element = scroller.current
    if (!element) return
    const stay = (): void => {
      if (isAtEnd.current) element.scrollTop = element.scrollHeight
    }
    const observer = new ResizeObserver(stay)
    observer.observe(element)
    if (inner.current) observer.observe(inner.current)
    return () => observer.disconnect()
  }, [])

  return {
    scroller,
    inner,
    newBelow,
    isAtEnd,
    onScroll: () => {
      const element = scroller.current
      if (!element) return
      // Only who scrolls up leaves the end; a frame that shrinks or a thread that grows does not.
      const isNear = element.scrollHeight - element.scrollTop - element.clientHeight < nearEnd
      if (isNear) setNewBelow(0)
      isAtEnd.current = isNear || (isAtEnd.current && element.scrollTop >= lastTop.current)
      lastTop.current = element.scrollTop
    },
    toEnd: () => scroller.current?.scrollTo({ top: scroller.current.scrollHeight }),
  }
}

function BubbleSkeletons() {
  const { t } = useSpeech()
  return (
    <div role="status" aria-label={t('state.loading')} className="bubble-skeletons">
      <Skeleton height={44} width="46%" radius="lg" />
      <Skeleton height={64} width="58%" radius="lg" />
      <Skeleton height={44} width="38%" radius="lg" ml="auto" />
      <Skeleton height={44} width="50%" radius="lg" />
    </div>
  )
}
