/**
 * `search --messages=N`: searches over HTTP, of five kinds, against the query that one writes by hand with the full-text index of
 * the same table: its words with `+`, phrases in quotes, the account, the best twenty. Words are drawn as languages have them: few
 * are everywhere, most are rare. One database server without a replica, one client.
 */
import mysql from 'mysql2/promise'
import type { Connection, RowDataPacket } from 'mysql2/promise'
import { indexed, tagOf, termsOf } from '../../storage/model/search-terms.ts'
import { connectChannels, openSite } from '../web-site.ts'
import type { Site } from '../web-site.ts'
import type { BenchResult } from './run.ts'

const rounds = 3
const perKind = 12
const perConversation = 20
const vocabulary = 60_000
const atOnce = 2_000

/** The same sequence in every run. */
function drawing(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

/** `ratio` is limit/ours of the 95th percentile; more than 1/3 means less than three times the raw query. */
export async function run(options: { readonly messages?: number } = {}): Promise<BenchResult> {
  const messages = options.messages ?? 1_000_000
  const site = await openSite({ PARLEY_REPLICA_URLS: '' })
  try {
    const node = await site.addNode()
    const { pageId } = await connectChannels(site, site.ana.accountId)
    const connection = await mysql.createConnection({ uri: site.config.primaryUrl?.reveal() ?? '', timezone: 'Z' })
    const words = makeWords()
    const seconds = await seed(site, connection, pageId, messages, words)
    const queries = makeQueries(words)
    const ours = new Map<string, number[]>()
    const raw = new Map<string, number[]>()
    let partial = 0
    let found = 0
    for (let round = 0; round <= rounds; round++)
      for (const { kind, text } of queries) {
        const rawMs = await timed(() => rawSearch(connection, site.ana.accountId, text))
        const oursMs = await timed(async () => {
          const { status, json } = (await node.ask(site.ana, 'GET', `/search?limit=20&q=${encodeURIComponent(text)}`)) as { status: number; json: { items: unknown[]; notes: { code: string }[] } } // prettier-ignore
          if (status !== 200) throw new Error(`a search was answered ${String(status)}`)
          if (round > 0 && json.notes.some(({ code }) => code === 'partial')) partial += 1
          if (round > 0 && json.items.length > 0) found += 1
        })
        // The first round warms both.
        if (round === 0) continue
        raw.set(kind, [...(raw.get(kind) ?? []), rawMs])
        ours.set(kind, [...(ours.get(kind) ?? []), oursMs])
      }
    await connection.end()
    const [mine, bare] = [summary([...ours.values()].flat()), summary([...raw.values()].flat())]
    return {
      ...{ name: 'search', ours: mine.p95, limit: bare.p95, ratio: Number((bare.p95 / mine.p95).toFixed(3)) },
      ...{ unit: 'ms, p95', runs: rounds, messages, loadedInSeconds: seconds, searches: mine.count, found, partial },
      search: mine,
      raw: bare,
      kinds: Object.fromEntries([...ours].map(([kind, times]) => [kind, { ours: summary(times), raw: summary(raw.get(kind) ?? []) }])), // prettier-ignore
    }
  } finally {
    await site.close()
  }
}

function makeWords(): string[] {
  const draw = drawing(7)
  const syllables = [
    'ka',
    'ro',
    'mi',
    'ten',
    'lu',
    'sha',
    'bre',
    'no',
    'vi',
    'gar',
    'pel',
    'so',
    'dun',
    'ita',
    'qu',
    'ex',
  ]
  return Array.from({ length: vocabulary }, (_, n) => {
    const length = 1 + Math.floor(draw() * 3)
    return (
      Array.from({ length }, () => syllables[Math.floor(draw() * syllables.length)] ?? '').join('') + n.toString(36)
    )
  })
}

/** Of a language's words the n-th is about 1/n as frequent as the first. */
function chooser(draw: () => number): () => number {
  const sums = new Float64Array(vocabulary)
  let sum = 0
  for (let n = 0; n < vocabulary; n++) sums[n] = sum += 1 / (n + 2.7)
  return () => {
    const at = draw() * sum
    let [low, high] = [0, vocabulary - 1]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((sums[middle] ?? 0) < at) low = middle + 1
      else high = middle
    }
    return low
  }
}

