/**
 * Signed webhook to 200. Ours: the door of a real web node. The limit: a bare node:http server that verifies the HMAC and
 * awaits the same durable publish. Each in its own process, the load in a third, interleaved A, B, A, B ... Medians.
 */
import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { createApp } from '../../backend/networks.ts'
import { readConfig } from '../../infra/config.ts'
import type { Config } from '../../infra/config.ts'
import { silentLogger } from '../../infra/logger.ts'
import { openBroker } from '../../messaging/broker/broker.ts'
import { migrate, openStorage } from '../../storage/index.ts'
import type { LoadAnswer, LoadOrder } from './webhook-load.ts'

export interface WebhookFigure {
  readonly name: string
  readonly ours: number
  readonly limit: number
  readonly ratio: number
  readonly unit: string
  readonly runs: number
  readonly ours_p99_ms: number
  readonly limit_p99_ms: number
  readonly [detail: string]: unknown
}

const secret = 'bench-secret'
const connections = 64
const bytes = 700

/** @param options.rounds pairs of runs @param options.ms length of one run */
export async function run(options: { rounds?: number; ms?: number } = {}): Promise<WebhookFigure> {
  const { rounds = 9, ms = 2_000 } = options
  const prefix = `bench${String(process.pid)}_`
  const environment = {
    ...process.env,
    PARLEY_PREFIX: prefix,
    PARLEY_LOG_LEVEL: 'warn',
    PARLEY_DRAIN_MS: '0',
    NODE_ENV: 'production',
  }
  const config = readConfig(environment)
  await migrate(config, silentLogger)
  const storage = await openStorage(config, silentLogger)
  const children: ChildProcess[] = []
  try {
    const account = await storage.write((tx) => storage.accounts.create(tx, 'Bench'))
    const appId = await createApp(storage, config, account.id, { network: 'meta', name: 'Bench', secrets: [secret] })
    const app = await storage.apps.get(storage.primary, account.id, appId)
    const path = `/webhooks/${app?.webhookKey ?? ''}`
    const [webPort, barePort] = [await freePort(), await freePort()]
    const web = fork(fileURLToPath(new URL('../../infra/bin/parley.ts', import.meta.url)), ['run', 'web'], {
      env: {
        ...environment,
        PARLEY_NODE: 'bench-web',
        PARLEY_LISTEN_HOST: '127.0.0.1',
        PARLEY_LISTEN_PORT: String(webPort),
      },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    const bare = fork(
      fileURLToPath(new URL('./webhook-bare.ts', import.meta.url)),
      [String(barePort), secret, appId, account.id],
      {
        env: { ...environment, PARLEY_NODE: 'bench-bare' },
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      },
    )
    const load = fork(fileURLToPath(new URL('./webhook-load.ts', import.meta.url)), {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    children.push(web, bare, load)
    await Promise.all([waitFor(webPort), waitFor(barePort)])

    const measure = async (port: number, runMs: number): Promise<LoadAnswer> => {
      const order: LoadOrder = { port, path, secret, connections, bytes, ms: runMs }
      load.send(order)
      const [answer] = (await once(load, 'message')) as [LoadAnswer]
      if (answer.bad > 0 || answer.good === 0)
        throw new Error(`${String(answer.bad)} requests were not answered by 200, ${String(answer.good)} were`)
      await emptyQueue(config)
      return answer
    }
    await measure(webPort, 1_500)
    await measure(barePort, 1_500)
    const ours: LoadAnswer[] = []
    const limit: LoadAnswer[] = []
    for (let round = 0; round < rounds; round++) {
      ours.push(await measure(webPort, ms))
      limit.push(await measure(barePort, ms))
    }
    const rate = (answers: readonly LoadAnswer[]): number =>
      median(answers.map(({ good, ms: took }) => (good / took) * 1000))
    const ratios = ours.map(
      (answer, index) => answer.good / answer.ms / ((limit[index]?.good ?? Number.NaN) / (limit[index]?.ms ?? 1)),
    )
    return {
      name: 'webhook',
      ours: Math.round(rate(ours)),
      limit: Math.round(rate(limit)),
      // Of neighbours in time, so that a noisy minute of the machine counts against both.
      ratio: Math.round(median(ratios) * 1000) / 1000,
      unit: 'requests/s',
      runs: rounds,
      ours_p99_ms: Math.round(median(ours.map(({ p99Ms }) => p99Ms)) * 10) / 10,
      limit_p99_ms: Math.round(median(limit.map(({ p99Ms }) => p99Ms)) * 10) / 10,
    }
  } finally {
    await Promise.all(children.map((child) => end(child)))
    await storage.close()
  }
}

/** Takes everything out again, so that each run finds the broker as the one before did. */
async function emptyQueue(config: Config): Promise<void> {
  const broker = openBroker({ ...config, node: 'bench-drain' }, silentLogger)
  let lastAt = Date.now() + 700
  const consumer = broker.consume('inbound', { credit: 500 }, (message) => {
    lastAt = Date.now()
    message.accept()
  })
  while (Date.now() - lastAt < 300) await sleep(50)
  await consumer.stop()
  await broker.close()
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  return typeof address === 'object' && address !== null ? address.port : 0
}

async function waitFor(port: number): Promise<void> {
  const until = Date.now() + 20_000
  while (Date.now() < until) {
    if (
      await fetch(`http://127.0.0.1:${String(port)}/health/live`).then(
        () => true,
        () => false,
      )
    )
      return
    await sleep(100)
  }
  throw new Error(`nothing answers on port ${String(port)}`)
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
