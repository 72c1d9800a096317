/** A slow, throttled or refused channel holds up nobody else; what waits for a reconnection goes on in order, all of it. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { newId } from '../infra/ids.ts'
import { Board } from '../messaging/board.ts'
import { openParking } from '../messaging/broker/parking.ts'
import { startDeliver } from '../messaging/deliver.ts'
import { startRelay } from '../messaging/events.ts'
import { reconnectChannel } from '../messaging/reconnect.ts'
import { sendReply } from '../messaging/send.ts'
import { startSweep } from '../messaging/sweep.ts'
import { takeIn } from '../messaging/take-in.ts'
import { openGraph } from './graph.ts'
import type { Graph } from './graph.ts'
import { bakery } from './people.ts'
import { logger, openPlatform, until } from './platform.ts'
import type { Platform } from './platform.ts'

let graph: Graph
let platform: Platform
let persons = 0
let pages = 0
let stop: (() => Promise<void>)[] = []

beforeAll(async () => {
  graph = await openGraph(bakery.externalId)
  platform = await openPlatform({ apiBaseUrl: graph.url })
})
afterEach(async () => {
  graph.hangUp()
  await Promise.all(stop.map((each) => each()))
  stop = []
  // What one test leaves waiting is nothing to the next.
  await platform.storage.write((tx) =>
    tx.run("update deliveries set state = 'cancelled' where state in ('queued', 'sending', 'retrying', 'unknown')"),
  )
  graph.behave = () => 'sent'
  graph.usage = () => ({})
  graph.isTokenDead = false
})
afterAll(async () => {
  await platform.close()
  await graph.close()
})

/** Delivers on this many nodes. */
function start(count: number): void {
  for (let index = 0; index < count; index++) {
    const context = { ...platform, logger, holder: `fair-${String(index)}` }
    const parking = openParking(platform.storage)
    const parts = [
      startRelay(context),
      startDeliver(context, platform.broker, parking),
      startSweep({ ...context, parking }),
    ]
    stop.push(...parts.map((part) => () => part.stop()))
  }
}

interface Page {
  readonly id: string
  readonly externalId: string
}
async function openPage(): Promise<Page> {
  const externalId = `9001${String(++pages)}`
  return { id: await platform.createChannel(platform.appId, 'facebook', externalId), externalId }
}

/** So many people have just written to the page; their conversations. */
async function writers(page: Page, count: number): Promise<string[]> {
  const { storage, accountId } = platform
  const channel = await storage.channels.get(storage.primary, accountId, page.id)
  if (channel === undefined) throw new Error('there is no page')
  const keys = Array.from({ length: count }, () => ({ person: String(40_000 + ++persons), externalId: newId() }))
  const items = keys.map(({ person, externalId }) => ({
    at: '', channel, receivedAt: new Date(),
    event: {
      type: 'message', kind: 'message', externalId, occurredAt: new Date(), from: { externalId: person, name: person }, attachments: [],
      thread: { kind: 'direct', personId: person }, text: 'hello',
    } as const,
  })) // prettier-ignore
  for (let at = 0; at < items.length; at += 250)
    await storage.write((tx) => takeIn(storage, tx, items.slice(at, at + 250)))
  const found = await storage.messages.findByExternal(
    storage.primary,
    keys.map(({ externalId }) => ({ accountId, channelId: page.id, visibility: 'direct', externalId })),
  )
  return [...found.values()].map(({ conversationId }) => conversationId)
}

const answer = async (conversationId: string, text: string): Promise<string> => {
  const said = { accountId: platform.accountId, conversationId, userId: platform.adminId, kind: 'reply', text } as const
  return (await sendReply(platform.storage, said)).id
}
async function answerAll(conversations: readonly string[], text: string): Promise<string[]> {
  const ids: string[] = []
  for (let at = 0; at < conversations.length; at += 12)
    ids.push(
      ...(await Promise.all(conversations.slice(at, at + 12).map((id, n) => answer(id, `${text} ${String(at + n)}`)))),
    )
  return ids
}
const seen = (text: string): number => graph.seen.filter((each) => each.text.startsWith(`${text} `)).length
async function states(page: Page): Promise<Record<string, number>> {
  const rows = await platform.storage.primary.query<{ state: string; code: string | null; n: number }>(
    'select state, reason_code code, count(*) n from deliveries where channel_id = ? group by state, reason_code',
    [page.id],
  )
  return Object.fromEntries(rows.map(({ state, code, n }) => [code === null ? state : `${state} ${code}`, n]))
}
const messengerUse = (page: Page, percent: number) => ({
  'x-business-use-case-usage': JSON.stringify({
    [page.externalId]: [{ type: 'messenger', call_count: percent, total_cputime: 1, total_time: 1, estimated_time_to_regain_access: 0 }],
  }),
}) // prettier-ignore

