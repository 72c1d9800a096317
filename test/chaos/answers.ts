/**
 * Replies over many conversations on all networks, while nodes, broker, primary and networks are killed, paused or play
 * false. The sandbox's ledger, what customers really saw, is the judge: nothing lost, nothing twice, nothing out of order;
 * what nobody can know is shown as unknown. As a command: `node test/chaos/answers.ts --replies=20000 --conversations=500
 * --troubles=40 --seed=N`, or `npm run bench -- answers`.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { z } from 'zod'
import { startCluster } from '../../infra/cluster/cluster.ts'
import type { Cluster } from '../../infra/cluster/cluster.ts'
import { readConfig } from '../../infra/config.ts'
import { silentLogger } from '../../infra/logger.ts'
import { queueNames } from '../../messaging/broker/queues.ts'
import { openStorage } from '../../storage/index.ts'
import type { Storage } from '../../storage/index.ts'
import type { BenchResult } from '../bench/run.ts'
import { seeded } from './replay-events.ts'
import { signIn } from './replay.ts'
import type { Agent } from './traffic.ts'

export interface AnswersOptions {
  readonly replies: number
  readonly conversations: number
  readonly troubles: number
  readonly seed: number
  readonly troubleEveryMs: number
  readonly log?: (line: string) => void
}

/** What the counts must be: `lost`, `twice` and `outOfOrder` none; `accepted` = `seenOnce` + `unknown` + `failed`. */
export interface AnswersTally {
  readonly accepted: number
  readonly seenOnce: number
  readonly lost: number
  readonly twice: number
  readonly outOfOrder: number
  /** Left to a person, who sees them as such; of these so many were seen by the customer. */
  readonly unknown: number
  readonly unknownSeen: number
  readonly failed: number
  /** Attempts whose outcome was unknown at first, and was settled without a person. */
  readonly settled: number
  readonly troubles: Readonly<Record<string, number>>
  readonly seconds: number
}

const writers = 24
const networks = ['meta', 'x'] as const
const killable = [
  'messaging-1',
  'messaging-2',
  'web-1',
  'web-2',
  'broker',
  'db-primary',
  'db-replica',
  'memcached-1',
] as const

export async function answerAll(options: AnswersOptions): Promise<AnswersTally> {
  const home = await mkdtemp(join(tmpdir(), 'parley-answers-'))
  const cluster = await startCluster(home, { queues: queueNames, port: 0, demo: true })
  const storage = await openStorage(readConfig({ ...cluster.env, PARLEY_NODE: 'answers' }), silentLogger)
  try {
    return await answerOn(cluster, storage, options)
  } finally {
    await storage.close()
    await cluster.stop()
    await rm(home, { recursive: true, force: true })
  }
}

async function answerOn(cluster: Cluster, storage: Storage, options: AnswersOptions): Promise<AnswersTally> {
  const log = options.log ?? (() => undefined)
  const random = seeded(options.seed)
  const control = controlOf(cluster.env['PARLEY_SANDBOX_URL'] ?? '')
  const agent = await signIn(cluster)
  // What customers write back is not counted here, and receipts are half of all traffic.
  await control('PUT', 'settings', { receipts: false })
  const conversations = await openConversations(agent, control, storage, options.conversations)
  log(
    `seed ${String(options.seed)}: ${String(options.replies)} replies over ${String(conversations.length)} conversations`,
  )

  const startedAt = performance.now()
  const over = new AbortController()
  const troubles: Record<string, number> = {}
  const causing = causeTrouble(cluster, control, options, random, troubles, over.signal, log)
  const accepted = await replyToAll(agent, conversations, options.replies, random)
  log(`all ${String(accepted.length)} were accepted after ${seconds(startedAt)} s`)
  over.abort()
  await causing
  await control('DELETE', 'faults')
  await untilSettled(storage, log)
  return { ...(await judge(storage, control, accepted)), troubles, seconds: Number(seconds(startedAt)) }
}

const seconds = (since: number): string => ((performance.now() - since) / 1000).toFixed(1)

export type Control = (method: string, path: string, body?: unknown) => Promise<unknown>

