/** The networks' allowances are spent before they are exceeded, by all nodes together; what X charges is put down and capped. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { changeSpend, readSpending, resumeApp } from '../backend/app-spend.ts'
import { newId } from '../infra/ids.ts'
import type { Running } from '../infra/lifecycle.ts'
import { silentLogger } from '../infra/logger.ts'
import { openParking } from '../messaging/broker/parking.ts'
import { startDeliver } from '../messaging/deliver.ts'
import { startRelay } from '../messaging/events.ts'
import { startSandbox } from '../messaging/sandbox/server.ts'
import type { Sandbox } from '../messaging/sandbox/server.ts'
import { sendReply } from '../messaging/send.ts'
import { putDownReads } from '../messaging/spend.ts'
import { startSweep } from '../messaging/sweep.ts'
import { takeIn } from '../messaging/take-in.ts'
import type { Channel, Delivery } from '../storage/index.ts'
import { logger, openPlatform, until } from './platform.ts'
import type { Node, Platform } from './platform.ts'

const endpoint = 'POST /2/dm_conversations/with/:id/messages'
let home: string
let sandbox: Sandbox
let platform: Platform
let other: Node
let appId: string
let channel: Channel
let people = 0
let account = 1_400_000_000_000_000_000n
const running: Running[] = []

async function control(method: string, path: string, body?: unknown): Promise<unknown> {
  const answer = await fetch(`http://127.0.0.1:${String(sandbox.port)}/control/${path}`, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const json: unknown = await answer.json()
  if (!answer.ok) throw new Error(`${path}: ${JSON.stringify(json)}`)
  return json
}

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'sandbox-budgets-'))
  sandbox = await startSandbox({ config: { home, listen: { host: '127.0.0.1', port: 0 } }, logger: silentLogger })
  platform = await openPlatform({ apiBaseUrl: `http://127.0.0.1:${String(sandbox.port)}` })
  other = await platform.openNode('node-2')
  for (const [index, node] of [platform, other].entries()) {
    const context = { ...node, logger, holder: `budget-${String(index)}` }
    const parking = openParking(node.storage)
    running.push(startRelay(context), startDeliver(context, node.broker, parking), startSweep({ ...context, parking }))
  }
})
beforeEach(async () => {
  await control('DELETE', 'faults')
  await control('PUT', 'settings', { x_limits: 'off' })
  const externalId = String(++account)
  appId = await platform.createApp('x', 'x-secret')
  await control('PUT', 'apps', {
    network: 'x', app_id: externalId, secrets: ['x-secret'], consumer_key: 'consumer-key', webhook_url: 'http://127.0.0.1:1/x',
  }) // prettier-ignore
  await control('PUT', 'channels', {
    type: 'x', external_id: externalId, name: 'Harbour', handle: 'harbour', access_token: `token-${externalId}`,
    access_token_secret: 'token-secret', app_id: externalId,
  }) // prettier-ignore
  const id = await platform.createChannel(appId, 'x', externalId)
  const found = await platform.storage.channels.get(platform.storage.primary, platform.accountId, id)
  if (found === undefined) throw new Error('there is no channel')
  channel = found
})
afterEach(async () => {
  await control('DELETE', 'faults')
})
afterAll(async () => {
  await Promise.all(running.map((part) => part.stop()))
  await platform.close()
  await sandbox.stop()
  rmSync(home, { recursive: true })
})

/** Somebody who has just written; their conversation. */
async function customer(): Promise<string> {
  const { storage } = platform
  const personId = String(1_500_000_000_000_000_000n + BigInt(++people))
  const from = { externalId: personId, name: `Person ${String(people)}`, handle: `p${String(people)}` }
  await control('POST', 'people', { type: 'x', id: personId, name: from.name, handle: from.handle })
  await control('POST', 'say', {
    type: 'x',
    channel: channel.externalId,
    person: { id: personId, name: from.name, handle: from.handle },
    kind: 'message',
    text: 'hello',
  })
  const externalId = newId()
  const thread = { kind: 'direct', personId } as const
  const event = {
    type: 'message', kind: 'message', externalId, occurredAt: new Date(), from, thread, text: 'hello', attachments: [],
  } as const // prettier-ignore
  await storage.write((tx) => takeIn(storage, tx, [{ at: '', channel, event, receivedAt: new Date() }]))
  const key = { accountId: channel.accountId, channelId: channel.id, visibility: 'direct', externalId } as const
  const [message] = (await storage.messages.findByExternal(storage.primary, [key])).values()
  return message?.conversationId ?? ''
}
const answer = async (conversationId: string, text: string): Promise<string> => {
  const said = { accountId: platform.accountId, conversationId, userId: platform.adminId, kind: 'reply', text } as const
  return (await sendReply(platform.storage, said)).id
}
const answerMany = (conversations: readonly string[]): Promise<string[]> =>
  Promise.all(conversations.map((id, index) => answer(id, `answer ${String(index)}`)))
