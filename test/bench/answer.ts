/**
 * A reply through the API, from the call to its answer, against one bare transaction that writes the same rows: one client in turn,
 * then eight at once; at 10,000 conversations and at many.
 */
import mysql from 'mysql2/promise'
import type { Pool, RowDataPacket } from 'mysql2/promise'
import { newId } from '../../infra/ids.ts'
import { openSite } from '../web-site.ts'
import type { Site } from '../web-site.ts'
import type { BenchResult, Options } from './run.ts'
import { connectTo, seedAccount } from './seed.ts'

const small = 10_000
const turns = 300
const clients = 8
const secondsAtOnce = 4
const used = 400

interface Round {
  readonly p50: number
  readonly raw: number
  readonly perSecond: number
  readonly rawPerSecond: number
}

/** `ratio` is that of eight clients; `times` that of one. */
export async function run(options: Options): Promise<BenchResult> {
  const { conversations = 100_000, messages = 3 } = options
  const [before, after] = [await measure(small, messages), await measure(conversations, messages)]
  const times = (round: Round): number => Number((round.p50 / round.raw).toFixed(2))
  return {
    ...{ name: 'answer', ours: Math.round(after.perSecond), limit: Math.round(after.rawPerSecond) },
    ratio: Number((after.perSecond / after.rawPerSecond).toFixed(3)),
    ...{ unit: `replies/s by ${String(clients)} clients`, runs: 1, conversations },
    oneClient: { p50: after.p50, raw: after.raw, times: times(after) },
    at10k: { p50: before.p50, raw: before.raw, times: times(before), ratio: Number((before.perSecond / before.rawPerSecond).toFixed(3)) }, // prettier-ignore
  }
}

async function measure(conversations: number, messages: number): Promise<Round> {
  const site = await openSite({ PARLEY_REPLICA_URLS: '' })
  const pool = mysql.createPool({ uri: site.config.primaryUrl?.reveal() ?? '', connectionLimit: clients })
  try {
    const node = await site.addNode()
    await seedAccount(site, site.ana, 'half', conversations, messages)
    const ids = await openWindows(site)
    const ours = async (n: number): Promise<void> => {
      const body = { kind: 'reply', text: `At 9:40, from platform ${String(n)}.` }
      const answer = await node.ask(site.ana, 'POST', `/conversations/${ids[n % ids.length] ?? ''}/messages`, body)
      if (answer.status !== 201) throw new Error(`a reply was refused: ${JSON.stringify(answer.json)}`)
    }
    const raw = (n: number): Promise<void> => write(pool, site.ana.accountId, ids[n % ids.length] ?? '', n)
    for (let n = 0; n < 60; n++) await Promise.all([ours(n), raw(n + used / 2)])
    const [mine, bare]: [number[], number[]] = [[], []]
    for (let n = 0; n < turns; n++) {
      mine.push(await timed(() => ours(n)))
      bare.push(await timed(() => raw(n)))
    }
    const at = (times: number[]): number =>
      Number(([...times].sort((a, b) => a - b)[times.length >> 1] ?? 0).toFixed(2))
    const [first, second] = [await together(raw), await together(ours)]
    const [third, fourth] = [await together(raw), await together(ours)]
    return { p50: at(mine), raw: at(bare), rawPerSecond: (first + third) / 2, perSecond: (second + fourth) / 2 }
  } finally {
    await pool.end()
    await site.close()
  }
}

async function timed(work: () => Promise<void>): Promise<number> {
  const startedAt = performance.now()
  await work()
  return performance.now() - startedAt
}

/** How many in a second, by several clients with conversations of their own. */
async function together(work: (n: number) => Promise<void>): Promise<number> {
  const end = performance.now() + secondsAtOnce * 1000
  let count = 0
  await Promise.all(
    Array.from({ length: clients }, async (_, client) => {
      for (let n = client; performance.now() < end; n += clients, count++) await work(n)
    }),
  )
  return count / secondsAtOnce
}

/** Conversations in which the contact has written just now. */
async function openWindows(site: Site): Promise<string[]> {
  const connection = await connectTo(site)
  const [rows] = await connection.query<RowDataPacket[]>(
    `select c.id from conversations c join channels h on h.id = c.channel_id and h.external_id = '100001'
     where c.account_id = ? and c.visibility = 'direct' and c.status = 'open' limit ?`,
    [site.ana.accountId, used],
  )
  const ids = rows.map((row) => String(row['id']))
  await connection.query('update conversations set last_inbound_at = utc_timestamp(3) where id in (?)', [ids])
  await connection.end()
  return ids
}

/** The rows of a reply and nothing else. */
async function write(pool: Pool, accountId: string, conversationId: string, n: number): Promise<void> {
  const connection = await pool.getConnection()
  try {
    const [messageId, now, text] = [newId(), new Date(), `At 9:40, from platform ${String(n)}.`]
    await connection.query('start transaction')
    const [[row]] = await connection.execute<RowDataPacket[]>(
      'select channel_id, delivery_seq from conversations where id = ? for update',
      [conversationId],
    )
    const channelId = String(row?.['channel_id'])
    const seq = Number(row?.['delivery_seq']) + 1
    await connection.execute('update conversations set delivery_seq = ?, preview = ?, last_activity_at = ?, waiting_since = null, updated_at = ? where id = ?', [seq, text, now, now, conversationId]) // prettier-ignore
    await connection.execute("insert into messages (id, account_id, channel_id, conversation_id, direction, kind, visibility, text, occurred_at, received_at) values (?, ?, ?, ?, 'outbound', 'reply', 'direct', ?, ?, ?)", [messageId, accountId, channelId, conversationId, text, now, now]) // prettier-ignore
    const deliveryId = newId()
    await connection.execute("insert into deliveries (id, account_id, channel_id, conversation_id, message_id, seq, state, created_at, updated_at) values (?, ?, ?, ?, ?, ?, 'queued', ?, ?)", [deliveryId, accountId, channelId, conversationId, messageId, seq, now, now]) // prettier-ignore
    await connection.execute("insert into outbox (account_id, type, data, at) values (?, 'message.queued', ?, ?)", [accountId, JSON.stringify({ conversation_id: conversationId, message_id: messageId, channel_id: channelId, delivery_id: deliveryId, by: null }), now]) // prettier-ignore
    await connection.query('commit')
  } finally {
    connection.release()
  }
}
