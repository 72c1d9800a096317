/**
 * Lists of conversations and one opened, over HTTP, signed in with a cookie: first page and page 50, the filters of the browser, in
 * two distributions, at 10,000 conversations and at many. The limit: the same rows by one bare statement on the index made for it, asked
 * in turn. Counted besides: statements of a request, and rows that the server read for each row it returned (`Handler_read`).
 */
import { createRequire } from 'node:module'
import type { Connection, RowDataPacket } from 'mysql2/promise'
import { openSite, password } from '../web-site.ts'
import type { Node, Person, Site } from '../web-site.ts'
import type { BenchResult, Options } from './run.ts'
import { connectTo, seedAccount } from './seed.ts'
import type { Distribution, Seeded } from './seed.ts'

const small = 10_000
const rounds = 25
const pageSize = 50
const deep = 50

interface Case {
  readonly name: string
  readonly query: string
  /** For one bare statement. */
  readonly where: string
  readonly index: string
  readonly order?: string
}

const open = "c.status = 'open'"

/** What the browser narrows its list to. */
function casesOf({ channels, users, teams, labels }: Seeded): Case[] {
  const [channel = '', user = '', team = '', label = ''] = [channels[1], users[3], teams[2], labels[4]]
  const labelled = (kind: number, mark: string) =>
    `exists (select 1 from conversation_marks m where m.account_id = c.account_id and m.conversation_id = c.id and m.kind = ${String(kind)} and m.mark = '${mark}')`
  return [
    { name: 'open', query: 'status=open', where: open, index: 'by_status' },
    { name: 'resolved', query: 'status=resolved', where: "c.status = 'resolved'", index: 'by_status' },
    { name: 'all', query: '', where: "c.status in ('open', 'pending', 'snoozed', 'resolved')", index: 'bare' },
    { name: 'mine', query: `status=open&assignee=${user}`, where: `${open} and c.assignee_id = '${user}'`, index: 'by_assignee' },
    { name: 'mine, any status', query: `assignee=${user}`, where: `c.assignee_id = '${user}'`, index: 'bare' },
    { name: 'unassigned', query: 'status=open&view=unassigned', where: `${open} and c.assignee_id is null`, index: 'by_assignee' },
    { name: 'team', query: `status=open&team=${team}`, where: `${open} and c.team_id = '${team}'`, index: 'by_team' },
    { name: 'unassigned of a team', query: `status=open&assignee=none&team=${team}`, where: `${open} and c.assignee_id is null and c.team_id = '${team}'`, index: 'by_team' },
    { name: 'channel', query: `status=open,pending&channel_id=${channel}`, where: `c.status in ('open', 'pending') and c.channel_id = '${channel}'`, index: 'by_channel' },
    { name: 'unassigned of a channel', query: `status=open&assignee=none&channel_id=${channel}`, where: `${open} and c.assignee_id is null and c.channel_id = '${channel}'`, index: 'by_channel' },
    { name: 'label', query: `label=${label}`, where: labelled(1, label), index: 'bare' },
    { name: 'open with a label', query: `status=open&label=${label}`, where: `${open} and ${labelled(1, label)}`, index: 'by_status' },
    { name: 'urgent', query: 'status=open&priority=urgent', where: `${open} and c.priority = 3`, index: 'by_status' },
    { name: 'unanswered comments', query: `status=open&kind=public&unanswered=true`, where: `${open} and c.visibility = 'public' and c.waiting_since is not null`, index: 'by_status' },
    { name: 'the longest waiting', query: 'status=open&sort=waiting', where: `${open} and c.waiting_since is not null`, index: 'by_waiting', order: 'c.waiting_since, c.id' },
    { name: 'the most urgent', query: 'status=open&sort=priority', where: open, index: 'by_status', order: 'c.priority desc, c.last_activity_at desc, c.id desc' },
  ] // prettier-ignore
}

