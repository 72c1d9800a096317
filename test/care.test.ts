/** Channels are looked after: nothing missed stays missed, tokens do not die by themselves, and what is wrong is said with its cure. */
import { createHash } from 'node:crypto'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Running } from '../infra/lifecycle.ts'
import { newId } from '../infra/ids.ts'
import { metrics } from '../infra/metrics.ts'
import { readAllBack, startCare } from '../messaging/care.ts'
import { catchUp } from '../messaging/catch-up.ts'
import { checkChannel, mergeQuotas } from '../messaging/check.ts'
import { beginConnect, connectChosen, finishConnect, listChoices } from '../messaging/connect.ts'
import type { Signer } from '../messaging/connect.ts'
import type { ParsedItem } from '../messaging/connectors/connector.ts'
import { Directory } from '../messaging/directory.ts'
import { DoorWatch } from '../messaging/door-watch.ts'
import { requestCatchUp } from '../messaging/gaps.ts'
import type { GapReason } from '../messaging/gaps.ts'
import { Names } from '../messaging/names.ts'
import { receiveBodies } from '../messaging/receive.ts'
import { disconnectChannel, reconnectChannel } from '../messaging/reconnect.ts'
import { refreshDueAt, refreshToken } from '../messaging/tokens.ts'
import type { Channel, Credentials } from '../storage/index.ts'
import { bakery, ines, pageBody, second, writes } from './people.ts'
import { logger, openPlatform, until } from './platform.ts'
import type { Node, Platform } from './platform.ts'
import { playFacebook } from './played-connector.ts'
import type { Played } from './played-connector.ts'

let platform: Platform
let other: Node
let network: Played
let channelId: string
const running: Running[] = []
const never = new AbortController().signal
const minuteMs = 60_000

const contextOf = (node: Node) => ({ ...node, logger, connectorOf: () => network, pauseMs: 1 })
const said = (name: string, at: Date): ParsedItem => ({
  at: `read.${name}`,
  channelType: 'facebook',
  channelExternalId: bakery.externalId,
  event: {
    ...{
      type: 'message',
      kind: 'message',
      externalId: name,
      occurredAt: at,
      from: { externalId: ines.id, name: ines.name },
    },
    ...{ thread: { kind: 'direct', personId: ines.id }, text: name, attachments: [] },
  },
})
/** `n` messages, newest first, the oldest first of the names. */
const history = (prefix: string, n: number): ParsedItem[] =>
  Array.from({ length: n }, (_, index) => said(`${prefix}-${String(index)}`, second(index))).reverse()

async function channelNow(): Promise<Channel> {
  const channel = await platform.storage.channels.get(platform.storage.primary, platform.accountId, channelId)
  if (channel === undefined) throw new Error('the channel is gone')
  return channel
}
const runNow = () => platform.storage.catchUps.get(platform.storage.primary, platform.accountId, channelId)
const set = (columns: string, ...values: (string | Date | null)[]) =>
  platform.storage.write((tx) => tx.run(`update channels set ${columns} where id = ?`, [...values, channelId]))
const check = async (): Promise<void> => checkChannel(contextOf(platform), await channelNow(), never)
const read = (node: Node = platform, signal: AbortSignal = never) =>
  catchUp(contextOf(node), { accountId: platform.accountId, channelId }, signal)
const request = async (why: GapReason, since?: Date): Promise<void> => {
  const channel = await channelNow()
  await platform.storage.write((tx) => requestCatchUp(platform.storage, tx, channel, why, since))
}
const give = (credentials: Credentials, tokenExpiresAt: Date | null = null) =>
  reconnectChannel(platform, platform.accountId, channelId, { credentials, tokenExpiresAt })
