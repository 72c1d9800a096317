/** What is remembered of the team's ways of working: labels, views, counts, colleagues. */
import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { useSession } from '../session.ts'
import { careApi } from './api.ts'
import type { Filter } from './filter.ts'

export const careKeys = {
  labels: ['labels'],
  views: ['views'],
  counts: ['counts'],
  people: ['people', '/users'],
  teams: ['people', '/teams'],
  drafts: ['drafts'],
  job: (id: string) => ['bulk-job', id],
} as const

export const useLabels = () =>
  useQuery({ queryKey: careKeys.labels, queryFn: ({ signal }) => careApi.labels(signal) }).data?.items ?? nothing

export const useViews = () => useQuery({ queryKey: careKeys.views, queryFn: ({ signal }) => careApi.views(signal) })

/** What each kept view means. */
export function useMeanings(): ReadonlyMap<string, Filter> {
  const views = useViews().data?.items
  return useMemo(() => new Map(views?.map(({ id, filter }) => [id, textOf(filter)])), [views])
}

export const useCounts = (views: readonly string[]) =>
  useQuery({
    queryKey: [...careKeys.counts, views.join()],
    queryFn: ({ signal }) => careApi.counts(views, signal),
    placeholderData: (before) => before,
  }).data?.counts

export function useColleagues() {
  const { permissions } = useSession()
  const isAllowed = permissions.includes('users.read')
  const users = useQuery({
    queryKey: careKeys.people,
    queryFn: ({ signal }) => careApi.users(signal),
    enabled: isAllowed,
  })
  return users.data?.items ?? nothing
}

export function useTeams() {
  const { permissions } = useSession()
  const isAllowed = permissions.includes('users.read')
  const teams = useQuery({
    queryKey: careKeys.teams,
    queryFn: ({ signal }) => careApi.teams(signal),
    enabled: isAllowed,
  })
  return teams.data?.items ?? nothing
}

/** Where something was begun and not sent. */
export function useDraftMarks(): ReadonlySet<string> {
  const marks = useQuery({ queryKey: careKeys.drafts, queryFn: ({ signal }) => careApi.drafts(signal) }).data?.items
  return useMemo(() => new Set(marks?.map((mark) => mark.conversation_id)), [marks])
}

const nothing: readonly never[] = []

/** A kept filter as it stands in an address. */
const textOf = (filter: object): Filter =>
  Object.fromEntries(
    Object.entries(filter).map(([name, value]) => [name, Array.isArray(value) ? value.join() : String(value)]),
  )