/** Statements of this process, as they go to the server. */
const sent: { sql: string; values: unknown[] }[] = []
function listen(): void {
  const mysql = createRequire(import.meta.url)('mysql2') as { Connection: { prototype: object } }
  for (
    let proto: object | null = mysql.Connection.prototype;
    proto !== null;
    proto = Object.getPrototypeOf(proto) as object | null
  )
    for (const name of ['execute', 'query'] as const) {
      const real: unknown = Object.getOwnPropertyDescriptor(proto, name)?.value
      if (typeof real !== 'function') continue
      Object.defineProperty(proto, name, {
        value(this: unknown, sql: unknown, values: unknown, ...rest: unknown[]) {
          if (typeof sql === 'string') sent.push({ sql, values: Array.isArray(values) ? values : [] })
          return Reflect.apply(real, this, [sql, values, ...rest]) as unknown
        },
      })
    }
}

interface Measured {
  readonly name: string
  readonly page: number
  readonly rows: number
  readonly p50: number
  readonly p95: number
  readonly raw: number
  readonly times: number
  readonly statements: number
  readonly readOfEach: number
}

export async function run(options: Options): Promise<BenchResult> {
  const { conversations = 100_000, messages = 3 } = options
  listen()
  const sizes = [small, conversations]
  const all = new Map<number, { half: Measured[]; old: Measured[] }>()
  const loads: unknown[] = []
  for (const size of sizes) {
    const site = await openSite({ PARLEY_REPLICA_URLS: '' })
    try {
      const node = await site.addNode()
      const half = await seedAccount(site, site.ana, 'half', size, messages)
      const old = await seedAccount(site, site.zoe, 'old', size, messages)
      loads.push({ size, messages, half: half.rows, old: old.rows, seconds: half.seconds + old.seconds })
      const of = (person: Person, seeded: Seeded, name: Distribution) =>
        measureAll(site, node, person, seeded, `${name} ${String(size)}`)
      all.set(size, { half: await of(site.ana, half, 'half'), old: await of(site.zoe, old, 'old') })
    } finally {
      await site.close()
    }
  }
  const at = (size: number): Measured[] => Object.values(all.get(size) ?? {}).flat()
  const worst = at(conversations).reduce((a, b) => (b.times > a.times ? b : a))
  const sorted = at(conversations)
    .map(({ times }) => times)
    .sort((a, b) => a - b)
  const median = (list: readonly number[]): number => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)] ?? 0
  const growth = at(conversations).flatMap((each, index) => {
    const before = at(small)[index]
    // Too little is there at the small size to be compared.
    return before === undefined || before.rows < each.rows / 2
      ? []
      : [{ name: `${each.name}, page ${String(each.page)}`, times: each.p95 / Math.max(0.01, before.p95) }]
  })
  return {
    name: 'list',
    ours: median(at(conversations).map(({ p50 }) => p50)),
    limit: median(at(conversations).map(({ raw }) => raw)),
    ratio: Number((1 / (sorted[Math.floor(sorted.length / 2)] ?? 1)).toFixed(3)),
    unit: 'ms, p50',
    runs: rounds,
    loads,
    times: { median: sorted[Math.floor(sorted.length / 2)], worst: worst.times, worstAt: `${worst.name}, page ${String(worst.page)}` },
    growthOfP95: { median: Number(median(growth.map(({ times }) => times)).toFixed(2)), worst: growth.toSorted((a, b) => b.times - a.times)[0] },
    statements: Math.max(...at(conversations).map(({ statements }) => statements)),
    readOfEach: at(conversations).toSorted((a, b) => b.readOfEach - a.readOfEach).slice(0, 4).map(({ name, page, readOfEach, rows }) => ({ name, page, readOfEach, rows })),
  } // prettier-ignore
}

async function measureAll(site: Site, node: Node, person: Person, seeded: Seeded, title: string): Promise<Measured[]> {
  const raw = await connectTo(site)
  const cookie = await signIn(node, person)
  const get = async (path: string) => {
    const response = await fetch(`${node.url}/api/v1${path}`, { headers: { cookie } })
    const json = (await response.json()) as { items: { id: string }[]; next_cursor: string | null }
    if (response.status !== 200) throw new Error(`${path}: ${JSON.stringify(json)}`)
    return json
  }
  const results: Measured[] = []
  for (const one of casesOf(seeded)) {
    const base = `/conversations?limit=${String(pageSize)}${one.query === '' ? '' : `&${one.query}`}`
    let cursor: string | null = null
    let reached = 1
    let page = await get(base)
    for (; reached < deep && page.next_cursor !== null; reached++) {
      cursor = page.next_cursor
      page = await get(`${base}&cursor=${cursor}`)
    }
    for (const [number, path] of [[1, base], [reached, `${base}${cursor === null ? '' : `&cursor=${cursor}`}`]] as const) {
      if (number === 1 && results.at(-1)?.name === one.name) break
      results.push(await measure(raw, person, one, number, () => get(path)))
    }
  } // prettier-ignore
  const first = (await get('/conversations?limit=1&status=open')).items[0]?.id ?? ''
  const opened: Case = { name: 'one opened', query: '', where: `c.id = '${first}'`, index: 'primary' }
  results.push(await measure(raw, person, opened, 1, async () => {
    await get(`/conversations/${first}`)
    return { items: [{ id: first }], next_cursor: null }
  })) // prettier-ignore
  await raw.end()
  for (const each of results) console.log(title.padEnd(14), JSON.stringify(each))
  return results
}