const names = async (): Promise<(string | null)[]> => (await platform.messages()).map(({ externalId }) => externalId)
/** Facts of one type about this channel, oldest first, and forgotten. */
async function facts(type: string): Promise<Record<string, unknown>[]> {
  const rows = await platform.storage.primary.query<{ id: number; data: Record<string, unknown> }>(
    "select id, data from outbox where type = ? and json_value(data, '$.channel_id') = ? order by id",
    [type, channelId],
  )
  await platform.storage.write(async (tx) => {
    for (const { id } of rows) await tx.run('delete from outbox where id = ?', [id])
  })
  return rows.map(({ data }) => data)
}

beforeAll(async () => {
  platform = await openPlatform()
  other = await platform.openNode('node-2')
  channelId = platform.channelId
})
beforeEach(async () => {
  network = playFacebook()
  await give({ access_token: `token-${bakery.externalId}` })
  await platform.storage.write(async (tx) => {
    for (const table of ['catch_ups', 'messages', 'conversations', 'outbox', 'leases'])
      await tx.run(`delete from ${table}`)
    await tx.run(
      'update channels set caught_up_to = null, checked_at = null, check_due_at = null, last_event_at = null, subscription_state = null, refresh_began_at = null',
    )
  })
})
afterEach(async () => {
  await Promise.all(running.splice(0).map((part) => part.stop()))
})
afterAll(() => platform.close())

describe('catching up', () => {
  it('brings what webhooks did not, once, whatever came by both ways', async () => {
    network.history = history('m', 7)
    const context = {
      storage: platform.storage,
      directory: new Directory(platform.storage),
      logger,
      names: new Names({ ...platform, logger }),
    }
    await receiveBodies(context, [
      { id: newId(), appId: platform.appId, bytes: pageBody([writes(ines, 'm-2', 'm-2', second(2))]) },
    ])
    await request('connected')
    await read()
    expect(await names()).toEqual(['m-0', 'm-1', 'm-2', 'm-3', 'm-4', 'm-5', 'm-6'])
    expect(network.calls).toEqual(['read first', 'read 2', 'read 4', 'read 6'])
    expect(await facts('channel.caught_up')).toEqual([{ channel_id: channelId, found: 7, new: 6 }])
    expect((await facts('message.received')).length).toBe(7)
    const { caughtUpTo } = await channelNow()
    expect(Date.now() - (caughtUpTo?.getTime() ?? 0)).toBeLessThan(60_000)
    expect(await runNow()).toBeUndefined()
    await request('asked', second(0))
    await read()
    expect(await facts('channel.caught_up')).toEqual([{ channel_id: channelId, found: 7, new: 0 }])
    expect((await names()).length).toBe(7)
  })

  it('goes on where a node stopped, and never twice at a time', async () => {
    network.history = history('r', 8)
    await request('outage', second(0))
    const stop = new AbortController()
    let open = (): void => undefined
    network.gate = new Promise((resolve) => (open = resolve))
    const first = read(platform, stop.signal)
    await until(() => network.calls.length > 0)
    // While one node reads, another finds the lease taken.
    await read(other)
    expect(network.calls.filter((call) => call.startsWith('read'))).toEqual(['read first'])
    stop.abort()
    open()
    await first
    const half = await runNow()
    expect([half?.cursor, half?.pages, half?.found]).toEqual(['2', 1, 2])
    // Another gap is noticed meanwhile.
    await request('subscription_renewed', second(4))
    await read(other)
    await read(platform)
    expect(network.calls.filter((call) => call.startsWith('read'))).toEqual([
      ...['read first', 'read 2', 'read 4', 'read 6'],
      ...['read first', 'read 2', 'read 4', 'read 6'],
    ])
    expect((await facts('channel.caught_up')).map(({ new: fresh }) => fresh)).toEqual([8, 0])
    expect((await names()).length).toBe(8)
  })

  it('keeps an item that cannot be taken in as dead, at no cost to the others', async () => {
    network.history = [...history('d', 3), said('x'.repeat(300), second(-1))]
    network.pageSize = 10
    await request('asked', second(-10))
    await read()
    expect(await names()).toEqual(['d-0', 'd-1', 'd-2'])
    expect(await facts('channel.caught_up')).toEqual([{ channel_id: channelId, found: 4, new: 3 }])
    const dead = await platform.storage.primary.query<{ state: string; reason: string }>(
      'select state, reason from received where channel_id = ? and state = ?',
      [channelId, 'dead'],
    )
    expect(dead).toEqual([{ state: 'dead', reason: expect.stringMatching(/^read\.x+/) }])
  })

  it('waits as long as the network says, and asks for a reconnection when the token is dead', async () => {
    network.history = history('w', 3)
    network.readAnswer = { type: 'retry', code: '429', reason: 'Too fast.', afterMs: 900_000 }
    await request('connected')
    await read()
    const waiting = await runNow()
    expect(Math.round(((waiting?.dueAt.getTime() ?? 0) - Date.now()) / minuteMs)).toBe(15)
    expect(await platform.storage.catchUps.findDue(platform.storage.primary, 5)).toEqual([])
    network.readAnswer = { type: 'refused', class: 'policy', code: '368', reason: 'Blocked for a while.' }
    await read()
    expect([(await channelNow()).state, (await channelNow()).stateCode]).toEqual(['degraded', 'read_back_368'])
    expect(await runNow()).toBeUndefined()
    network.readAnswer = undefined
    network.good.clear()
    await request('asked')
    await read()
    expect([(await channelNow()).state, (await channelNow()).stateCode]).toEqual(['reconnect_needed', '190'])
    expect(await platform.storage.catchUps.findDue(platform.storage.primary, 5)).toEqual([])
    network.good.add('fresh')
    await give({ access_token: 'fresh' })
    await read()
    expect((await names()).length).toBe(3)
    expect((await channelNow()).state).toBe('connected')
  })

  it('asks the network to send again only what it still keeps', async () => {
    await request('connected', new Date(Date.now() - 60 * minuteMs))
    await read()
    await request('outage', new Date(Date.now() - 50 * minuteMs))
    await read()
    await request('outage', new Date(Date.now() - 48 * 60 * minuteMs))
    await read()
    expect(network.calls.filter((call) => call.startsWith('replay'))).toEqual(['replay 60 min', 'replay 1440 min'])
  })
})

