/** One person outside: where they are known, what is kept about them, and all that was said, over every channel. */
import '../styles/contacts.css'
import '../texts/contacts.ts'
import { Alert, Button, Title } from '@mantine/core'
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { IconArrowLeft, IconArrowsJoin, IconBan, IconMessages } from '@tabler/icons-react'
import { useEffect, useState } from 'react'
import { Link, useNavigate, useParams } from 'react-router'
import type { ContactCardJson, ContactDetailJson } from '../../presenters/contact.ts'
import { useNow } from '../clock.ts'
import { ChannelMark, Person } from '../person.tsx'
import { useSession } from '../session.ts'
import { Empty } from '../states.tsx'
import { useSpeech } from '../texts/index.tsx'
import { ContactFacts } from './contact-facts.tsx'
import { MergeDialog } from './contact-merge.tsx'
import { ContactNotes } from './contact-notes.tsx'
import { addressOf } from './contact-parts.tsx'
import { contactQueries, contactsApi } from './contacts-api.ts'
import { Shown } from './people-parts.tsx'
import { useContactAct } from './use-contact-act.ts'
import { useTell } from './use-tell.ts'

export function ContactPlace() {
  const { t } = useSpeech()
  const { contactId = '' } = useParams()
  const contact = useQuery(contactQueries.contact(contactId))
  return (
    <div className="place">
      <div className="place-inner">
        <Link to="/contacts" className="place-back">
          <IconArrowLeft size={18} aria-hidden /> {t('person.back')}
        </Link>
        <Shown query={contact}>{(data) => <Whole contact={data} />}</Shown>
      </div>
    </div>
  )
}

function Whole({ contact }: { readonly contact: ContactDetailJson }) {
  const { t } = useSpeech()
  const { permissions } = useSession()
  const navigate = useNavigate()
  const [merging, setMerging] = useState<ContactCardJson | 'anyone'>()
  const block = useContactAct((isBlocked: boolean) => contactsApi.change(contact.id, { is_blocked: isBlocked }))
  const isBlocked = contact.blocked_at !== null
  const mayMerge = permissions.includes('contacts.merge')
  useEffect(() => {
    document.title = `${contact.name} · ${t('app.name')}`
  }, [t, contact.name])
  return (
    <>
      <header className="place-head">
        <div className="person-head">
          <Person name={contact.name} id={contact.id} size={52} />
          <Title order={1} size="h2">
            <bdi>{contact.name}</bdi>
          </Title>
        </div>
        <div className="person-acts">
          {mayMerge && (
            <Button
              variant="default"
              leftSection={<IconArrowsJoin size={18} aria-hidden />}
              onClick={() => setMerging('anyone')}
            >
              {t('person.merge')}
            </Button>
          )}
          {permissions.includes('contacts.edit') && (
            <Button
              variant="default"
              leftSection={<IconBan size={18} aria-hidden />}
              loading={block.isPending}
              onClick={() => block.mutate(!isBlocked)}
            >
              {t(isBlocked ? 'person.unblock' : 'person.block')}
            </Button>
          )}
        </div>
      </header>
      {isBlocked && (
        <Alert color="red" variant="light" mb="md" icon={<IconBan size={18} />}>
          {t('person.is_blocked')}
        </Alert>
      )}
      <div className="person-page">
        <div className="person-side">
          <section>
            <h2 className="found-title">{t('person.known_at')}</h2>
            <ul className="person-addresses">
              {contact.addresses.map((address) => (
                <li key={address.id}>
                  <ChannelMark type={address.channel_type} size={18} /> <bdi>{addressOf(address)}</bdi>
                </li>
              ))}
            </ul>
          </section>
          <ContactFacts contact={contact} />
          <ContactNotes contactId={contact.id} />
          {mayMerge && <Suggestions contact={contact} merge={setMerging} />}
          {mayMerge && contact.merges.length > 0 && <Merges contact={contact} />}
        </div>
        <Timeline contactId={contact.id} />
      </div>
      {merging !== undefined && (
        <MergeDialog
          contact={contact}
          first={merging === 'anyone' ? undefined : merging}
          close={() => setMerging(undefined)}
          merged={(id) => {
            setMerging(undefined)
            if (id !== contact.id) void navigate(`/contacts/${id}`)
          }}
        />
      )}
    </>
  )
}

