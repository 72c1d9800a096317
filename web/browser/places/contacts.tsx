/** Everybody outside: found by any address, narrowed, kept as segments. Its address holds all that is chosen. */
import '../styles/contacts.css'
import '../texts/contacts.ts'
import { Button, NativeSelect, Skeleton, Switch, TextInput } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { keepPreviousData, useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { IconAddressBook, IconBan, IconSearch, IconTrash } from '@tabler/icons-react'
import { useEffect, useRef, useState } from 'react'
import { Link, useSearchParams } from 'react-router'
import { channelTypes } from '../../../storage/model/words.ts'
import type { ContactCardJson, SegmentFilterJson } from '../../presenters/contact.ts'
import { useNow } from '../clock.ts'
import { useActions } from '../keyboard.ts'
import { ChannelMark, Person } from '../person.tsx'
import { useSession } from '../session.ts'
import { Empty, Failure } from '../states.tsx'
import { useSpeech } from '../texts/index.tsx'
import { addressOf } from './contact-parts.tsx'
import { contactQueries, contactsApi } from './contacts-api.ts'
import { Dialog, PartHead } from './people-parts.tsx'
import { useContactAct } from './use-contact-act.ts'

const days = [1, 7, 30, 90, 365]

export function Contacts() {
  const { t } = useSpeech()
  const session = useSession()
  const [params, setParams] = useSearchParams()
  const [text, setText] = useState(params.get('q') ?? '')
  const [q] = useDebouncedValue(text.trim(), 250)
  const [isKeeping, setKeeping] = useState(false)
  const field = useRef<HTMLInputElement>(null)
  const segments = useQuery(contactQueries.segments).data?.items ?? []
  const set = (changed: Readonly<Record<string, string>>): void =>
    setParams(
      (old) => new URLSearchParams(Object.entries({ ...Object.fromEntries(old), ...changed }).filter(([, value]) => value !== '')), // prettier-ignore
      { replace: true },
    )
  useEffect(() => {
    setParams(
      (old) => {
        const next = new URLSearchParams(old)
        if (q === '') next.delete('q')
        else next.set('q', q)
        return next
      },
      { replace: true },
    )
  }, [q, setParams])
  useActions([
    { id: 'contacts-find', label: 'people.find', keys: '/', group: 'group.list', run: () => field.current?.select() },
  ])
  const [segment, channel, active] = ['segment', 'channel_type', 'active'].map((name) => params.get(name) ?? '')
  const isBlocked = params.get('is_blocked') === 'true'
  const filter: SegmentFilterJson = {
    ...(q !== '' && { q }),
    ...(channelTypes.some((type) => type === channel) && { channel_type: channel as (typeof channelTypes)[number] }),
    ...(active?.startsWith('w') === true && { active_within_days: Number(active.slice(1)) }),
    ...(active?.startsWith('n') === true && { inactive_for_days: Number(active.slice(1)) }),
    ...(isBlocked && { is_blocked: true }),
  }
  const isNarrowed = Object.keys(filter).length > 0
  const forget = useContactAct(contactsApi.forgetSegment, () => set({ segment: '' }))
  return (
    <div className="place">
      <div className="place-inner">
        <PartHead title="people.title" lead="people.lead">
          {isNarrowed && session.permissions.includes('views.manage') && (
            <Button variant="default" onClick={() => setKeeping(true)}>
              {t('people.keep')}
            </Button>
          )}
        </PartHead>
        {segments.length > 0 && (
          <div className="segments" role="group" aria-label={t('people.segments')}>
            {[{ id: '', name: t('people.all') }, ...segments].map(({ id, name }) => (
              <button key={id} type="button" aria-pressed={segment === id} onClick={() => set({ segment: id })}>
                {name}
              </button>
            ))}
            {segment !== '' && session.permissions.includes('views.manage') && (
              <button type="button" aria-label={t('people.forget')} onClick={() => forget.mutate(segment ?? '')}>
                <IconTrash size={16} aria-hidden />
              </button>
            )}
          </div>
        )}
        <form role="search" className="people-filter" onSubmit={(event) => event.preventDefault()}>
          <TextInput
            ref={field}
            type="search"
            className="people-find"
            maxLength={200}
            aria-label={t('people.find')}
            placeholder={t('people.find')}
            leftSection={<IconSearch size={18} aria-hidden />}
            value={text}
            onChange={(event) => setText(event.currentTarget.value)}
          />
          <NativeSelect
            aria-label={t('people.channel')}
            value={channel ?? ''}
            onChange={(event) => set({ channel_type: event.currentTarget.value })}
            data={[
              { value: '', label: t('people.any_channel') },
              ...channelTypes.map((type) => ({ value: type, label: t(`channel.${type}`) })),
            ]}
          />
          <NativeSelect
            aria-label={t('people.active')}
            value={active ?? ''}
            onChange={(event) => set({ active: event.currentTarget.value })}
            data={[
              { value: '', label: t('people.any_time') },
              ...days.map((count) => ({ value: `w${String(count)}`, label: t('people.within', { count }) })),
              ...days.slice(1).map((count) => ({ value: `n${String(count)}`, label: t('people.not_for', { count }) })),
            ]}
          />
          <Switch
            label={t('people.only_blocked')}
            checked={isBlocked}
            onChange={(event) => set({ is_blocked: event.currentTarget.checked ? 'true' : '' })}
          />
        </form>
        <People filter={filter} segment={segment ?? ''} isNarrowed={isNarrowed || segment !== ''} />
      </div>
      {isKeeping && <KeepSegment filter={filter} close={() => setKeeping(false)} kept={(id) => set({ segment: id })} />}
    </div>
  )
}

function People({
  filter,
  segment,
  isNarrowed,
}: {
  readonly filter: SegmentFilterJson
  readonly segment: string
  readonly isNarrowed: boolean
}) {
  const { t, times } = useSpeech()
  const now = useNow()
  // By the minute, so that the question stays the same while one looks at the answer.
  const [from] = useState(() => Date.now())
  const ago = (count: number | undefined): string | undefined =>
    count === undefined ? undefined : new Date(from - count * 86_400_000).toISOString()
  const found = useInfiniteQuery({
    ...contactQueries.list({
      limit: '50',
      q: filter.q,
      channel_type: filter.channel_type,
      active_since: ago(filter.active_within_days),
      active_before: ago(filter.inactive_for_days),
      is_blocked: filter.is_blocked === true ? 'true' : undefined,
      segment,
    }),
    placeholderData: keepPreviousData,
  })
  if (found.isError) return <Failure error={found.error} again={() => void found.refetch()} />
  if (found.data === undefined)
    return <Skeleton height={240} radius="md" role="status" aria-label={t('state.loading')} />
  const people = found.data.pages.flatMap((page) => page.items)
  if (people.length === 0)
    return isNarrowed ? (
      <Empty icon={<IconSearch size={40} stroke={1.3} />} title={t('people.nobody')} hint={t('people.nobody_hint')} />
    ) : (
      <Empty
        icon={<IconAddressBook size={40} stroke={1.3} />}
        title={t('people.empty')}
        hint={t('people.empty_hint')}
      />
    )
  return (
    <>
      <table className="people" aria-busy={found.isFetching}>
        <thead>
          <tr>
            <th scope="col">{t('people.name')}</th>
            <th scope="col">{t('people.addresses')}</th>
            <th scope="col">{t('people.active')}</th>
          </tr>
        </thead>
        <tbody>
          {people.map((contact) => (
            <tr key={contact.id}>
              <th scope="row">
                <Link to={`/contacts/${contact.id}`} className="people-who">
                  <Person name={contact.name} id={contact.id} size={32} />
                  <bdi>{contact.name}</bdi>
                  {contact.blocked_at !== null && <IconBan size={16} role="img" aria-label={t('people.blocked')} />}
                </Link>
              </th>
              <td>
                <Addresses contact={contact} />
              </td>
              <td className="people-when">
                {contact.last_activity_at === null ? t('people.never') : times.relative(contact.last_activity_at, now)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {found.hasNextPage && (
        <Button mt="md" variant="default" loading={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()}>
          {t('people.more')}
        </Button>
      )}
    </>
  )
}

const Addresses = ({ contact }: { readonly contact: ContactCardJson }) => (
  <span className="people-addresses">
    {contact.addresses.slice(0, 4).map((address) => (
      <span key={address.id}>
        <ChannelMark type={address.channel_type} size={16} /> <bdi>{addressOf(address)}</bdi>
      </span>
    ))}
  </span>
)

function KeepSegment({
  filter,
  close,
  kept,
}: {
  readonly filter: SegmentFilterJson
  readonly close: () => void
  readonly kept: (id: string) => void
}) {
  const { t } = useSpeech()
  const [name, setName] = useState('')
  const keep = useContactAct(
    () => contactsApi.keepSegment(name.trim(), filter),
    ({ id }) => {
      close()
      kept(id)
    },
  )
  return (
    <Dialog
      title={t('people.keep_title')}
      isOpen
      close={close}
      save={() => {
        if (name.trim() !== '') keep.mutate(undefined)
      }}
      isSaving={keep.isPending}
      error={keep.error}
    >
      <TextInput
        label={t('people.segment_name')}
        required
        maxLength={100}
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
        data-autofocus
      />
    </Dialog>
  )
}