describe('looking at a channel', () => {
  it('subscribes after connecting and begins to read back; renews what was lost', async () => {
    network.subscription = { isActive: false, missing: ['messages'], reason: 'Nothing is sent.' }
    await check()
    expect(network.calls).toEqual(['check', 'subscribe'])
    expect([(await channelNow()).subscriptionState, (await channelNow()).state]).toEqual(['active', 'connected'])
    expect((await runNow())?.why).toBe('connected')
    await read()
    await check()
    expect(await runNow()).toBeUndefined()
    network.subscription = { isActive: false, missing: ['messages'], reason: 'Nothing is sent.' }
    await check()
    expect((await runNow())?.why).toBe('subscription_renewed')
    await read()
    await facts('channel.changed')
    network.canSubscribe = false
    network.subscription = { isActive: true, missing: ['feed'], reason: undefined }
    await check()
    await check()
    const partial = await channelNow()
    expect([partial.state, partial.stateCode, partial.subscriptionState, partial.subscriptionMissing]).toEqual([
      ...['degraded', 'subscription_partial', 'partial'],
      ['feed'],
    ])
    expect(partial.stateCure).not.toBeNull()
    network.canSubscribe = true
    await check()
    expect((await facts('channel.changed')).map(({ state, code }) => [state, code])).toEqual([
      ['degraded', 'subscription_partial'],
      ['connected', null],
    ])
  })

  it('notices that nobody looked for a while, and that a channel has fallen silent', async () => {
    await check()
    await read()
    await check()
    const knownTo = new Date(Date.now() - 100 * minuteMs)
    await set('checked_at = utc_timestamp(3) - interval 40 minute, caught_up_to = ?', knownTo)
    await check()
    const run = await runNow()
    expect([run?.why, run?.since.getTime()]).toEqual(['outage', knownTo.getTime() - 10 * minuteMs])
    await read()
    network.history = [said('silent', new Date(Date.now() - 300 * minuteMs))]
    await set('last_event_at = utc_timestamp(3) - interval 400 minute, check_due_at = null')
    await check()
    expect((await runNow())?.why).toBe('silence')
    await read()
    expect(await names()).toEqual(['silent'])
    expect([(await channelNow()).state, (await channelNow()).stateCode]).toEqual(['degraded', 'events_missing'])
    await set('last_event_at = utc_timestamp(3) + interval 1 second')
    await check()
    expect((await channelNow()).state).toBe('connected')
  })

  it('reads all channels back after a time without any web node', async () => {
    const { storage } = platform
    const node = { id: 'web-1', bootId: newId(), version: '1', pid: 1, host: 'h', port: 1 }
    const watch = new DoorWatch(50)
    const short = new DoorWatch(60_000)
    const look = () => Promise.all([watch.cameBack(storage), short.cameBack(storage)])
    await storage.write((tx) => storage.nodes.heartbeat(tx, { ...node, id: 'm-1', roles: ['messaging'] }))
    expect(await look()).toEqual([false, false])
    await new Promise((resolve) => setTimeout(resolve, 80))
    expect(await look()).toEqual([false, false])
    await storage.write((tx) => storage.nodes.heartbeat(tx, { ...node, roles: ['web', 'backend'] }))
    expect(await look()).toEqual([true, false])
    expect(await look()).toEqual([false, false])
    await readAllBack({ storage, logger })
    expect((await runNow())?.why).toBe('door_away')
  })

  it('is done by one node, for channels that are due, and counts', async () => {
    network.history = history('loop', 3)
    running.push(
      startCare({ ...contextOf(platform), holder: 'care-1' }),
      startCare({ ...contextOf(other), holder: 'care-2' }),
    )
    await until(async () => (await facts('channel.caught_up')).length > 0, 15_000)
    expect((await names()).length).toBe(3)
    expect(network.calls.filter((call) => call === 'check').length).toBe(1)
    const quotas = mergeQuotas(
      [{ name: 'old', used: 0.9, resets_at: '2020-01-01T00:00:00.000Z' }],
      [{ name: 'app', used: 0.42, resets_at: null }],
    )
    expect(quotas).toEqual([{ name: 'app', used: 0.42, resets_at: null }])
    await until(async () => (await channelNow()).quotas !== null)
    const gauge = await metrics.getSingleMetricAsString('parley_channels')
    expect(gauge).toMatch(/state="connected"\} 1/)
    expect(gauge).toMatch(/state="reconnect_needed"\} 0/)
    // Trouble brings it forward.
    network.good.clear()
    await set('check_due_at = null')
    await until(async () => (await channelNow()).state === 'reconnect_needed')
    await disconnectChannel({ ...platform, logger }, platform.accountId, channelId)
    expect((await channelNow()).stateCode).toBe('disconnected')
    expect(platform.storage.channels.openCredentials(platform.storage, await channelNow())).toEqual({})
  })
})