describe('fairness', () => {
  it('leaves places on the board to others, however many slow channels there are', async () => {
    const running = new Map<string, number>()
    const board = new Board({ atOnce: 64, perChannel: 16 }, async ({ channelId }) => {
      running.set(channelId, (running.get(channelId) ?? 0) + 1)
      if (channelId.startsWith('slow')) await gate
    })
    let open: () => void = () => undefined
    const gate = new Promise<void>((resolve) => {
      open = resolve
    })
    for (let channel = 0; channel < 8; channel++)
      for (let n = 0; n < 1_000; n++)
        board.add({
          accountId: 'a',
          conversationId: `${String(channel)}-${String(n)}`,
          channelId: `slow-${String(channel)}`,
        })
    for (let n = 0; n < 50; n++) board.add({ accountId: 'a', conversationId: `quick-${String(n)}`, channelId: 'quick' })
    await until(() => running.get('quick') === 50)
    expect(running.get('slow-0')).toBe(16)
    open()
    await board.stop()
  })

  it('sends on one channel while another hangs with a thousand waiting', { timeout: 60_000 }, async () => {
    const [slow, quick] = [await openPage(), await openPage()]
    const waiting = await writers(slow, 1_000)
    const others = await writers(quick, 20)
    graph.behave = (text) => (text.startsWith('slow ') ? 'hang' : 'sent')
    await answerAll(waiting, 'slow')
    start(1)
    const before = graph.requests
    await until(() => graph.requests - before >= 16)
    await answerAll(others, 'quick')
    await until(() => seen('quick') === 20, 20_000)
    expect(seen('slow')).toBe(0)
    const now = await states(slow)
    console.log(`while one channel hung: ${JSON.stringify(now)}`)
    expect(now['queued']).toBeGreaterThan(950)
  })

  it(
    'makes no call for a channel whose share is used up, and lets another of the same app go on',
    { timeout: 60_000 },
    async () => {
      const [full, free] = [await openPage(), await openPage()]
      const waiting = await writers(full, 100)
      const others = await writers(free, 20)
      graph.usage = (token) => (token === `token-${full.externalId}` ? messengerUse(full, 97) : messengerUse(free, 5))
      start(2)
      await answerAll(waiting.slice(0, 1), 'full')
      await until(() => seen('full') === 1)
      await until(async () => (await platform.storage.budgets.of(platform.storage.primary, platform.accountId, [full.id, platform.appId])).some(({ share }) => share > 0.9)) // prettier-ignore
      const ids = await answerAll(waiting.slice(1), 'full')
      await answerAll(others, 'free')
      await until(() => seen('free') === 20, 20_000)
      await until(async () => (await states(full))['retrying budget'] === 99, 20_000)
      expect(seen('full')).toBe(1)
      const told = await platform.storage.deliveries.ofMessages(
        platform.storage.primary,
        platform.accountId,
        ids.slice(0, 1),
      )
      expect(told).toMatchObject([{ attemptCount: 0, reason: expect.stringContaining('used up') as unknown }])
      // It has lessened, as Meta's rolling hour goes by.
      graph.usage = (token) => messengerUse(token.includes(full.externalId) ? full : free, 10)
      await platform.storage.write(async (tx) => {
        await tx.run('update budgets set held_until = null, share = 0.1 where scope_id = ?', [full.id])
        await platform.storage.deliveries.release(tx, platform.accountId, platform.appId, ['budget'])
      })
      await until(() => seen('full') === 100, 25_000)
    },
  )

  it('spreads calls from 80 % on', async () => {
    const page = await openPage()
    const [first = '', ...others] = await writers(page, 6)
    graph.usage = () => messengerUse(page, 82)
    start(1)
    await answer(first, 'spread first')
    await until(() => seen('spread') === 1)
    const ids = await answerAll(others, 'spread')
    await until(() => seen('spread') === 6, 20_000)
    const parts = await platform.storage.deliveries.ofMessages(platform.storage.primary, platform.accountId, ids)
    expect(parts.map(({ attemptCount }) => attemptCount)).toEqual([1, 1, 1, 1, 1])
    const [row] = await platform.storage.primary.query<{ n: number }>(
      "select count(*) n from events where type = 'delivery.changed' and json_value(data, '$.reason') like '%82 %% of what the network allows%'",
    )
    expect(row?.n).toBeGreaterThanOrEqual(4)
  })

  it(
    'sends two hundred that waited for a reconnection, all of them, once and in order',
    { timeout: 60_000 },
    async () => {
      const page = await openPage()
      const conversations = await writers(page, 20)
      graph.isTokenDead = true
      start(2)
      for (let n = 0; n < 10; n++)
        await Promise.all(conversations.map((id, index) => answer(id, `held ${String(index)} ${String(n)}`)))
      const { storage, accountId } = platform
      await until(
        async () => (await storage.channels.get(storage.primary, accountId, page.id))?.state === 'reconnect_needed',
      )
      await until(async () => (await storage.outbox.backlog(storage.primary)).count === 0)
      console.log(`while the token was dead: ${JSON.stringify(await states(page))}`)
      expect(seen('held')).toBe(0)
      graph.isTokenDead = false
      await reconnectChannel(platform, accountId, page.id, {
        credentials: { access_token: 'new' },
        tokenExpiresAt: null,
      })
      await until(() => seen('held') >= 200, 25_000)
      await until(async () => (await states(page))['sent'] === 200)
      for (let index = 0; index < 20; index++)
        expect(
          graph.seen.filter(({ text }) => text.startsWith(`held ${String(index)} `)).map(({ text }) => text),
        ).toEqual(Array.from({ length: 10 }, (_, n) => `held ${String(index)} ${String(n)}`))
    },
  )
})