async function seed(
  site: Site,
  connection: Connection,
  channelId: string,
  messages: number,
  words: readonly string[],
): Promise<number> {
  // prettier-ignore
  const beganAt = performance.now()
  const { accountId } = site.ana
  const draw = drawing(42)
  const choose = chooser(draw)
  const tag = tagOf(accountId)
  const terms = words.map((word) => termsOf(word).map(({ text }) => indexed(tag, text)).join(' ')) // prettier-ignore
  const idOf = (kind: string, n: number): string => `0190${kind}-0000-7000-8000-${n.toString(16).padStart(12, '0')}`
  await connection.query('set session sql_log_bin = 0').catch(() => undefined)
  await connection.query('set session unique_checks = 0, foreign_key_checks = 0')
  await connection.query('alter table message_search drop key by_terms')
  const conversations = Math.ceil(messages / perConversation)
  const sequence = `seq_0_to_${String(conversations - 1)}`
  const id = (kind: string) => `cast(concat('0190${kind}-0000-7000-8000-', lpad(lower(hex(seq)), 12, '0')) as uuid)`
  await connection.query(`insert into contacts (id, account_id, name, last_activity_at, is_stale, created_at, updated_at) select ${id('00c0')}, '${accountId}', concat('Person ', seq), now(3), false, now(3), now(3) from ${sequence}`) // prettier-ignore
  await connection.query(`insert into conversations (id, account_id, channel_id, contact_id, contact_address_id, visibility, thread_key, last_activity_at, created_at, updated_at)
    select ${id('0c00')}, '${accountId}', '${channelId}', ${id('00c0')}, ${id('00c0')}, 'direct', concat('t', seq), now(3), now(3), now(3) from ${sequence}`) // prettier-ignore
  const newest = Date.now() - 3_600_000
  const stepMs = Math.floor((5 * 365 * 86_400_000) / messages)
  for (let from = 0; from < messages; from += atOnce) {
    const said: unknown[][] = []
    const searched: unknown[][] = []
    for (let n = from; n < Math.min(messages, from + atOnce); n++) {
      const chosen = Array.from({ length: 3 + Math.floor(draw() * draw() * 30) }, choose)
      const conversation = Math.floor(draw() * conversations)
      const at = new Date(newest - (messages - n) * stepMs)
      said.push([idOf('0e00', n), accountId, channelId, idOf('0c00', conversation), idOf('00c0', conversation), 'inbound', 'message', 'direct', `m${String(n)}`, chosen.map((word) => words[word]).join(' '), at, at]) // prettier-ignore
      searched.push([idOf('0e00', n), accountId, idOf('0c00', conversation), channelId, at, 0, ` ${chosen.map((word) => terms[word]).join(' ')} `]) // prettier-ignore
    }
    await connection.query('insert into messages (id, account_id, channel_id, conversation_id, contact_id, direction, kind, visibility, external_id, text, occurred_at, received_at) values ?', [said]) // prettier-ignore
    await connection.query('insert into message_search (message_id, account_id, conversation_id, channel_id, occurred_at, flags, terms) values ?', [searched]) // prettier-ignore
  }
  await connection.query('alter table message_search add fulltext key by_terms (terms)')
  return Math.round((performance.now() - beganAt) / 1000)
}

interface Query {
  readonly kind: string
  readonly text: string
}

/** What agents look for: mostly names, numbers and seldom words; sometimes what is everywhere. */
function makeQueries(words: readonly string[]): Query[] {
  const draw = drawing(99)
  const word = (from: number, to: number): string => words[Math.floor(from + draw() * (to - from))] ?? ''
  const kinds: Readonly<Record<string, () => string>> = {
    seldom: () => word(5_000, vocabulary),
    usual: () => word(300, 5_000),
    'two words': () => `${word(20, 300)} ${word(1_000, 20_000)}`,
    phrase: () => `"${word(0, 50)} ${word(0, 300)}"`,
    everywhere: () => word(0, 30),
    narrowed: () => `${word(100, 5_000)} is:open channel:harbour after:2024`,
  }
  return Object.entries(kinds).flatMap(([kind, make]) =>
    Array.from({ length: perKind }, () => ({ kind, text: make() })),
  )
}

async function rawSearch(connection: Connection, accountId: string, text: string): Promise<void> {
  const tag = tagOf(accountId)
  const write = (said: string): string => termsOf(said).map((term) => indexed(tag, term.text)).join(' ') // prettier-ignore
  const quoted = /"([^"]*)"/.exec(text)?.[1]
  const bare = text.replace(/"[^"]*"|\w+:\w+/g, '')
  const against = quoted === undefined ? write(bare).split(' ').map((term) => `+${term}*`).join(' ') : `+"${write(quoted)}"` // prettier-ignore
  await connection.query<RowDataPacket[]>(
    `select message_id, match(terms) against(? in boolean mode) score from message_search
     where match(terms) against(? in boolean mode) and account_id = ? order by score desc, occurred_at desc limit 20`,
    [against, against, accountId],
  )
}

async function timed(work: () => Promise<void>): Promise<number> {
  const at = performance.now()
  await work()
  return performance.now() - at
}

function summary(times: readonly number[]) {
  const sorted = [...times].sort((a, b) => a - b)
  const at = (share: number): number => Number((sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(1))
  return { count: sorted.length, p50: at(0.5), p95: at(0.95), worst: Number((sorted.at(-1) ?? 0).toFixed(1)) }
}

if (import.meta.main) console.log(JSON.stringify(await run()))
