/** What a list is narrowed to, chosen field by field; and the words for what is chosen. */
import { useQuery } from '@tanstack/react-query'
import { api } from '../api.ts'
import { keys } from '../queries.ts'
import { useSession } from '../session.ts'
import { useSpeech } from '../texts/index.tsx'
import { choose, type Choice } from './choose.ts'
import { anyStatus, chipNames, labelsOf, statuses, type Filter, type FilterChange } from './filter.ts'
import { priorities } from './questions.tsx'
import { useColleagues, useLabels, useTeams } from './queries.ts'

export type ChipName = (typeof chipNames)[number]
/** Asked for by their own field, not by this one. */
const hidden: readonly ChipName[] = ['mentioned', 'until']
const dayMs = 24 * 3_600_000

export function useFilterQuestions(filter: Filter, change: Change) {
  const { t } = useSpeech()
  const askValue = (name: ChipName): void =>
    choose({
      title: t(`filter.${name}`),
      placeholder: t('filter.placeholder'),
      nothing: t('choose.nothing'),
      useChoices: (typed) => useValues(name, filter, change, typed),
    })
  const askField = (): void =>
    choose({
      title: t('filter.add'),
      placeholder: t('filter.add_placeholder'),
      nothing: t('choose.nothing'),
      useChoices: () =>
        chipNames
          .filter((name) => !hidden.includes(name))
          .map((name) => ({
            id: name,
            label: t(`filter.${name}`),
            isChosen: filter[name] !== undefined,
            run: () => askValue(name),
          })),
    })
  return { askValue, askField }
}

type Change = (to: FilterChange) => void

function useValues(name: ChipName, filter: Filter, change: Change, typed: string): Choice[] {
  const { t, times } = useSpeech()
  const names = useNames()
  const pick = (id: string, label: string): Choice => ({
    id,
    label,
    isChosen: filter[name] === id,
    run: () => change({ [name]: filter[name] === id ? undefined : id }),
  })
  const all = (list: readonly { readonly id: string; readonly name: string }[]): Choice[] =>
    list.map((each) => pick(each.id, each.name))
  switch (name) {
    case 'status':
      return [...statuses.map((each) => pick(each, t(`status.${each}`))), pick(anyStatus, t('status.any'))]
    case 'channel_id':
      return all(names.channels)
    case 'assignee':
      return [pick('me', t('filter.me')), pick('none', t('contact.nobody')), ...all(names.users)]
    case 'team':
      return [pick('mine', t('filter.team_mine')), pick('none', t('care.no_team')), ...all(names.teams)]
    case 'participant':
      return [pick('me', t('filter.me')), ...all(names.users)]
    case 'label': {
      const chosen = labelsOf(filter)
      return names.labels.map(({ id, name: label }) => ({
        id,
        label,
        isChosen: chosen.includes(id),
        run: () =>
          change({ label: (chosen.includes(id) ? chosen.filter((each) => each !== id) : [...chosen, id]).join() }),
      }))
    }
    case 'priority':
      return priorities.map((each) => pick(each, t(`priority.${each}`)))
    case 'kind':
      return [pick('direct', t('contact.visibility_direct')), pick('public', t('contact.visibility_public'))]
    case 'unanswered':
      return [pick('true', t('filter.unanswered_true')), pick('false', t('filter.unanswered_false'))]
    default: {
      const from = (days: number): string => new Date(startOfDay() - days * dayMs).toISOString()
      const date = /^\d{4}-\d\d-\d\d$/.test(typed) ? new Date(`${typed}T00:00`) : undefined
      const given = date && !Number.isNaN(date.getTime()) ? date.toISOString() : undefined
      const set = (since: string | undefined, until: string | undefined) => () => change({ since, until })
      return [
        ...(given === undefined
          ? []
          : [
              {
                id: 'from',
                label: t('filter.since_day', { day: times.day(given, 0) }),
                isAlways: true,
                run: set(given, undefined),
              },
              {
                id: 'to',
                label: t('filter.until_day', { day: times.day(given, 0) }),
                isAlways: true,
                run: set(filter.since, given),
              },
            ]),
        { id: '0', label: t('time.today'), run: set(from(0), undefined) },
        { id: '1', label: t('filter.since_yesterday'), run: set(from(1), undefined) },
        { id: '7', label: t('filter.since_days', { count: 7 }), run: set(from(7), undefined) },
        { id: '30', label: t('filter.since_days', { count: 30 }), run: set(from(30), undefined) },
        { id: 'old7', label: t('filter.until_days', { count: 7 }), run: set(undefined, from(7)) },
        { id: 'old30', label: t('filter.until_days', { count: 30 }), run: set(undefined, from(30)) },
        { id: 'date', label: t('filter.date_hint'), isAlways: true, run: () => undefined },
      ]
    }
  }
}

const startOfDay = (): number => new Date().setHours(0, 0, 0, 0)

function useNames() {
  const { permissions } = useSession()
  const channels = useQuery({
    queryKey: keys.channels,
    queryFn: ({ signal }) => api.channels(signal),
    enabled: permissions.includes('channels.read'),
  })
  return { channels: channels.data?.items ?? [], users: useColleagues(), teams: useTeams(), labels: useLabels() }
}

/** The words of a chip: "Status: Pending". */
export function useChipWords(): (name: ChipName, value: string) => string {
  const { t, times } = useSpeech()
  const { user } = useSession()
  const { channels, users, teams, labels } = useNames()
  const nameIn = (list: readonly { readonly id: string; readonly name: string }[], id: string): string =>
    list.find((each) => each.id === id || each.name === id)?.name ?? '…'
  const person = (id: string): string =>
    id === 'me' || id === user.id ? t('filter.me') : id === 'none' ? t('contact.nobody') : nameIn(users, id)
  const wordOf: Readonly<Record<ChipName, (value: string) => string>> = {
    status: (value) =>
      value === anyStatus || value.split(',').length === statuses.length
        ? t('status.any')
        : value
            .split(',')
            .flatMap((each) => statuses.filter((status) => status === each))
            .map((status) => t(`status.${status}`))
            .join(', '),
    channel_id: (value) =>
      value
        .split(',')
        .map((id) => nameIn(channels, id))
        .join(', '),
    assignee: person,
    team: (value) =>
      value === 'mine' ? t('filter.team_mine') : value === 'none' ? t('care.no_team') : nameIn(teams, value),
    label: (value) =>
      value
        .split(',')
        .map((id) => nameIn(labels, id))
        .join(' + '),
    priority: (value) => t(`priority.${priorities.find((each) => each === value) ?? 'none'}`),
    kind: (value) => t(value === 'public' ? 'filter.kind_public' : 'filter.kind_direct'),
    unanswered: (value) => t(value === 'true' ? 'filter.unanswered_true' : 'filter.unanswered_false'),
    participant: person,
    mentioned: person,
    since: (value) => times.day(value, Date.now()),
    until: (value) => times.day(value, Date.now()),
  }
  return (name, value) =>
    name === 'unanswered' ? wordOf[name](value) : `${t(`filter.${name}`)}: ${wordOf[name](value)}`
}