function Suggestions({
  contact,
  merge,
}: {
  readonly contact: ContactDetailJson
  readonly merge: (other: ContactCardJson) => void
}) {
  const { t } = useSpeech()
  const found = useQuery(contactQueries.suggestions(contact.id)).data?.items ?? []
  if (found.length === 0) return null
  return (
    <section>
      <h2 className="found-title">{t('person.suggested')}</h2>
      <ul className="person-list">
        {found.map(({ contact: other, reasons }) => (
          <li key={other.id}>
            <span className="card-main">
              <Link to={`/contacts/${other.id}`}>
                <bdi>{other.name}</bdi>
              </Link>
              <span className="card-side">
                {reasons.map(({ kind, value }) => t(`person.why_${kind}`, { value })).join(', ')}
              </span>
            </span>
            <Button
              size="compact-sm"
              variant="default"
              aria-label={`${t('person.merge')}: ${other.name}`}
              onClick={() => merge(other)}
            >
              {t('person.merge')}
            </Button>
          </li>
        ))}
      </ul>
    </section>
  )
}

function Merges({ contact }: { readonly contact: ContactDetailJson }) {
  const { t, times } = useSpeech()
  const tell = useTell()
  const undo = useContactAct(contactsApi.undo, ({ merged_name }) =>
    tell.done(t('person.undone', { name: merged_name })),
  )
  return (
    <section>
      <h2 className="found-title">{t('person.merged')}</h2>
      <ul className="person-list">
        {contact.merges.map((merge) => (
          <li key={merge.id}>
            <span className="card-main">
              {t('person.merged_when', { name: merge.merged_name, when: times.moment(merge.merged_at) })}
            </span>
            <Button
              size="compact-sm"
              variant="default"
              loading={undo.isPending && undo.variables === merge.id}
              aria-label={t('person.undo_name', { name: merge.merged_name })}
              onClick={() => undo.mutate(merge.id)}
            >
              {t('person.undo')}
            </Button>
          </li>
        ))}
      </ul>
    </section>
  )
}

function Timeline({ contactId }: { readonly contactId: string }) {
  const { t, times } = useSpeech()
  const now = useNow()
  const found = useInfiniteQuery(contactQueries.timeline(contactId))
  const items = found.data?.pages.flatMap((page) => page.items) ?? []
  return (
    <section className="timeline" aria-labelledby="timeline-title">
      <h2 className="found-title" id="timeline-title">
        {t('person.timeline')}
      </h2>
      {found.data !== undefined && items.length === 0 && (
        <Empty icon={<IconMessages size={40} stroke={1.3} />} title={t('person.nothing_said')} />
      )}
      <ol>
        {items.map(({ message, channel }, index) => {
          const before = items[index - 1]?.message
          const isNewDay =
            before === undefined || times.dayKey(before.occurred_at) !== times.dayKey(message.occurred_at)
          const who = message.direction === 'inbound' ? message.contact_name : message.author?.name
          return (
            <li key={message.id}>
              {isNewDay && <div className="timeline-day">{times.day(message.occurred_at, now)}</div>}
              <Link
                to={`/inbox/${message.conversation_id}?view=all`}
                className="timeline-said"
                data-kind={message.kind}
                data-direction={message.direction}
                title={t('person.open')}
              >
                <span className="passage-who">
                  <ChannelMark type={channel.type} size={16} /> <bdi>{who ?? t('person.us')}</bdi> ·{' '}
                  {times.clock(message.occurred_at)}
                </span>
                <span className="timeline-text" dir="auto">
                  {message.text ?? message.attachments.map(({ kind }) => `[${kind}]`).join(' ')}
                </span>
              </Link>
            </li>
          )
        })}
      </ol>
      {found.hasNextPage && (
        <Button variant="default" loading={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()}>
          {t('people.more')}
        </Button>
      )}
    </section>
  )
}
