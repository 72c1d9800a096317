/** Occurrences due on two real backend nodes, of which one stands still for a while: how often each fired, and how late. */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { setTimeout as sleep } from 'node:timers/promises'
import { newId } from '../infra/ids.ts'
import { silentLogger } from '../infra/logger.ts'
import { openStorage } from '../storage/index.ts'
import type { Storage } from '../storage/index.ts'
import { makeDatabase } from './databases.ts'

export interface ScheduleTally {
  readonly planned: number
  /** Conversations told of exactly once (as woken, or by an answer that is queued), never, and more than once. */
  readonly once: number
  readonly never: number
  readonly twice: number
  /** Of those that were due while both nodes ran, and of all; ms. */
  readonly medianMs: number
  readonly p99Ms: number
  readonly worstMs: number
  /** How many each node fired. */
  readonly byNode: Readonly<Record<string, number>>
  readonly pausedMs: number
}

export interface ScheduleRig {
  readonly storage: Storage
  /** Plans `count` firings over `spreadMs` from `inMs` on, by turns a waking and an answer; the ids of their conversations. */
  plan(count: number, inMs: number, spreadMs: number): Promise<string[]>
  /** Both nodes, once they answer. */
  startNodes(): Promise<void>
  /** Freezes one node for so long. */
  pause(ms: number): Promise<void>
  /** Resolves when all that was planned has ended; counts. */
  tally(ids: readonly string[], limitMs: number): Promise<ScheduleTally>
  close(): Promise<void>
}

const parley = fileURLToPath(new URL('../infra/bin/parley.ts', import.meta.url))

