/**
 * `seed --conversations=N --messages=M`: an account with as many conversations as a team has after years, made by the server itself
 * (`insert … select` over a sequence, in batches). Two honest distributions: `half` has half of all conversations with nobody and two
 * in five not resolved; `old` has 98 % resolved. What is small and what is large follows from shares, not from chance alone.
 */
import mysql from 'mysql2/promise'
import type { Connection, ResultSetHeader } from 'mysql2/promise'
import { openSite, connectChannels } from '../web-site.ts'
import type { Person, Site } from '../web-site.ts'
import type { BenchResult, Options } from './run.ts'

export type Distribution = 'half' | 'old'

export interface Seeded {
  readonly channels: readonly string[]
  readonly users: readonly string[]
  readonly teams: readonly string[]
  readonly labels: readonly string[]
  readonly rows: Readonly<Record<string, number>>
  readonly seconds: number
}

const batch = 50_000
/** Shares of open, pending and snoozed; the rest is resolved. And of what is with nobody. */
const shares = {
  half: { open: 0.3, pending: 0.05, snoozed: 0.05, nobody: 0.5 },
  old: { open: 0.013, pending: 0.004, snoozed: 0.003, nobody: 0.3 },
} as const

export const connectTo = (site: Pick<Site, 'config'>): Promise<Connection> =>
  mysql.createConnection({ uri: site.config.primaryUrl?.reveal() ?? '', timezone: 'Z' })