const deliveriesOf = (ids: readonly string[]): Promise<Delivery[]> =>
  platform.storage.deliveries.ofMessages(platform.storage.primary, platform.accountId, ids)
const inState = async (ids: readonly string[], state: string): Promise<Delivery[]> =>
  (await deliveriesOf(ids)).filter((each) => each.state === state)
const isSent = ({ state }: Delivery): boolean => ['sent', 'delivered', 'read'].includes(state)
const sent = async (ids: readonly string[]): Promise<number> => (await deliveriesOf(ids)).filter(isSent).length
/** What customers of the channel saw. */
async function seen(): Promise<number> {
  const ledger = (await control('GET', `ledger?channel=${channel.externalId}&limit=1000`)) as {
    items: { text: string }[]
  }
  return ledger.items.filter(({ text }) => text.startsWith('answer ')).length
}
/** Calls that were made, and those of them that the network refused. */
async function attempts(ids: readonly string[]): Promise<{ made: number; refused: number }> {
  const deliveries = await deliveriesOf(ids)
  const all = await platform.storage.deliveries.attemptsOf(
    platform.storage.primary,
    platform.accountId,
    deliveries.map(({ id }) => id),
  )
  return { made: all.length, refused: all.filter(({ outcome }) => outcome !== 'sent').length }
}
const events = async (type: string) =>
  (await platform.storage.events.after(platform.storage.primary, platform.accountId, 0, 10_000)).filter(
    (event) => event.type === type,
  )

describe('allowances', () => {
  it('makes fifteen calls of the fifteen that X allows, over two nodes, and goes on when the window has ended', async () => {
    await control('PUT', 'settings', { x_limits: 'real' })
    const conversations = []
    for (let n = 0; n < 25; n++) conversations.push(await customer())
    const ids = await answerMany(conversations)
    await until(async () => (await inState(ids, 'retrying')).length === 10, 20_000)
    expect(await sent(ids)).toBe(15)
    expect(await attempts(ids)).toEqual({ made: 15, refused: 0 })
    for (const held of await inState(ids, 'retrying')) {
      expect(held).toMatchObject({ reasonCode: 'budget', attemptCount: 0 })
      expect(held.reason).toMatch(/15 that the network allows/)
      expect(held.nextAttemptAt?.getTime()).toBeGreaterThan(Date.now() + 600_000)
    }
    await control('POST', 'clock', { ms: 15 * 60_000 })
    // As if a quarter of an hour had gone by here, too; what was on its way to be noted may still tell of the old window.
    await until(async () => {
      await platform.storage.write((tx) =>
        tx.run(
          'update budgets set window_ends_at = utc_timestamp(3), held_until = null where scope_id = ? and window_ends_at < utc_timestamp(3) + interval 16 minute and used_count >= 15',
          [channel.id],
        ),
      )
      await platform.storage.write((tx) =>
        platform.storage.deliveries.release(tx, platform.accountId, appId, ['budget']),
      )
      await sleep(200)
      return (await sent(ids)) === 25
    }, 20_000)
    expect(await attempts(ids)).toEqual({ made: 25, refused: 0 })
    expect(await seen()).toBe(25)
  })

  it('believes the network that allows more than is documented', async () => {
    const conversations = []
    for (let n = 0; n < 40; n++) conversations.push(await customer())
    const ids = await answerMany(conversations)
    await until(async () => (await sent(ids)) === 40, 20_000)
    expect(await seen()).toBe(40)
    const rows = await platform.storage.budgets.of(platform.storage.primary, platform.accountId, [channel.id, appId])
    expect(rows.find(({ name }) => name === endpoint)).toMatchObject({ limitCount: 1_000_000 })
    // Then the documented number for a day is not that of its plan, either.
    await platform.storage.write((tx) =>
      tx.run('update budgets set used_count = 2000 where name like ? and scope_id in (?, ?)', [
        `${endpoint} (%`,
        channel.id,
        appId,
      ]),
    )
    const one = await answer(conversations[0] ?? '', 'answer of another plan')
    await until(async () => (await sent([one])) === 1)
  })

  it('waits for the end of the period once the monthly cap is used up, without another call, until somebody makes room', async () => {
    const [one, two] = [await customer(), await customer()]
    await control('POST', 'faults', { fault: 'usage_capped', network: 'x', channel: channel.externalId })
    const first = await answer(one, 'first')
    const [capped] = await until(async () => {
      const found = await inState([first], 'retrying')
      return found.length > 0 ? found : undefined
    })
    expect(capped).toMatchObject({ reasonCode: 'usage-capped', attemptCount: 1 })
    const now = new Date()
    expect(capped?.nextAttemptAt?.getTime()).toBeGreaterThanOrEqual(
      Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1, 1),
    )
    const second = await answer(two, 'second')
    await until(async () => (await inState([second], 'retrying')).length === 1)
    expect(await attempts([first, second])).toEqual({ made: 1, refused: 1 })
    await control('DELETE', 'faults')
    await resumeApp(platform.storage, platform.accountId, appId)
    await until(async () => (await sent([first, second])) === 2)
  })
})