describe('tokens', () => {
  const hours = (n: number): Date => new Date(Date.now() + n * 60 * minuteMs)

  it('are due at half of a short life, seven days before the end of a long one', () => {
    const dueIn = (lifeHours: number): number | undefined => {
      const tokenIssuedAt = new Date(0)
      const tokenExpiresAt = new Date(lifeHours * 3_600_000)
      return refreshDueAt({ tokenExpiresAt, tokenIssuedAt, createdAt: tokenIssuedAt })?.getTime()
    }
    expect([dueIn(2), dueIn(60 * 24), dueIn(4 * 24)]).toEqual([3_600_000, 53 * 86_400_000, 2 * 86_400_000])
    expect(refreshDueAt({ tokenExpiresAt: null, tokenIssuedAt: null, createdAt: new Date() })).toBeUndefined()
  })

  it('are renewed once by many who want it, and stored before they are used', async () => {
    network.good = new Set(['access-0', 'refresh-0'])
    await give({ access_token: 'access-0', refresh_token: 'refresh-0' }, hours(1))
    await set('token_issued_at = utc_timestamp(3) - interval 1 hour - interval 1 second')
    const before = await channelNow()
    const results = await Promise.all(
      Array.from({ length: 8 }, (_, index) =>
        refreshToken(contextOf(index % 2 === 0 ? platform : other), before, never),
      ),
    )
    expect(results.every((result) => result === 'refreshed' || result === 'busy')).toBe(true)
    expect(await refreshToken(contextOf(other), before, never)).toBe('refreshed')
    expect(network.calls).toEqual(['refresh'])
    const after = await channelNow()
    expect(platform.storage.channels.openCredentials(platform.storage, after)).toEqual({
      access_token: 'access-1',
      refresh_token: 'refresh-1',
    })
    expect([after.refreshBeganAt, after.credentialsVersion]).toEqual([null, before.credentialsVersion + 1])
    await set('token_issued_at = utc_timestamp(3) - interval 3 hour')
    await check()
    expect(network.calls.filter((call) => call === 'refresh').length).toBe(2)
    expect((await channelNow()).state).toBe('connected')
  })

  it('whose renewal was answered to nobody end in a reconnection, said with its cure', async () => {
    network.good = new Set(['access-0', 'refresh-0'])
    await give({ access_token: 'access-0', refresh_token: 'refresh-0' }, hours(1))
    network.refreshing = 'lost'
    expect(await refreshToken(contextOf(platform), await channelNow(), never)).toBe('failed')
    // The other may still be storing what it was given.
    expect(await refreshToken(contextOf(other), await channelNow(), never)).toBe('busy')
    await set('refresh_began_at = utc_timestamp(3) - interval 3 minute')
    expect(await refreshToken(contextOf(other), await channelNow(), never)).toBe('refused')
    const warned = await channelNow()
    expect([warned.state, warned.stateCode]).toEqual(['degraded', 'refresh_answer_lost'])
    expect(warned.stateCure).toMatch(/sign in/)
    network.good.delete('access-0')
    await set('token_expires_at = utc_timestamp(3)')
    await check()
    await check()
    expect((await channelNow()).state).toBe('reconnect_needed')
    expect(network.calls.filter((call) => call === 'refresh').length).toBe(2)
  })

  it('that a person gives meanwhile are not overwritten by a late answer', async () => {
    network.good = new Set(['access-0', 'refresh-0', 'mine'])
    await give({ access_token: 'access-0', refresh_token: 'refresh-0' }, hours(1))
    let open = (): void => undefined
    network.gate = new Promise((resolve) => (open = resolve))
    const refreshing = refreshToken(contextOf(platform), await channelNow(), never)
    await until(() => network.calls.length > 0)
    await give({ access_token: 'mine' })
    open()
    await refreshing
    expect(platform.storage.channels.openCredentials(platform.storage, await channelNow())).toEqual({
      access_token: 'mine',
    })
  })

  it('that the network refuses before their time are renewed when the channel is looked at', async () => {
    network.good = new Set(['refresh-0'])
    await give({ access_token: 'gone', refresh_token: 'refresh-0' }, hours(2))
    await check()
    expect([(await channelNow()).state, network.calls.filter((call) => call === 'refresh').length]).toEqual([
      'connected',
      1,
    ])
    network.good.clear()
    await check()
    expect((await channelNow()).state).toBe('reconnect_needed')
    await check()
    expect(network.calls.filter((call) => call === 'refresh').length).toBe(2)
  })

  it('that cannot be renewed are announced a week before their end', async () => {
    await give({ access_token: `token-${bakery.externalId}` }, hours(5 * 24))
    await check()
    const warned = await channelNow()
    expect([warned.state, warned.stateCode]).toEqual(['degraded', 'token_expires_soon'])
    expect((await facts('channel.changed')).at(-1)).toMatchObject({ state: 'degraded', code: 'token_expires_soon' })
  })
})

