/** The search over everything: people first, then conversations with what was found in them. Its address holds the question. */
import '../styles/contacts.css'
import '../texts/contacts.ts'
import { Button, Skeleton, TextInput, Title } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query'
import { IconMoodEmpty, IconSearch } from '@tabler/icons-react'
import { useEffect, useRef, useState } from 'react'
import { Link, useSearchParams } from 'react-router'
import type { SearchItemJson } from '../../presenters/search.ts'
import { useNow } from '../clock.ts'
import { useActions } from '../keyboard.ts'
import { ChannelMark, Person } from '../person.tsx'
import { Empty, Failure } from '../states.tsx'
import { useSpeech, type Key } from '../texts/index.tsx'
import { addressOf } from './contact-parts.tsx'
import { contactQueries } from './contacts-api.ts'

type ConversationItem = Extract<SearchItemJson, { type: 'conversation' }>

const operators: readonly (readonly [string, Key])[] = [
  ['"blue coat"', 'search.op_phrase'],
  ['-cancelled', 'search.op_minus'],
  ['from:chloe', 'search.op_from'],
  ['channel:whatsapp', 'search.op_channel'],
  ['label:vip', 'search.op_label'],
  ['has:image', 'search.op_has'],
  ['is:open', 'search.op_is'],
  ['assignee:ana', 'search.op_assignee'],
  ['before:2026-03', 'search.op_time'],
  ['in:contacts', 'search.op_in'],
]

export function Search() {
  const { t } = useSpeech()
  const [params, setParams] = useSearchParams()
  const [text, setText] = useState(params.get('q') ?? '')
  const [asked] = useDebouncedValue(text.trim(), 250)
  const field = useRef<HTMLInputElement>(null)
  useEffect(() => {
    document.title = `${t('search.title')} · ${t('app.name')}`
  }, [t])
  useEffect(() => {
    setParams(asked === '' ? {} : { q: asked }, { replace: true })
  }, [asked, setParams])
  useActions([
    {
      id: 'search-field',
      label: 'search.label',
      keys: '/',
      group: 'group.general',
      run: () => field.current?.select(),
    },
  ])
  return (
    <div className="place">
      <div className="place-inner">
        <Title order={1} size="h2" mb="sm">
          {t('search.title')}
        </Title>
        <form role="search" onSubmit={(event) => event.preventDefault()}>
          <TextInput
            ref={field}
            type="search"
            size="md"
            autoFocus
            maxLength={500}
            aria-label={t('search.label')}
            placeholder={t('search.placeholder')}
            leftSection={<IconSearch size={20} aria-hidden />}
            value={text}
            onChange={(event) => setText(event.currentTarget.value)}
          />
        </form>
        <Results q={asked} />
        <details className="operators" open={asked === ''}>
          <summary>{t('search.operators')}</summary>
          <dl>
            {operators.map(([example, about]) => (
              <div key={example}>
                <dt>
                  <button type="button" onClick={() => setText((old) => `${old.trim()} ${example}`.trim())}>
                    <code>{example}</code>
                  </button>
                </dt>
                <dd>{t(about)}</dd>
              </div>
            ))}
          </dl>
        </details>
      </div>
    </div>
  )
}

function Results({ q }: { readonly q: string }) {
  const { t } = useSpeech()
  const found = useInfiniteQuery({ ...contactQueries.search(q), enabled: q !== '', placeholderData: keepPreviousData })
  if (q === '')
    return (
      <Empty icon={<IconSearch size={40} stroke={1.3} />} title={t('search.start')} hint={t('search.start_hint')} />
    )
  if (found.isError) return <Failure error={found.error} again={() => void found.refetch()} />
  if (found.data === undefined)
    return (
      <div role="status" aria-busy aria-label={t('state.loading')} className="found">
        <Skeleton height={66} radius="md" mb={8} />
        <Skeleton height={110} radius="md" />
      </div>
    )
  const items = found.data.pages.flatMap((page) => page.items)
  const people = items.flatMap((item) => (item.type === 'contact' ? [item] : []))
  const conversations = items.flatMap((item) => (item.type === 'conversation' ? [item] : []))
  const notes = found.data.pages[0]?.notes ?? []
  return (
    <div className="found" aria-busy={found.isFetching}>
      <div role="status">
        {notes.map(({ code, about }) => (
          <p key={`${code} ${about}`} className="found-note">
            {t(`search.note_${code}`, { about })}
          </p>
        ))}
      </div>
      {items.length === 0 && (
        <Empty
          icon={<IconMoodEmpty size={40} stroke={1.3} />}
          title={t('search.nothing')}
          hint={t('search.nothing_hint')}
        />
      )}
      {people.length > 0 && (
        <section>
          <h2 className="found-title">{t('search.people')}</h2>
          <ul className="cards">
            {people.map(({ contact, highlights }) => (
              <li key={contact.id}>
                <Link to={`/contacts/${contact.id}`} className="card-row found-link">
                  <Person name={contact.name} id={contact.id} size={36} />
                  <span className="card-main">
                    <bdi>
                      <Marked text={contact.name} highlights={highlights} />
                    </bdi>
                  </span>
                  <span className="card-side">{contact.addresses.slice(0, 2).map(addressOf).join(' · ')}</span>
                </Link>
              </li>
            ))}
          </ul>
        </section>
      )}
      {conversations.length > 0 && (
        <section>
          <h2 className="found-title">{t('search.conversations')}</h2>
          <ul className="cards">
            {conversations.map((item) => (
              <FoundConversation key={item.conversation.id} item={item} />
            ))}
          </ul>
        </section>
      )}
      {found.hasNextPage && (
        <Button mt="md" variant="default" loading={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()}>
          {t('search.more')}
        </Button>
      )}
    </div>
  )
}

function FoundConversation({ item }: { readonly item: ConversationItem }) {
  const { t, times } = useSpeech()
  const now = useNow()
  const { conversation, passages, count } = item
  return (
    <li>
      <Link to={`/inbox/${conversation.id}?view=all`} className="card-row found-link">
        <span className="found-head">
          <ChannelMark type={conversation.channel.type} size={18} />
          <bdi className="found-name">{conversation.contact.name}</bdi>
          <span className="card-side">
            {t(`status.${conversation.status}`)} · {t('search.in_conversation', { count })}
          </span>
        </span>
        {passages.map((passage) => (
          <span key={passage.message_id} className="passage" data-kind={passage.kind}>
            <span className="passage-who">
              {passage.author ?? t('person.us')} · {times.relative(passage.occurred_at, now)}
            </span>
            <bdi>
              <Marked text={passage.text} highlights={passage.highlights} />
            </bdi>
          </span>
        ))}
      </Link>
    </li>
  )
}

/** The text with what was found in it marked; it stays text. */
function Marked({
  text,
  highlights,
}: {
  readonly text: string
  readonly highlights: readonly { readonly start: number; readonly end: number }[]
}) {
  const parts = highlights.flatMap(({ start, end }, n) => [
    text.slice(highlights[n - 1]?.end ?? 0, start),
    <mark key={start}>{text.slice(start, end)}</mark>,
  ])
  return (
    <>
      {parts}
      {text.slice(highlights.at(-1)?.end ?? 0)}
    </>
  )
}