/** Fills this person's account. @param messages of each conversation */
export async function seedAccount(
  site: Site,
  { accountId }: Person,
  distribution: Distribution,
  conversations: number,
  messages: number,
): Promise<Seeded> {
  const beganAt = performance.now()
  const { pageId } = await connectChannels(site, accountId)
  const id = (kind: string, n: number): string =>
    `0190${kind}-${accountId.slice(-4)}-7000-8000-${n.toString(16).padStart(12, '0')}`
  const some = (kind: string, count: number): string[] => Array.from({ length: count }, (_, n) => id(kind, n))
  const [users, teams, labels, others] = [some('0001', 40), some('0002', 8), some('0003', 20), some('0004', 9)]
  const channels = [pageId, ...others]
  const connection = await connectTo(site)
  // The replica is not asked: what it is not told makes loading twice as fast, where the server allows it.
  await connection.query('set session sql_log_bin = 0').catch(() => undefined)
  await connection.query('set session unique_checks = 0, foreign_key_checks = 0')
  const insert = async (sql: string, values: readonly unknown[] = []): Promise<number> => {
    const [result] = await connection.query<ResultSetHeader>(sql, [...values])
    return result.affectedRows
  }
  const many = (table: string, columns: string, rows: readonly (readonly unknown[])[]) =>
    insert(`insert into ${table} (${columns}) values ?`, [rows])
  const now = new Date()
  await many('users', 'id, account_id, email, name, role, created_at', users.map((user, n) => [user, accountId, `u${String(n)}@${accountId}`, `User ${String(n)}`, 'agent', now])) // prettier-ignore
  await many('teams', 'id, account_id, name, created_at, updated_at', teams.map((team, n) => [team, accountId, `Team ${String(n)}`, now, now])) // prettier-ignore
  await many('labels', 'id, account_id, name, color, created_at, updated_at', labels.map((label, n) => [label, accountId, `label ${String(n)}`, '#336699', now, now])) // prettier-ignore
  for (const [n, channel] of others.entries())
    await insert('insert into channels (id, account_id, app_id, type, name, external_id, sealed_credentials, created_at, updated_at) select ?, account_id, app_id, type, ?, ?, sealed_credentials, ?, ? from channels where id = ?', [channel, `Page ${String(n)}`, `9${String(n)}`, now, now, pageId]) // prettier-ignore

  const { open, pending, snoozed, nobody } = shares[distribution]
  const at = (kind: string): string =>
    `cast(concat('0190${kind}-${accountId.slice(-4)}-7000-8000-', lpad(hex(seq), 12, '0')) as uuid)`
  /** Between 0 and 1, always the same for a row and a name. */
  const draw = (name: string): string => `(conv(left(md5(concat(seq, '${name}')), 8), 16, 10) / 4294967296)`
  const oneOf = (list: readonly string[], name: string): string =>
    `elt(1 + floor(${String(list.length)} * pow(${draw(name)}, 1.5)), ${list.map((each) => `'${each}'`).join(', ')})`
  const active = `date_sub('2026-11-01', interval floor(pow(${draw('when')}, 1.3) * 63072000) second)`
  // What is not done is of the last weeks, mostly.
  const isOpen = `${draw('status')} < ${String(open + pending + snoozed)}`
  const when = `if(${isOpen}, date_sub('2026-11-01', interval floor(pow(${draw('when')}, 2) * 7776000) second), ${active})`
  const rows = { conversations: 0, marks: 0, messages: 0 }
  for (let from = 1; from <= conversations; from += batch) {
    const to = Math.min(conversations, from + batch - 1)
    const sequence = `seq_${String(from)}_to_${String(to)}`
    await insert(`insert into contacts (id, account_id, name, created_at, updated_at) select ${at('00c0')}, '${accountId}', concat('Person ', seq), now(3), now(3) from ${sequence}`) // prettier-ignore
    await insert(`insert into contact_addresses (id, account_id, contact_id, channel_type, scope, external_id, handle, created_at) select ${at('00a0')}, '${accountId}', ${at('00c0')}, 'facebook', '${pageId}', concat('p', seq), concat('@p', seq), now(3) from ${sequence}`) // prettier-ignore
    rows.conversations =
      rows.conversations +
      (await insert(`insert into conversations (id, account_id, channel_id, contact_id, contact_address_id, visibility, thread_key, status, assignee_id, team_id,
        priority, preview, last_activity_at, last_inbound_at, waiting_since, is_marked, created_at, updated_at)
        select id, '${accountId}', channel, contact, address, visibility, concat('t', seq), status, assignee, team, priority, preview, at, at,
          if(status = 'open' and waits < 0.6, at, null), priority > 0 or labelled or visibility = 'public', at, at from (select seq, ${at('0c00')} id, ${oneOf(channels, 'channel')} channel,
          ${at('00c0')} contact, ${at('00a0')} address, if(${draw('public')} < 0.15, 'public', 'direct') visibility,
          if(${draw('status')} < ${String(open)}, 'open', if(${draw('status')} < ${String(open + pending)}, 'pending', if(${isOpen}, 'snoozed', 'resolved'))) status,
          if(${draw('nobody')} < ${String(nobody)}, null, ${oneOf(users, 'user')}) assignee, if(${draw('noteam')} < 0.3, null, ${oneOf(teams, 'team')}) team,
          if(${draw('ranked')} < 0.85, 0, 1 + floor(3 * ${draw('rank')})) priority, concat('Is the ', seq, ' still running, and from which platform?') preview,
          ${when} at, ${draw('waits')} waits, ${draw('labelled')} < 0.3 labelled from ${sequence}) made`)) // prettier-ignore
    const mark = (kind: number, value: string, where: string) =>
      insert(`insert ignore into conversation_marks (account_id, conversation_id, kind, mark, status, last_activity_at)
        select c.account_id, c.id, ${String(kind)}, ${value}, c.status, c.last_activity_at from ${sequence} straight_join conversations c on c.id = ${at('0c00')} where ${where}`) // prettier-ignore
    for (const n of [1, 2])
      rows.marks =
        rows.marks + (await mark(1, oneOf(labels, `label${String(n)}`), `${draw('labelled')} < 0.3 and c.is_marked`))
    rows.marks += await mark(4, "concat('00000000-0000-0000-0000-00000000000', c.priority)", 'c.priority > 0')
    rows.marks += await mark(5, "'00000000-0000-0000-0000-000000000000'", "c.visibility = 'public'")
    if (messages > 0)
      rows.messages =
        rows.messages +
        (await insert(`insert into messages (id, account_id, channel_id, conversation_id, contact_id, direction, kind, visibility, external_id, text, occurred_at, received_at)
          select cast(concat('0190', lpad(hex(m.seq), 4, '0'), '-${accountId.slice(-4)}-7000-9000-', lpad(hex(s.seq), 12, '0')) as uuid), c.account_id, c.channel_id, c.id,
            if(m.seq % 2, c.contact_id, null), if(m.seq % 2, 'inbound', 'outbound'), if(m.seq % 2, 'message', 'reply'), c.visibility, concat('m', s.seq, '.', m.seq),
            concat('Is the ', s.seq, ' still running, and from which platform does it leave? (', m.seq, ')'), date_sub(c.last_activity_at, interval (m.seq - 1) * 3 minute), c.last_activity_at
          from ${sequence} s straight_join conversations c on c.id = ${at('0c00').replaceAll('seq', 's.seq')} straight_join seq_1_to_${String(messages)} m`)) // prettier-ignore
  }
  await connection.query('analyze table conversations, conversation_marks, messages, contacts, contact_addresses')
  await connection.end()
  return { channels, users, teams, labels, rows, seconds: Number(((performance.now() - beganAt) / 1000).toFixed(1)) }
}

/** Loads both distributions and says how long that took. `limit` and `ratio` stand for nothing here. */
export async function run(options: Options): Promise<BenchResult> {
  const { conversations = 100_000, messages = 20 } = options
  const site = await openSite({ PARLEY_REPLICA_URLS: '' })
  try {
    const half = await seedAccount(site, site.ana, 'half', conversations, messages)
    const old = await seedAccount(site, site.zoe, 'old', conversations, messages)
    const total = [half, old].flatMap(({ rows }) => Object.values(rows)).reduce((sum, count) => sum + count, 0)
    const seconds = half.seconds + old.seconds
    return {
      ...{
        name: 'seed',
        ours: Math.round(total / seconds),
        limit: Math.round(total / seconds),
        ratio: 1,
        unit: 'rows/s',
        runs: 1,
      },
      ...{ conversations, messagesOfEach: messages, seconds, half: half.rows, old: old.rows },
    }
  } finally {
    await site.close()
  }
}