async function measure(
  raw: Connection,
  { accountId }: Person,
  one: Case,
  page: number,
  ask: () => Promise<{ items: { id: string }[] }>,
): Promise<Measured> {
  const { items } = await ask()
  const bare = bareOf(one, accountId, items.map(({ id }) => id)) // prettier-ignore
  const [ours, limit]: [number[], number[]] = [[], []]
  for (let round = 0; round < rounds; round++) {
    const startedAt = performance.now()
    await ask()
    const between = performance.now()
    await raw.execute(bare.sql)
    limit.push(performance.now() - between)
    ours.push(between - startedAt)
  }
  sent.length = 0
  await ask()
  const mine = sent.filter(({ sql }) => /^\s*(select|set statement)/i.test(sql) && !sql.includes('@@') && !/from (occurrences|leases|events|relay)/.test(sql)) // prettier-ignore
  const list = mine.find(({ sql }) => sql.includes(') page'))
  const statements = mine.length
  const read = list === undefined ? 0 : await rowsRead(raw, list)
  const at = (times: number[], share: number): number =>
    Number(([...times].sort((a, b) => a - b)[Math.floor(times.length * share)] ?? 0).toFixed(2))
  return {
    ...{ name: one.name, page, rows: items.length, p50: at(ours, 0.5), p95: at(ours, 0.95), raw: at(limit, 0.5) },
    times: Number((at(ours, 0.5) / Math.max(0.01, at(limit, 0.5))).toFixed(1)),
    statements,
    readOfEach: Number((read / Math.max(1, items.length)).toFixed(1)),
  }
}

/** The same rows by one statement: on the index that is made for it, or, where a page needs several ranges of it, by their ids. */
function bareOf({ where, index, order }: Case, accountId: string, ids: readonly string[]): { sql: string } {
  const columns = 'c.*'
  const by = order ?? 'c.last_activity_at desc, c.id desc'
  const isDirect = index !== 'bare' && index !== 'primary'
  const from = `conversations c ${isDirect ? `force index (${index})` : ''}`
  // The page begins where it begins.
  const only = isDirect && order === undefined ? ` and c.last_activity_at <= (select last_activity_at from conversations where id = '${ids[0] ?? ''}')` : ` and c.id in (${ids.map((id) => `'${id}'`).join(', ') || 'null'})` // prettier-ignore
  return {
    sql: `select ${columns} from ${from} where c.account_id = '${accountId}' and ${where}${only} order by ${by} limit ${String(pageSize + 1)}`,
  }
}

/** Rows of tables and entries of indexes that the server reads for this statement, without its own temporary tables. */
async function rowsRead(raw: Connection, { sql, values }: { sql: string; values: unknown[] }): Promise<number> {
  await raw.query('flush status')
  await raw.query(sql, values)
  const [rows] = await raw.query<RowDataPacket[]>("show session status like 'Handler_read%'")
  const of = (name: string): number => Number(rows.find((row) => row['Variable_name'] === name)?.['Value'] ?? 0)
  return of('Handler_read_key') + of('Handler_read_next') + of('Handler_read_prev') + of('Handler_read_first')
}

async function signIn(node: Node, { email }: Person): Promise<string> {
  const response = await fetch(`${node.url}/api/v1/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email, password }),
  })
  const cookie = response.headers.getSetCookie()[0]?.split(';')[0]
  if (response.status >= 300 || cookie === undefined) throw new Error(`not signed in: ${String(response.status)}`)
  return cookie
}