describe('connecting', () => {
  const ana = (): Signer => ({ accountId: platform.accountId, userId: platform.adminId, binding: 'browser-1' })
  const redirectUri = 'https://parley.example/connect'

  it('takes a person through the network’s sign-in, once, in one browser', async () => {
    const context = contextOf(platform)
    network.offered = [
      { type: 'facebook', externalId: bakery.externalId, name: 'Ada Bakery', credentials: { access_token: 'again' }, tokenExpiresAt: undefined },
      { type: 'facebook', externalId: 'new-page', name: 'New', credentials: { access_token: 'n' }, tokenExpiresAt: new Date(Date.now() + 86_400_000) },
    ] // prettier-ignore
    const begun = await beginConnect(context, ana(), { appId: platform.appId, type: 'facebook', redirectUri })
    const query = new URL(begun.url).searchParams
    expect([query.get('state'), query.get('redirect_uri')]).toEqual([begun.state, redirectUri])
    const answer = { state: begun.state, code: 'good' }
    for (const stranger of [{ binding: 'browser-2' }, { userId: newId() }, { accountId: newId() }])
      await expect(finishConnect(context, { ...ana(), ...stranger }, answer)).rejects.toMatchObject({
        code: 'sign_in_expired',
      })
    const twice = await Promise.allSettled([
      finishConnect(context, ana(), answer),
      finishConnect(contextOf(other), ana(), answer),
    ])
    const done = twice.flatMap((one) => (one.status === 'fulfilled' ? one.value : []))
    expect([done.length, network.usedCodes.length]).toEqual([1, 1])
    const verifier = network.usedCodes[0]?.split(' ')[1] ?? ''
    expect(createHash('sha256').update(verifier).digest('base64url')).toBe(query.get('challenge'))
    const attemptId = done[0]?.attemptId ?? ''
    expect(await listChoices(context, ana(), attemptId)).toEqual([
      { type: 'facebook', externalId: bakery.externalId, name: 'Ada Bakery', channelId },
      { type: 'facebook', externalId: 'new-page', name: 'New', channelId: undefined },
    ])
    await expect(listChoices(context, { ...ana(), binding: 'x' }, attemptId)).rejects.toMatchObject({ status: 422 })
    await expect(
      connectChosen(context, ana(), attemptId, [{ type: 'facebook', externalId: 'stolen' }]),
    ).rejects.toMatchObject({ code: 'not_offered' })
    const chosen = network.offered.map(({ type, externalId }) => ({ type, externalId }))
    await disconnectChannel({ ...platform, logger }, platform.accountId, channelId)
    const connected = await connectChosen(context, ana(), attemptId, chosen)
    expect(connected.map(({ isNew }) => isNew)).toEqual([false, true])
    expect(await connectChosen(context, ana(), attemptId, chosen)).toEqual(
      connected.map((one) => ({ ...one, isNew: false })),
    )
    const back = await channelNow()
    expect([back.state, back.disconnectedAt]).toEqual(['connected', null])
    expect(platform.storage.channels.openCredentials(platform.storage, back)).toEqual({ access_token: 'again' })
  })

  it('says when a sign-in is over or refused', async () => {
    const context = contextOf(platform)
    const begin = () => beginConnect(context, ana(), { appId: platform.appId, type: 'facebook', redirectUri })
    const late = await begin()
    await platform.storage.write((tx) => tx.run('update connect_attempts set expires_at = utc_timestamp(3)'))
    await expect(finishConnect(context, ana(), { state: late.state, code: 'good' })).rejects.toMatchObject({
      code: 'sign_in_expired',
    })
    const bad = await begin()
    await expect(finishConnect(context, ana(), { state: bad.state, code: 'bad' })).rejects.toMatchObject({
      code: 'sign_in_refused',
    })
    await expect(beginConnect(context, ana(), { appId: newId(), type: 'facebook', redirectUri })).rejects.toMatchObject(
      { status: 404 },
    )
  })
})
