import { ActionIcon, CopyButton, Skeleton, Stack, Title, UnstyledButton } from '@mantine/core'
import { IconArrowLeft, IconCopy, IconCheck } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import { Link } from 'react-router'
import type { ContactJson, ConversationJson } from '../presenters/shapes.ts'
import { useNow } from './clock.ts'
import { ChannelMark, Person } from './person.tsx'
import { useContact, useConversation, useOthersOf } from './queries.ts'
import { useSpeech } from './texts/index.tsx'

/** Who it is, where they can be reached, and how the conversation stands. */
export function ContactPanel({
  conversationId,
  hrefOf,
  close,
}: {
  readonly conversationId: string
  readonly hrefOf: (id: string) => string
  readonly close: () => void
}) {
  const { t } = useSpeech()
  const conversation = useConversation(conversationId).data
  return (
    <aside className="panel" aria-label={t('contact.title')}>
      <ActionIcon
        variant="subtle"
        color="gray"
        size={40}
        className="panel-close"
        aria-label={t('contact.close')}
        onClick={close}
      >
        <IconArrowLeft size={22} />
      </ActionIcon>
      {conversation ? <About conversation={conversation} hrefOf={hrefOf} /> : <Skeleton height={120} />}
    </aside>
  )
}

interface AboutProps {
  readonly conversation: ConversationJson
  readonly hrefOf: (id: string) => string
}

function About({ conversation, hrefOf }: AboutProps) {
  const { t, times } = useSpeech()
  const now = useNow()
  const contact = useContact(conversation.contact.id)
  const { channel } = conversation
  return (
    <Stack gap="lg">
      <Stack gap={6} align="center" className="panel-who">
        <Person name={conversation.contact.name} id={conversation.contact.id} size={64} />
        <Title order={2} size="h4" ta="center" className="panel-name" dir="auto">
          <Link to={`/contacts/${conversation.contact.id}`}>{conversation.contact.name}</Link>
        </Title>
        {conversation.contact.handle && <span className="dimmed">@{conversation.contact.handle}</span>}
      </Stack>
      <section>
        <h3 className="panel-title">{t('contact.conversation')}</h3>
        <dl className="panel-facts">
          <Fact name={t('contact.channel')}>
            <ChannelMark type={channel.type} size={18} /> {channel.name}
          </Fact>
          <Fact name={t('contact.visibility')}>{t(`contact.visibility_${conversation.visibility}`)}</Fact>
          <Fact name={t('contact.status')}>{t(`status.${conversation.status}`)}</Fact>
          <Fact name={t('contact.waiting')}>
            {conversation.waiting_since ? (
              <When at={conversation.waiting_since} text={times.since(conversation.waiting_since, now)} />
            ) : (
              t('contact.not_waiting')
            )}
          </Fact>
          {conversation.last_inbound_at && (
            <Fact name={t('contact.last_wrote')}>
              <When at={conversation.last_inbound_at} text={times.relative(conversation.last_inbound_at, now)} />
            </Fact>
          )}
          <Fact name={t('contact.since')}>
            <When at={conversation.created_at} text={times.relative(conversation.created_at, now)} />
          </Fact>
          {conversation.participants.length > 0 && (
            <Fact name={t('filter.participant')}>{conversation.participants.map(({ name }) => name).join(', ')}</Fact>
          )}
        </dl>
      </section>
      <section>
        <h3 className="panel-title">{t('contact.addresses')}</h3>
        {contact.isPending && <Skeleton height={40} />}
        {contact.isError && (
          <UnstyledButton className="link-button" onClick={() => void contact.refetch()}>
            {t('state.error')}. {t('state.again')}
          </UnstyledButton>
        )}
        <Stack gap={8} component="ul" className="plain-list">
          {contact.data?.addresses.map((address) => (
            <Address key={address.id} address={address} />
          ))}
        </Stack>
      </section>
      <Others conversation={conversation} hrefOf={hrefOf} />
    </Stack>
  )
}

/** What else they have written, and where. */
function Others({ conversation, hrefOf }: AboutProps) {
  const { t, times } = useSpeech()
  const now = useNow()
  const others = useOthersOf(conversation.contact.id).data?.items.filter(({ id }) => id !== conversation.id)
  if (others === undefined) return null
  return (
    <section>
      <h3 className="panel-title">{t('contact.others')}</h3>
      {others.length === 0 ? (
        <p className="dimmed">{t('contact.others_none')}</p>
      ) : (
        <ul className="plain-list">
          {others.map((other) => (
            <li key={other.id}>
              <Link to={hrefOf(other.id)} className="other">
                <ChannelMark type={other.channel.type} size={18} />
                <span className="other-text" dir="auto">
                  {other.preview || t('row.empty')}
                </span>
                <span className="other-age">
                  {other.status === 'open' ? times.age(other.last_activity_at, now) : t(`status.${other.status}`)}
                </span>
              </Link>
            </li>
          ))}
        </ul>
      )}
    </section>
  )
}

function Fact({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  return (
    <div className="panel-fact">
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}

function When({ at, text }: { readonly at: string; readonly text: string }) {
  const { times } = useSpeech()
  return (
    <time dateTime={at} title={times.exact(at)}>
      {text}
    </time>
  )
}

function Address({ address }: { readonly address: ContactJson['addresses'][number] }) {
  const { t } = useSpeech()
  return (
    <li className="address">
      <ChannelMark type={address.channel_type} size={20} />
      <span className="address-text">
        <span dir="auto">
          {address.handle ? `@${address.handle}` : (address.name ?? t(`channel.${address.channel_type}`))}
        </span>
        <code>{address.external_id}</code>
      </span>
      <CopyButton value={address.external_id}>
        {({ copied, copy }) => (
          <ActionIcon
            variant="subtle"
            color="gray"
            size={32}
            onClick={copy}
            aria-label={copied ? t('channels.copied') : `${t('channels.copy')}: ${address.external_id}`}
          >
            {copied ? <IconCheck size={16} /> : <IconCopy size={16} />}
          </ActionIcon>
        )}
      </CopyButton>
    </li>
  )
}
