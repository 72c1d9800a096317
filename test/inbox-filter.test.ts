/** The list of conversations against a filter in plain JavaScript, over random conversations and random filters. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { newId } from '../infra/ids.ts'
import { silentLogger } from '../infra/logger.ts'
import { everything, markKinds, openStorage, priorityMark } from '../storage/index.ts'
import type { ConversationFilter, ConversationSort, Scope, Storage } from '../storage/index.ts'
import { conversationStatuses } from '../storage/model/words.ts'
import type { ConversationStatus } from '../storage/model/words.ts'
import { makeDatabase } from './databases.ts'
import type { TestDatabase } from './databases.ts'

interface Row {
  readonly id: string
  readonly channelId: string
  readonly contactId: string
  readonly status: ConversationStatus
  readonly assigneeId: string | null
  readonly teamId: string | null
  readonly priority: number
  readonly visibility: 'direct' | 'public'
  readonly lastActivityAt: Date
  readonly waitingSince: Date | null
  readonly preview: string
  readonly labels: readonly string[]
  readonly participants: readonly string[]
  readonly mentioned: readonly string[]
}

let seed = 20_261
/** The same numbers at each run. */
const random = (): number => {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
  return seed / 2 ** 32
}
const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T
const chance = (share: number): boolean => random() < share
const some = <T>(from: readonly T[], most: number): T[] => [
  ...new Set(Array.from({ length: Math.ceil(random() * most) }, () => pick(from))),
]
const ids = (count: number): string[] => Array.from({ length: count }, () => newId())

const count = 3_000
const accountId = newId()
const [channels, users, teams, labels, contacts] = [ids(5), ids(8), ids(4), ids(6), ids(400)] as const
const begin = Date.UTC(2026, 0, 1)
const rows: Row[] = Array.from({ length: count }, () => {
  const status = pick([...conversationStatuses, 'resolved', 'resolved'] as const)
  // Many share an instant, so that ties are decided by the id.
  const lastActivityAt = new Date(begin + Math.floor(random() * 900) * 60_000)
  return {
    ...{ id: newId(), channelId: pick(channels), contactId: pick(contacts), status },
    assigneeId: chance(0.5) ? null : pick(users),
    teamId: chance(0.4) ? null : pick(teams),
    priority: chance(0.7) ? 0 : pick([1, 2, 3]),
    visibility: chance(0.2) ? ('public' as const) : ('direct' as const),
    lastActivityAt,
    waitingSince: status !== 'resolved' && chance(0.5) ? lastActivityAt : null,
    preview: pick(['Is the 9:40 running?', '100 % rye', 'under_score', 'Grüße']),
    labels: chance(0.3) ? some(labels, 3) : [],
    participants: chance(0.2) ? some(users, 2) : [],
    mentioned: chance(0.1) ? some(users, 2) : [],
  }
})

function matches(row: Row, filter: Omit<ConversationFilter, 'limit'>, scope: Scope): boolean {
  const { statuses, assigneeId, teamIds, isUnanswered, q } = filter
  return (
    (scope.channelIds === null || scope.channelIds.includes(row.channelId)) &&
    (scope.teamIds === null || row.teamId === null || scope.teamIds.includes(row.teamId)) &&
    (filter.channelIds === undefined || filter.channelIds.includes(row.channelId)) &&
    (filter.contactId === undefined || filter.contactId === row.contactId) &&
    (statuses === undefined || statuses.includes(row.status)) &&
    (assigneeId === undefined || assigneeId === row.assigneeId) &&
    (teamIds === undefined || teamIds.includes(row.teamId)) &&
    (filter.labelIds ?? []).every((label) => row.labels.includes(label)) &&
    (filter.priority === undefined || filter.priority === row.priority) &&
    (filter.visibility === undefined || filter.visibility === row.visibility) &&
    (filter.participantId === undefined || row.participants.includes(filter.participantId)) &&
    (filter.mentionedId === undefined || row.mentioned.includes(filter.mentionedId)) &&
    (isUnanswered === undefined || isUnanswered === (row.waitingSince !== null)) &&
    (filter.sort !== 'waiting' || row.waitingSince !== null) &&
    (filter.since === undefined || row.lastActivityAt >= filter.since) &&
    (filter.until === undefined || row.lastActivityAt < filter.until) &&
    (q === undefined || row.preview.toLowerCase().includes(q.toLowerCase()))
  )
}

function sorted(found: readonly Row[], sort: ConversationSort = 'newest'): Row[] {
  const at = (row: Row): number => (sort === 'waiting' ? row.waitingSince : row.lastActivityAt)?.getTime() ?? 0
  const up = sort === 'oldest' || sort === 'waiting' ? 1 : -1
  return [...found].sort(
    (a, b) => (sort === 'priority' ? b.priority - a.priority : 0) || up * (at(a) - at(b) || (a.id < b.id ? -1 : 1)),
  )
}

function randomFilter(): Omit<ConversationFilter, 'limit'> {
  const q = chance(0.1) ? pick(['rye', '%', '_', 'grüße', '100 %']) : undefined
  return {
    ...(chance(0.4) && { channelIds: some(channels, 3) }),
    ...(chance(0.05) && { contactId: pick(contacts) }),
    ...(chance(0.5) && { statuses: some(conversationStatuses, 3) }),
    ...(chance(0.4) && { assigneeId: chance(0.4) ? null : pick(users) }),
    ...(chance(0.3) && { teamIds: some([...teams, null], 3) }),
    ...(chance(0.3) && { labelIds: some(labels, 2) }),
    ...(chance(0.2) && { priority: pick([0, 1, 2, 3]) }),
    ...(chance(0.2) && { visibility: pick(['direct', 'public'] as const) }),
    ...(chance(0.1) && { participantId: pick(users) }),
    ...(chance(0.1) && { mentionedId: pick(users) }),
    ...(chance(0.2) && { isUnanswered: chance(0.5) }),
    ...(chance(0.15) && { since: new Date(begin + random() * 50_000_000) }),
    ...(chance(0.15) && { until: new Date(begin + random() * 50_000_000) }),
    ...(q !== undefined && { q }),
    ...(chance(0.6) && { sort: pick(['newest', 'oldest', 'waiting', 'priority'] as const) }),
  }
}