export const controlOf =
  (sandbox: string): Control =>
  async (method, path, body) => {
    const response = await fetch(`${sandbox}/control/${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(60_000),
    })
    if (!response.ok) throw new Error(`sandbox ${path} answered ${String(response.status)}: ${await response.text()}`)
    return response.status === 204 ? undefined : response.json()
  }

/** One person each, spread over all channels; the ids of their conversations. */
export async function openConversations(
  agent: Agent,
  control: Control,
  storage: Storage,
  count: number,
): Promise<string[]> {
  const { channels } = z
    .object({ channels: z.array(z.object({ external_id: z.string(), type: z.string() })) })
    .parse(await control('GET', 'world'))
  for (let n = 0; n < count; n++) {
    const channel = channels[n % channels.length]
    if (channel === undefined) throw new Error('the sandbox has no channels')
    const person = { id: `77${String(10_000_000 + n)}`, name: `Asker ${String(n)}`, handle: `asker${String(n)}` }
    await control('POST', 'say', {
      type: channel.type,
      channel: channel.external_id,
      person,
      text: `Question ${String(n)}`,
    })
  }
  for (;;) {
    const rows = await storage.primary.query<{ id: string }>(
      `select distinct m.conversation_id id from messages m where m.text like 'Question %' order by 1`,
    )
    if (rows.length >= count && (await agent.call('GET', '/conversations?limit=1')).status === 200)
      return rows.map(({ id }) => id)
    await sleep(250)
  }
}

interface Accepted {
  readonly text: string
  readonly messageId: string
  readonly conversationId: string
}

/** Each writer has conversations of its own, so that the order of acceptance within one is known. */
async function replyToAll(
  agent: Agent,
  conversations: readonly string[],
  replies: number,
  random: () => number,
): Promise<Accepted[]> {
  const accepted: Accepted[] = []
  let next = 0
  const write = async (own: readonly string[]): Promise<void> => {
    for (let n = next++; n < replies; n = next++) {
      const conversationId = own[Math.floor(random() * own.length)] ?? ''
      const text = `Answer ${String(n)}`
      accepted.push({ text, conversationId, messageId: await reply(agent, conversationId, text) })
    }
  }
  const shares = Array.from({ length: Math.min(writers, conversations.length) }, (_, writer) =>
    conversations.filter((__, index) => index % writers === writer),
  )
  await Promise.all(shares.map(write))
  return accepted
}

/** As a browser does whose connection breaks: under one key, until somebody acknowledges it. */
async function reply(agent: Agent, conversationId: string, text: string): Promise<string> {
  const end = Date.now() + 120_000
  while (Date.now() < end) {
    const answer = await agent
      .call(
        'POST',
        `/conversations/${conversationId}/messages`,
        { kind: 'reply', text },
        { 'idempotency-key': text.replace(' ', '-') },
      )
      .catch(() => undefined)
    if (answer?.status === 201) return z.object({ id: z.string() }).parse(answer.json).id
    if (answer !== undefined && answer.status < 500 && answer.status !== 409 && answer.status !== 429)
      throw new Error(`a reply was refused: ${String(answer.status)} ${JSON.stringify(answer.json)}`)
    await sleep(200)
  }
  throw new Error(`nobody took "${text}" within two minutes`)
}

/** One trouble after the other, by chance; the next begins while the last one may still last. */
async function causeTrouble(
  cluster: Cluster,
  control: Control,
  { troubles, troubleEveryMs }: AnswersOptions,
  random: () => number,
  caused: Record<string, number>,
  signal: AbortSignal,
  log: (line: string) => void,
): Promise<void> {
  const one = <T>(list: readonly T[]): T => {
    const found = list[Math.floor(random() * list.length)]
    if (found === undefined) throw new Error('an empty list')
    return found
  }
  const fault = (name: string, more: object = {}) =>
    control('POST', 'faults', { fault: name, network: one(networks), ...more }).then(
      () => undefined,
      () => undefined,
    )
  const lasting: Promise<unknown>[] = []
  const kinds: Readonly<Record<string, () => Promise<unknown>>> = {
    kill: () => {
      cluster.kill(one(killable), 'SIGKILL')
      return Promise.resolve()
    },
    // Longer than a lane lives: another node takes over, and the first wakes up in the middle of its work.
    pause: async () => {
      const victim = one(['messaging-1', 'messaging-2', 'web-1', 'db-primary'] as const)
      cluster.pause(victim)
      await sleep(victim === 'db-primary' ? 4_000 : 13_000)
      cluster.resume(victim)
    },
    drop_answer: () => fault('drop_answer', { count: 5 }),
    delay_answer: () => fault('delay_answer', { count: 3, ms: 18_000 }),
    refuse: () => fault('refuse_code', { count: 5, code: 613 }),
    echo_first: () => fault('echo_first', { count: 50 }),
    echo_none: () => fault('echo_none', { count: 20 }),
    network_off: async () => {
      await fault('network_off')
      await sleep(4_000)
      for (const network of networks) await control('POST', 'faults', { fault: 'network_off', network, count: 0 })
    },
  }
  for (let n = 0; n < troubles; n++) {
    await sleep(troubleEveryMs, undefined, { signal }).catch(() => undefined)
    if (signal.aborted) break
    const name = one(['kill', 'kill', 'kill', ...Object.keys(kinds)])
    caused[name] = (caused[name] ?? 0) + 1
    log(`trouble: ${name}`)
    lasting.push(kinds[name]?.() ?? Promise.resolve())
  }
  await Promise.all(lasting)
}

/** Until nothing is under way: every delivery was sent, has failed, or waits for a person. */
async function untilSettled(storage: Storage, log: (line: string) => void): Promise<void> {
  const end = Date.now() + 300_000
  let last = -1
  while (Date.now() < end) {
    await sleep(1_000)
    const row = await storage.primary
      .first<{ open: number }>(
        `select count(*) open from deliveries where state in ('queued', 'sending', 'retrying') or (state = 'unknown' and next_attempt_at is not null)`,
      )
      .catch(() => undefined)
    if (row === undefined) continue
    if (row.open === 0) return
    if (row.open !== last) log(`under way: ${String(row.open)}`)
    last = row.open
  }
  throw new Error('not everything was settled within five minutes')
}

async function judge(
  storage: Storage,
  control: Control,
  accepted: readonly Accepted[],
): Promise<Omit<AnswersTally, 'troubles' | 'seconds'>> {
  const { items } = z
    .object({ items: z.array(z.object({ text: z.string(), channel: z.string(), person: z.string() })) })
    .parse(await control('GET', 'ledger'))
  const seen = items.filter(({ text }) => text.startsWith('Answer '))
  const times = new Map<string, number>()
  for (const { text } of seen) times.set(text, (times.get(text) ?? 0) + 1)
  const rows = await storage.primary.query<{ messageId: string; state: string; settled: number }>(
    `select d.message_id messageId, d.state,
       (d.state in ('sent', 'delivered', 'read') and exists (select 1 from attempts a where a.delivery_id = d.id and a.outcome = 'unknown')) settled
     from deliveries d`,
  )
  const states = new Map(rows.map((row) => [row.messageId, row]))
  const stateOf = ({ messageId }: Accepted): string => states.get(messageId)?.state ?? 'gone'
  const isSeen = ({ text }: Accepted): boolean => times.has(text)
  const unknown = accepted.filter((one) => stateOf(one) === 'unknown')
  return {
    accepted: accepted.length,
    seenOnce: [...times.values()].filter((each) => each === 1).length,
    lost: accepted.filter((one) => !isSeen(one) && !['unknown', 'failed'].includes(stateOf(one))).length,
    twice: [...times.values()].filter((each) => each > 1).length,
    outOfOrder: countOutOfOrder(seen, accepted),
    unknown: unknown.length,
    unknownSeen: unknown.filter(isSeen).length,
    failed: accepted.filter((one) => stateOf(one) === 'failed').length,
    settled: rows.filter(({ settled }) => settled === 1).length,
  }
}

/** A customer must see the answers in the order in which they were accepted. */
function countOutOfOrder(
  seen: readonly { readonly text: string; readonly channel: string; readonly person: string }[],
  accepted: readonly Accepted[],
): number {
  const places = new Map<string, number>()
  const counts = new Map<string, number>()
  for (const { text, conversationId } of accepted) {
    const place = (counts.get(conversationId) ?? 0) + 1
    counts.set(conversationId, place)
    places.set(text, place)
  }
  const last = new Map<string, number>()
  let crossed = 0
  for (const { text, channel, person } of seen) {
    const place = places.get(text) ?? 0
    if (place < (last.get(`${channel} ${person}`) ?? 0)) crossed += 1
    last.set(`${channel} ${person}`, place)
  }
  return crossed
}

const longForm: AnswersOptions = {
  replies: 20_000,
  conversations: 500,
  troubles: 60,
  seed: Date.now() % 1_000_000,
  troubleEveryMs: 5_000,
  log: (line) => {
    console.log(line)
  },
}

/** The long form with its defaults, for `npm run bench -- answers`: of what was accepted, how much was seen once. */
export async function run(): Promise<BenchResult> {
  const { accepted, seenOnce, ...rest } = await answerAll(longForm)
  const ratio = Number((seenOnce / accepted).toFixed(4))
  return { name: 'answers', ours: seenOnce, limit: accepted, ratio, unit: 'replies', runs: 1, ...rest }
}

if (import.meta.main) {
  const asked = { replies: { type: 'string' }, conversations: { type: 'string' }, troubles: { type: 'string' }, seed: { type: 'string' } } as const // prettier-ignore
  const { values } = parseArgs({ options: asked })
  const numbers = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, Number(value)]))
  const tally = await answerAll({ ...longForm, ...numbers })
  console.log(JSON.stringify(tally))
  process.exitCode = tally.lost + tally.twice + tally.outOfOrder === 0 ? 0 : 1
}