describe('spend', () => {
  it('puts each call down, takes off what was refused, counts reads, warns at 80 %, stops at the cap and goes on above it', async () => {
    const { storage, accountId } = platform
    await changeSpend(storage, accountId, appId, { cap: 0.05, prices: { dm: 0.01, dm_read: 0.001 } })
    const conversations = []
    for (let n = 0; n < 8; n++) conversations.push(await customer())
    const [first = '', ...rest] = conversations
    await control('POST', 'faults', {
      fault: 'refuse_code',
      network: 'x',
      channel: channel.externalId,
      code: 403,
      count: 1,
    })
    const refused = await answer(first, 'refused')
    await until(async () => (await inState([refused], 'failed')).length === 1)
    expect((await readSpending(storage, accountId, appId))?.spent).toBe(0)

    const ids = await answerMany(rest)
    await until(async () => (await sent(ids)) + (await inState(ids, 'retrying')).length === 7, 15_000)
    expect(await sent(ids)).toBe(5)
    for (const held of await inState(ids, 'retrying'))
      expect(held).toMatchObject({ reasonCode: 'spend_cap', attemptCount: 0 })
    const spending = await readSpending(storage, accountId, appId)
    expect(spending).toMatchObject({ cap: 0.05, spent: 0.05 })
    expect(spending?.kinds).toContainEqual({ kind: 'dm', price: 0.01, count: 5, spent: 0.05 })
    const told = await until(async () => {
      const all = (await events('app.spend_warned')).filter(({ data }) => data['app_id'] === appId)
      return all.length >= 2 ? all : undefined
    })
    expect(told.map(({ data }) => data['percent'])).toEqual([80, 100])

    await changeSpend(storage, accountId, appId, { cap: 1 })
    await until(async () => (await sent(ids)) === 7)
    expect(await seen()).toBe(7)
    const item = { at: '', channelType: 'x', channelExternalId: channel.externalId } as const
    const event = {
      type: 'message', kind: 'message', externalId: '1', occurredAt: new Date(), from: { externalId: '2' }, thread: { kind: 'direct', personId: '2' },
      text: 'read', attachments: [],
    } as const // prettier-ignore
    await storage.write((tx) =>
      putDownReads(storage, tx, channel, [
        { ...item, event },
        { ...item, event },
      ]),
    )
    expect((await readSpending(storage, accountId, appId))?.kinds).toContainEqual({
      kind: 'dm_read', price: 0.001, count: 2, spent: 0.002,
    }) // prettier-ignore
  })

  it('refuses prices that there are not, and caps where nothing is paid by use', async () => {
    const { storage, accountId } = platform
    await expect(changeSpend(storage, accountId, appId, { prices: { poem: 1 } })).rejects.toMatchObject({ status: 422 })
    await expect(changeSpend(storage, accountId, platform.appId, { cap: 1 })).rejects.toMatchObject({ status: 422 })
    await expect(changeSpend(storage, accountId, newId(), { cap: 1 })).rejects.toMatchObject({ status: 404 })
    expect(await readSpending(storage, newId(), appId)).toBeUndefined()
  })
})