export async function openScheduleRig(): Promise<ScheduleRig> {
  const database = await makeDatabase()
  const { config } = database
  const storage = await openStorage(config, silentLogger)
  const account = await storage.write((tx) => storage.accounts.create(tx, 'Bakery'))
  const appId = await storage.write((tx) =>
    storage.apps.create(tx, storage, {
      accountId: account.id, network: 'meta', name: 'Meta', externalId: '1', webhookKey: newId(), consumerKey: null, clientId: null,
      secrets: { secrets: ['secret'], clientSecret: null, verifyToken: null }, apiBaseUrl: null,
    }),
  ) // prettier-ignore
  const channel = await storage.write((tx) =>
    storage.channels.create(tx, storage, {
      accountId: account.id, appId, type: 'facebook', name: 'Bakery', externalId: '1', credentials: { access_token: 'token' },
      apiBaseUrl: null, tokenExpiresAt: null,
    }),
  ) // prettier-ignore
  const nodes: ChildProcess[] = []
  let pausedMs = 0
  return {
    storage,
    async plan(count, inMs, spreadMs) {
      const ids = Array.from({ length: count }, () => newId())
      const [clock] = await storage.primary.query<{ now: Date }>('select utc_timestamp(3) now')
      const from = (clock?.now.getTime() ?? Date.now()) + inMs
      const now = new Date()
      const person = newId()
      for (let at = 0; at < count; at += 500) {
        const part = ids.slice(at, at + 500)
        await storage.write(async (tx) => {
          const rows = part.map((id, index) => ({
            id,
            messageId: newId(),
            isAnswer: (at + index) % 2 === 1,
            due: new Date(from + Math.floor(((at + index) * spreadMs) / count)),
          }))
          const answers = rows.filter(({ isAnswer }) => isAnswer)
          await tx.insertMany(
            'conversations',
            ['id', 'account_id', 'channel_id', 'contact_id', 'contact_address_id', 'visibility', 'thread_key', 'status', 'last_activity_at', 'last_inbound_at', 'created_at', 'updated_at'],
            rows.map(({ id, isAnswer }) => [id, account.id, channel, person, person, 'direct', id, isAnswer ? 'open' : 'snoozed', now, now, now, now]),
          ) // prettier-ignore
          await tx.insertMany(
            'messages',
            ['id', 'account_id', 'channel_id', 'conversation_id', 'direction', 'kind', 'visibility', 'text', 'occurred_at', 'received_at'],
            answers.map(({ id, messageId, due }) => [messageId, account.id, channel, id, 'outbound', 'reply', 'direct', 'later', due, now]),
          ) // prettier-ignore
          await tx.insertMany(
            'deliveries',
            ['id', 'account_id', 'channel_id', 'conversation_id', 'message_id', 'state', 'created_at', 'updated_at'],
            answers.map(({ id, messageId }) => [newId(), account.id, channel, id, messageId, 'queued', now, now]),
          )
          await tx.insertMany(
            'occurrences',
            ['id', 'account_id', 'kind', 'subject_id', 'due_at', 'next_try_at', 'created_at'],
            rows.map(({ id, messageId, isAnswer, due }) => [
              newId(),
              account.id,
              isAnswer ? 'reply' : 'wake',
              isAnswer ? messageId : id,
              due,
              due,
              now,
            ]),
          )
        })
      }
      return ids
    },
    async startNodes() {
      for (const name of ['due-1', 'due-2']) {
        const node = spawn(process.execPath, [parley, 'run', 'backend'], {
          env: {
            ...process.env,
            PARLEY_HOME: config.home,
            PARLEY_PREFIX: config.prefix,
            PARLEY_NODE: name,
            PARLEY_PRIMARY_URL: config.primaryUrl?.reveal(),
            PARLEY_REPLICA_URLS: '',
            PARLEY_LOG_LEVEL: 'info',
            PARLEY_DEMO: '0',
          },
          stdio: ['ignore', 'ignore', 'pipe'],
        })
        nodes.push(node)
        let said = ''
        node.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()))
        const end = Date.now() + 20_000
        while (!said.includes('started')) {
          if (node.exitCode !== null || Date.now() > end) throw new Error(`the node did not start: ${said}`)
          await sleep(50)
        }
      }
    },
    async pause(ms) {
      const node = nodes[0]
      const at = performance.now()
      node?.kill('SIGSTOP')
      await sleep(ms)
      node?.kill('SIGCONT')
      pausedMs += Math.round(performance.now() - at)
    },
    async tally(ids, limitMs) {
      const end = Date.now() + limitMs
      for (;;) {
        const row = await storage.primary.first<{ n: number }>(
          "select count(*) n from occurrences where state = 'waiting'",
        )
        if (row?.n === 0) break
        if (Date.now() > end) throw new Error(`${String(row?.n)} still wait`)
        await sleep(200)
      }
      // A transaction that a frozen node had begun is over once it runs again.
      const told = await storage.primary.query<{ id: string; n: number }>(
        "select json_value(data, '$.conversation_id') id, count(*) n from outbox where type in ('conversation.changed', 'message.queued') group by 1",
      )
      const times = new Map(told.map(({ id, n }) => [id, n]))
      const fired = await storage.primary.query<{ node: string; ms: string }>(
        "select fired_by node, timestampdiff(microsecond, due_at, fired_at) / 1000 ms from occurrences where state = 'fired'",
      )
      const late = fired.map(({ ms }) => Number(ms)).sort((a, b) => a - b)
      const at = (share: number): number => Math.round(late[Math.floor((late.length - 1) * share)] ?? 0)
      return {
        planned: ids.length,
        once: ids.filter((id) => times.get(id) === 1).length,
        never: ids.filter((id) => !times.has(id)).length,
        twice: ids.filter((id) => (times.get(id) ?? 0) > 1).length,
        medianMs: at(0.5),
        p99Ms: at(0.99),
        worstMs: at(1),
        byNode: Object.fromEntries(
          [...Map.groupBy(fired, ({ node }) => node)].map(([node, list]) => [node, list.length]),
        ),
        pausedMs,
      }
    },
    async close() {
      for (const node of nodes) {
        if (node.exitCode !== null) continue
        const gone = once(node, 'exit')
        node.kill('SIGKILL')
        await gone
      }
      await storage.close()
      await database.drop()
    },
  }
}