const randomScope = (): Scope => ({
  channelIds: chance(0.2) ? some(channels, 3) : null,
  teamIds: chance(0.2) ? some(teams, 2) : null,
})

let database: TestDatabase
let storage: Storage
beforeAll(async () => {
  database = await makeDatabase()
  storage = await openStorage({ ...database.config, replicaUrls: [] }, silentLogger)
  await storage.write(async (tx) => {
    const now = new Date()
    await tx.insertMany(
      'conversations',
      ['id', 'account_id', 'channel_id', 'contact_id', 'contact_address_id', 'visibility', 'thread_key', 'status', 'assignee_id', 'team_id', 'priority', 'preview', 'last_activity_at', 'waiting_since', 'is_marked', 'created_at', 'updated_at'],
      // A twin of each belongs to another account.
      rows.flatMap((row) =>
        [accountId, newId()].map((account) => [
          account === accountId ? row.id : newId(), account, row.channelId, row.contactId, row.contactId, row.visibility, newId(), row.status, row.assigneeId,
          row.teamId, row.priority, row.preview, row.lastActivityAt, row.waitingSince, false, now, now,
        ]),
      ),
    ) // prettier-ignore
    await storage.marks.put(
      tx,
      accountId,
      rows.flatMap((row) => [
        ...row.labels.map((mark) => ({ conversationId: row.id, kind: markKinds.label, mark })),
        ...row.participants.map((mark) => ({ conversationId: row.id, kind: markKinds.participant, mark })),
        ...row.mentioned.map((mark) => ({ conversationId: row.id, kind: markKinds.mention, mark })),
        ...(row.visibility === 'public'
          ? [{ conversationId: row.id, kind: markKinds.public, mark: priorityMark(0) }]
          : []),
        ...(row.priority === 0
          ? []
          : [{ conversationId: row.id, kind: markKinds.priority, mark: priorityMark(row.priority) }]),
      ]),
    )
  })
}, 60_000)
afterAll(async () => {
  await storage.close()
  await database.drop()
})

describe('the list of conversations', () => {
  it('gives what a plain filter gives, in its order, page by page, and counts the same', async () => {
    const seen = { filters: 0, pages: 0, empty: 0, rows: 0 }
    for (let n = 0; n < 500; n++) {
      const [filter, scope] = [randomFilter(), randomScope()]
      const want = sorted(
        rows.filter((row) => matches(row, filter, scope)),
        filter.sort,
      )
      const limit = pick([1, 7, 40, 300])
      const got: string[] = []
      let after: ConversationFilter['after']
      while (got.length < 900) {
        const page = await storage.conversations.list(
          storage.primary,
          accountId,
          { ...filter, limit, ...(after !== undefined && { after }) },
          scope,
        )
        got.push(...page.map(({ id }) => id))
        const last = page.at(-1)
        seen.pages += 1
        if (last === undefined || page.length < limit || got.length >= 12 * limit) break
        const at = filter.sort === 'waiting' ? (last.waitingSince ?? last.lastActivityAt) : last.lastActivityAt
        const isRanked = filter.sort === 'priority' && filter.priority === undefined
        after = { at, id: last.id, ...(isRanked && { rank: last.priority }) }
      }
      const what = JSON.stringify({ filter, scope, limit })
      expect([what, got]).toEqual([what, want.slice(0, got.length).map(({ id }) => id)])
      if (got.length < want.length) expect([what, got.length >= 12 * limit || got.length >= 900]).toEqual([what, true])
      const counted = await storage.conversations.count(storage.primary, accountId, [{ ...filter, limit: 100 }], scope)
      expect([what, counted]).toEqual([what, [Math.min(100, want.length)]])
      seen.filters += 1
      seen.rows += got.length
      if (want.length === 0) seen.empty += 1
    }
    console.log(`filters against plain JavaScript ${JSON.stringify(seen)}`)
    expect(seen.filters - seen.empty).toBeGreaterThan(150)
  }, 60_000)

  it('refuses a filter that takes too long, and says what to do', async () => {
    const slow = storage.conversations.count(
      {
        // As if the table were a thousand times as large.
        query: (sql, values) =>
          storage.primary.query(sql.replace('max_statement_time = 3', 'max_statement_time = 0.00001'), values),
        first: (sql, values) => storage.primary.first(sql, values),
      },
      accountId,
      [{ q: 'nothing has this', limit: 1_001 }],
    )
    await expect(slow).rejects.toMatchObject({ status: 422, code: 'filter_too_slow' })
  })

  it('shows labels and participants of each', async () => {
    const all = await storage.conversations.list(storage.primary, accountId, { limit: 500 }, everything)
    const known = new Map(rows.map((row) => [row.id, row]))
    for (const each of all) {
      expect([...each.labelIds].sort()).toEqual([...(known.get(each.id)?.labels ?? [])].sort())
      expect([...each.participantIds].sort()).toEqual([...(known.get(each.id)?.participants ?? [])].sort())
    }
  })
})
