/** The audit log: filtered, with what changed, and whether the chain is whole. */
import { Alert, Button, NativeSelect, Skeleton, TextInput } from '@mantine/core'
import { useInfiniteQuery, useMutation, useQuery } from '@tanstack/react-query'
import { IconHistory, IconShieldCheck } from '@tabler/icons-react'
import { useSearchParams } from 'react-router'
import type { AuditEntryJson } from '../../presenters/people.ts'
import { useNow } from '../clock.ts'
import { allItems } from '../queries.ts'
import { Empty, Failure } from '../states.tsx'
import { useSpeech } from '../texts/index.tsx'
import { lists, peopleApi } from './people-api.ts'
import { PartHead } from './people-parts.tsx'
import { useTell } from './use-tell.ts'

const nouns = ['session', 'user', 'invitation', 'role', 'team', 'token', 'app', 'channel', 'post', 'received', 'letter']

export function AuditLog() {
  const { t } = useSpeech()
  const [search, setSearch] = useSearchParams()
  const value = (name: string) => search.get(name) ?? ''
  const set = (name: string, text: string): void =>
    setSearch(
      (old) => {
        if (text === '') old.delete(name)
        else old.set(name, text)
        return old
      },
      { replace: true },
    )
  const filter = Object.fromEntries(
    [
      ['actor', value('actor')],
      ['action', value('action')],
      ['since', instantOf(value('since'))],
      ['until', instantOf(value('until'))],
    ].filter(([, text]) => text !== ''),
  ) as Readonly<Record<string, string>>
  const query = useInfiniteQuery({
    queryKey: ['people', 'audit', filter],
    queryFn: ({ pageParam, signal }) => peopleApi.audit(filter, pageParam, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next_cursor,
    staleTime: 0,
  })
  const users = useQuery(lists.users)
  const items = allItems(query.data)
  return (
    <>
      <PartHead title="settings.audit" lead="audit.lead">
        <Verify />
      </PartHead>
      <div className="audit-filter" role="search">
        <NativeSelect
          label={t('audit.who')}
          value={value('actor')}
          onChange={(event) => set('actor', event.currentTarget.value)}
          data={[
            { value: '', label: t('audit.anyone') },
            ...(users.data?.items ?? []).map((user) => ({ value: user.id, label: user.name })),
          ]}
        />
        <NativeSelect
          label={t('audit.what')}
          value={value('action')}
          onChange={(event) => set('action', event.currentTarget.value)}
          data={[{ value: '', label: t('audit.anything') }, ...nouns]}
        />
        {(['since', 'until'] as const).map((name) => (
          <TextInput
            key={name}
            type="date"
            label={t(`audit.${name}`)}
            value={value(name)}
            onChange={(event) => set(name, event.currentTarget.value)}
          />
        ))}
      </div>
      {query.isPending && <Skeleton height={66} radius="md" role="status" aria-label={t('state.loading')} />}
      {query.isError && items.length === 0 && <Failure error={query.error} again={() => void query.refetch()} />}
      {query.isSuccess && items.length === 0 && (
        <Empty icon={<IconHistory size={40} stroke={1.3} />} title={t('audit.empty')} hint={t('audit.empty_hint')} />
      )}
      <ul className="cards" aria-label={t('settings.audit')}>
        {items.map((entry) => (
          <Entry key={entry.sequence} entry={entry} />
        ))}
      </ul>
      {query.hasNextPage && (
        <Button mt="md" variant="default" loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
          {t('settings.more')}
        </Button>
      )}
    </>
  )
}

/** A day as the reader means it: its beginning in their zone. */
function instantOf(day: string): string {
  const at = day === '' ? Number.NaN : Date.parse(`${day}T00:00:00`)
  return Number.isNaN(at) ? '' : new Date(at).toISOString()
}

function Verify() {
  const { t } = useSpeech()
  const tell = useTell()
  const verify = useMutation({ mutationFn: peopleApi.verify, onError: tell.failed })
  return (
    <div>
      <Button
        variant="default"
        leftSection={<IconShieldCheck size={18} aria-hidden />}
        loading={verify.isPending}
        onClick={() => verify.mutate()}
      >
        {t('audit.verify')}
      </Button>
      {verify.data && (
        <Alert mt="xs" color={verify.data.is_whole ? 'green' : 'red'} variant="light" role="status">
          {verify.data.is_whole
            ? t('audit.whole', { count: verify.data.count })
            : t('audit.broken', { number: verify.data.broken_at ?? 0 })}
        </Alert>
      )}
    </div>
  )
}

function Entry({ entry }: { readonly entry: AuditEntryJson }) {
  const { t, times } = useSpeech()
  const now = useNow()
  const fields = [...new Set([...Object.keys(entry.before), ...Object.keys(entry.after)])]
    .filter((field) => isSaid(entry.before[field]) || isSaid(entry.after[field]))
    .sort()
  return (
    <li className="card-row">
      <div className="card-main">
        <div>
          <strong>{entry.actor.name || entry.via}</strong> <code>{entry.action}</code>{' '}
          {entry.subject.name ?? entry.subject.id ?? ''}
        </div>
        <div className="card-side">
          #{entry.sequence} ·{' '}
          <time dateTime={entry.at} title={times.exact(entry.at)}>
            {times.relative(entry.at, now)}
          </time>
          {entry.address && <> · {t('audit.from', { address: entry.address })}</>} · {t('audit.by', { via: entry.via })}
        </div>
        {fields.length > 0 && (
          <ul className="changes">
            {fields.map((field) => (
              <li key={field}>
                <code>{field}</code> {isSaid(entry.before[field]) && <del>{wordsOf(entry.before[field])}</del>}
                {isSaid(entry.before[field]) && isSaid(entry.after[field]) && ' → '}
                {isSaid(entry.after[field]) && <ins>{wordsOf(entry.after[field])}</ins>}
              </li>
            ))}
          </ul>
        )}
      </div>
    </li>
  )
}

const isSaid = (value: unknown): boolean =>
  value !== undefined && value !== null && !(Array.isArray(value) && value.length === 0)

const wordsOf = (value: unknown): string =>
  typeof value === 'string' ? value : Array.isArray(value) ? value.map(String).join(', ') : JSON.stringify(value)
