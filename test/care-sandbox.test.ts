/** A channel's whole life on the played networks: connected by signing in, heard, cut off, caught up, refused, reconnected. */
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Running } from '../infra/lifecycle.ts'
import { silentLogger } from '../infra/logger.ts'
import { newId } from '../infra/ids.ts'
import { xConnector } from '../messaging/connectors/x/connector.ts'
import { beginConnect, connectChosen, finishConnect } from '../messaging/connect.ts'
import { examineSetup } from '../messaging/examine-setup.ts'
import { reconnectChannel } from '../messaging/reconnect.ts'
import { startSandbox } from '../messaging/sandbox/server.ts'
import type { Sandbox } from '../messaging/sandbox/server.ts'
import { sendReply } from '../messaging/send.ts'
import { startMessaging } from '../messaging/server.ts'
import { openDoor } from '../web/webhooks.ts'
import type { Door } from '../web/webhooks.ts'
import { logger, openPlatform, until } from './platform.ts'
import type { Platform } from './platform.ts'

const ben = { id: '1589012345678901201', name: 'Ben Okafor', handle: 'benokafor' }
const account = '1400000000000000001'
const redirectUri = 'https://parley.example/connect'

let home: string
let sandbox: Sandbox
let platform: Platform
let door: Door
let server: Server
let messaging: Running
/** Our site cannot be reached. */
let isCutOff = false
let appId: string
let channelId: string
let config: Platform['config']

const context = () => ({ storage: platform.storage, config, logger })
const signer = () => ({ accountId: platform.accountId, userId: platform.adminId, binding: 'browser-1' })

async function control(method: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
  const answer = await fetch(`http://127.0.0.1:${String(sandbox.port)}/control/${path}`, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  return (await answer.json()) as Record<string, unknown>
}
const say = (text: string, at = new Date()) =>
  control('POST', 'say', {
    type: 'x',
    channel: account,
    person: ben,
    kind: 'message',
    text,
    occurred_at: at.toISOString(),
  })
const channelNow = async () => {
  const channel = await platform.storage.channels.get(platform.storage.primary, platform.accountId, channelId)
  if (channel === undefined) throw new Error('the channel is gone')
  return channel
}
const inbound = async (): Promise<(string | null)[]> =>
  (await platform.messages()).filter(({ direction }) => direction === 'inbound').map(({ text }) => text)
const set = (columns: string) =>
  platform.storage.write((tx) => tx.run(`update channels set ${columns} where id = ?`, [channelId]))

/** As a person does who presses "Allow"; the code that comes back. */
async function allow(url: string): Promise<{ state: string; code: string }> {
  const form = new URLSearchParams(new URL(url).searchParams)
  form.set('user_id', account)
  form.set('decision', 'allow')
  const answer = await fetch(url.split('?')[0] ?? '', { method: 'POST', body: form, redirect: 'manual' })
  const back = new URL(answer.headers.get('location') ?? '').searchParams
  return { state: back.get('state') ?? '', code: back.get('code') ?? '' }
}

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'care-'))
  sandbox = await startSandbox({ config: { home, listen: { host: '127.0.0.1', port: 0 } }, logger: silentLogger })
  const apiBaseUrl = `http://127.0.0.1:${String(sandbox.port)}`
  platform = await openPlatform({ apiBaseUrl })
  door = openDoor({ ...platform, logger })
  server = createServer((request, response) => {
    if (isCutOff) request.destroy()
    else door.handle(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  config = { ...platform.config, publicUrl: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}` }
  const { storage, accountId } = platform
  await storage.write((tx) => tx.run('delete from channels'))
  const webhookKey = newId()
  appId = await storage.write((tx) =>
    storage.apps.create(tx, storage, {
      ...{
        accountId,
        network: 'x',
        name: 'X app',
        externalId: '98',
        webhookKey,
        consumerKey: 'key',
        clientId: 'client',
      },
      secrets: { secrets: ['x-secret'], clientSecret: 'client-secret', verifyToken: null },
      apiBaseUrl,
    }),
  )
  await control('PUT', 'apps', {
    ...{ network: 'x', app_id: '98', secrets: ['x-secret'], consumer_key: 'key' },
    ...{
      client_id: 'client',
      client_secret: 'client-secret',
      webhook_url: `${config.publicUrl}/webhooks/${webhookKey}`,
    },
  })
  await control('PUT', 'channels', {
    ...{ type: 'x', external_id: account, name: 'Harbour', handle: 'harbour' },
    ...{ access_token: 'x-token', access_token_secret: 'x-token-secret', app_id: '98' },
  })
  await control('PUT', 'subscriptions', { channel: account, is_on: false })
  messaging = await startMessaging({ ...platform, config, logger })
})
afterAll(async () => {
  await messaging.stop()
  await door.stop()
  server.closeAllConnections()
  server.close()
  await platform.close()
  await sandbox.stop()
  rmSync(home, { recursive: true })
})

describe('an account of X', () => {
  it('is connected by signing in, subscribed at once, and read back', async () => {
    for (const n of [1, 2, 3]) await say(`before ${String(n)}`, new Date(Date.now() - 3_600_000 * n))
    const begun = await beginConnect(context(), signer(), { appId, type: 'x', redirectUri })
    const { attemptId, choices } = await finishConnect(context(), signer(), await allow(begun.url))
    expect(choices).toEqual([{ type: 'x', externalId: account, name: '@harbour', channelId: undefined }])
    const [connected] = await connectChosen(context(), signer(), attemptId, choices)
    channelId = connected?.channelId ?? ''
    await until(async () => (await channelNow()).subscriptionState === 'active')
    await until(async () => (await inbound()).length === 3)
    await say('heard')
    await until(async () => (await inbound()).includes('heard'))
    expect(await inbound()).toEqual(['before 3', 'before 2', 'before 1', 'heard'])
    expect((await channelNow()).state).toBe('connected')
    await until(async () => (await channelNow()).caughtUpTo !== null)
    expect(xConnector.quota?.(account).map(({ name }) => name)).toContain('GET /2/dm_events')
  })

  it('passes the examination of its set-up, line by line', async () => {
    await until(async () => (await channelNow()).lastEventAt !== null)
    const lines = await examineSetup(context(), platform.accountId, channelId)
    expect(lines.filter(({ ok }) => !ok)).toEqual([])
    expect(lines.map(({ check }) => check)).toEqual([
      ...['secrets', 'address', 'callback', 'token', 'permissions', 'subscription', 'expiry', 'last_event'],
    ])
    isCutOff = true
    await control('PUT', 'subscriptions', { channel: account, is_on: false })
    const ill = (await examineSetup(context(), platform.accountId, channelId)).filter(({ ok }) => !ok)
    expect(ill.map(({ check }) => check)).toEqual(['callback', 'subscription'])
    expect(ill.every(({ cure, detail }) => cure !== null && !`${detail}${cure}`.includes('\n'))).toBe(true)
  })

  it('loses nothing while it is cut off: subscribed anew and read back, once', async () => {
    for (const n of [1, 2, 3, 4]) await say(`missed ${String(n)}`)
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect((await inbound()).filter((text) => text?.startsWith('missed'))).toEqual([])
    isCutOff = false
    await set('check_due_at = null')
    await until(async () => (await inbound()).filter((text) => text?.startsWith('missed')).length === 4)
    await until(async () => (await channelNow()).subscriptionState === 'active')
    await say('heard again')
    await until(async () => (await inbound()).includes('heard again'))
    expect((await inbound()).length).toBe(9)
  })

  it('renews its token by itself and keeps the new refresh token', async () => {
    const before = platform.storage.channels.openCredentials(platform.storage, await channelNow())
    await set('token_issued_at = token_issued_at - interval 3 hour, check_due_at = null')
    await until(async () => (await channelNow()).credentialsVersion === 2)
    const after = platform.storage.channels.openCredentials(platform.storage, await channelNow())
    expect(after['refresh_token']).not.toBe(before['refresh_token'])
    // Dead by the network's clock before ours has noticed: the refusal of a message renews it.
    await control('POST', 'clock', { ms: 2 * 3_600_000 + 1_000 })
    const [told] = await platform.messages()
    const reply = (text: string) =>
      sendReply(platform.storage, {
        ...{ accountId: platform.accountId, conversationId: told?.conversationId ?? '', userId: platform.adminId },
        ...{ kind: 'reply', text },
      })
    const message = await reply('with a renewed token')
    const stateOf = async (id: string) =>
      (await platform.storage.deliveries.ofMessages(platform.storage.primary, platform.accountId, [id]))[0]?.state
    await until(async () => (await stateOf(message.id)) === 'sent')
    expect((await channelNow()).credentialsVersion).toBe(3)

    // Access withdrawn: what is written waits, and goes out once the account has signed in again.
    await control('POST', 'revoke', { channel: account })
    await until(async () => (await channelNow()).state === 'reconnect_needed')
    const held = await reply('after the reconnection')
    await new Promise((resolve) => setTimeout(resolve, 1_500))
    expect(['queued', 'retrying']).toContain(await stateOf(held.id))
    const begun = await beginConnect(context(), signer(), { appId, type: 'x', redirectUri })
    const { attemptId, choices } = await finishConnect(context(), signer(), await allow(begun.url))
    expect(choices[0]?.channelId).toBe(channelId)
    await connectChosen(context(), signer(), attemptId, choices)
    await until(async () => (await stateOf(held.id)) === 'sent')
    await until(async () => (await channelNow()).state === 'connected')
  })

  it('whose renewal got lost must be reconnected, and says so', async () => {
    const { storage, accountId } = platform
    await until(async () => (await channelNow()).checkedAt !== null)
    await until(async () => (await storage.catchUps.get(storage.primary, accountId, channelId)) === undefined)
    await until(async () => {
      const [row] = await storage.primary.query<{ due: Date | null }>('select check_due_at due from channels')
      return row?.due != null
    })
    await control('POST', 'faults', { fault: 'drop_answer', network: 'x', count: 1 })
    await set('token_issued_at = token_issued_at - interval 3 hour, check_due_at = null')
    await until(async () => (await channelNow()).refreshBeganAt !== null)
    await set('refresh_began_at = refresh_began_at - interval 5 minute, check_due_at = null')
    await until(async () => (await channelNow()).stateCode === 'refresh_answer_lost')
    expect((await channelNow()).stateCure).toMatch(/sign in/)
    const { credentials } = { credentials: { access_token: 'x-token', access_token_secret: 'x-token-secret' } }
    await reconnectChannel(context(), platform.accountId, channelId, { credentials, tokenExpiresAt: null })
    expect((await channelNow()).state).toBe('connected')
  })
})

describe('a Page of Facebook', () => {
  const page = '1122334455'
  const ana = { id: '7100000000000001', name: 'Ana Duarte' }
  let postId = ''
  const write = (kind: 'message' | 'comment', text: string, minutesAgo = 0) =>
    control('POST', 'say', {
      ...{ type: 'facebook', channel: page, person: ana, kind, text },
      ...(kind === 'comment' ? { post_id: postId } : {}),
      occurred_at: new Date(Date.now() - minutesAgo * 60_000).toISOString(),
    })
  const heard = async () =>
    (await platform.messages()).filter((one) => one.channelId === channelId && one.direction === 'inbound')

  it('is connected by signing in, read back with its comments, and caught up after a cut', async () => {
    const { storage, accountId } = platform
    const webhookKey = newId()
    const apiBaseUrl = `http://127.0.0.1:${String(sandbox.port)}`
    const metaId = await storage.write((tx) =>
      storage.apps.create(tx, storage, {
        ...{
          accountId,
          network: 'meta',
          name: 'Meta app',
          externalId: '77',
          webhookKey,
          consumerKey: null,
          clientId: null,
        },
        secrets: { secrets: ['meta-secret'], clientSecret: null, verifyToken: 'verify-me' },
        apiBaseUrl,
      }),
    )
    await control('PUT', 'apps', {
      ...{ network: 'meta', app_id: '77', secrets: ['meta-secret'], verify_token: 'verify-me' },
      webhook_url: `${config.publicUrl}/webhooks/${webhookKey}`,
    })
    const put = { type: 'facebook', external_id: page, name: 'Harbour', access_token: 'page-token', app_id: '77' }
    postId = String((await control('PUT', 'channels', put))['post_id'])
    await control('PUT', 'subscriptions', { channel: page, is_on: false })
    await write('message', 'before', 120)
    await write('comment', 'nice bread', 60)

    const begun = await beginConnect(context(), signer(), { appId: metaId, type: 'facebook', redirectUri })
    const dialog = new URL(begun.url)
    dialog.pathname += '/allow'
    const back = new URL((await fetch(dialog, { redirect: 'manual' })).headers.get('location') ?? '').searchParams
    const answer = { state: back.get('state') ?? '', code: back.get('code') ?? '' }
    const { attemptId, choices } = await finishConnect(context(), signer(), answer)
    expect(choices).toContainEqual({ type: 'facebook', externalId: page, name: 'Harbour', channelId: undefined })
    const chosen = choices.filter(({ externalId }) => externalId === page)
    channelId = (await connectChosen(context(), signer(), attemptId, chosen))[0]?.channelId ?? ''
    await until(async () => (await channelNow()).subscriptionState === 'active')
    await until(async () => (await heard()).length === 2)
    await write('message', 'heard')
    await until(async () => (await heard()).length === 3)

    isCutOff = true
    await control('PUT', 'subscriptions', { channel: page, is_on: false })
    for (const n of [1, 2, 3]) await write('message', `missed ${String(n)}`)
    await write('comment', 'missed below the post')
    isCutOff = false
    await until(async () => (await storage.catchUps.get(storage.primary, accountId, channelId)) === undefined)
    await set('check_due_at = null')
    await until(async () => (await heard()).length === 7)
    expect((await heard()).map(({ kind }) => kind).filter((kind) => kind === 'comment').length).toBe(2)
    await write('message', 'heard again')
    await until(async () => (await heard()).length === 8)
  })

  it('says by its code why its token died, and mends itself when the network takes it again', async () => {
    await until(async () => (await channelNow()).lastEventAt !== null)
    const lines = await examineSetup(context(), platform.accountId, channelId)
    expect(lines.filter(({ ok }) => !ok)).toEqual([])
    const kill = (is_valid: boolean) => control('PUT', 'meta/token', { channel: page, is_valid, subcode: 460 })
    await kill(false)
    await set('check_due_at = null')
    await until(async () => (await channelNow()).state === 'reconnect_needed')
    const dead = await channelNow()
    expect([dead.stateCode, dead.stateReason]).toEqual(['190/460', expect.stringContaining('password')])
    await kill(true)
    await set('check_due_at = null')
    await until(async () => (await channelNow()).state === 'connected')
  })
})

describe('a number of WhatsApp', () => {
  const number = '106540352242999'
  const joe = { id: '16505550042', name: 'Joe Kim' }
  const connect = (accessToken: string) =>
    reconnectChannel(context(), platform.accountId, channelId, {
      credentials: { access_token: accessToken, business_account_id: `9${number}` },
      tokenExpiresAt: null,
    })

  it('whose token is revoked says so when a picture is fetched, and fetches it once it is reconnected', async () => {
    const { storage, accountId } = platform
    const app = (await storage.apps.list(storage.primary, accountId)).find(({ externalId }) => externalId === '77')
    const put = { type: 'whatsapp', external_id: number, name: '+1 555 010 0042', app_id: '77' }
    await control('PUT', 'channels', { ...put, access_token: 'wa-first' })
    channelId = await storage.write((tx) =>
      storage.channels.create(tx, storage, {
        ...{ accountId, appId: app?.id ?? '', type: 'whatsapp', name: 'Number', externalId: number },
        ...{ credentials: { access_token: 'wa-first', business_account_id: `9${number}` } },
        ...{ apiBaseUrl: null, tokenExpiresAt: null },
      }),
    )
    await until(async () => (await channelNow()).checkedAt !== null)
    expect((await channelNow()).state).toBe('connected')
    // The next look is far away: what notices is the fetching.
    await set('check_due_at = utc_timestamp(3) + interval 1 hour')
    await control('POST', 'revoke', { channel: number })
    const picture = { channel: number, person: joe, text: 'my ticket', files: [{ kind: 'image' }] }
    await control('POST', 'meta/say', picture)
    await until(async () => (await channelNow()).state === 'reconnect_needed')
    expect(await channelNow()).toMatchObject({ stateCode: '190/458', stateCure: expect.stringMatching(/^Reconnect/) })
    const message = await until(async () =>
      (await platform.messages()).find((one) => one.channelId === channelId && one.direction === 'inbound'),
    )
    const attachment = async () => (await storage.attachments.ofMessages(storage.primary, accountId, [message.id]))[0]
    await until(async () => (await attachment())?.reasonCode === '190/458')
    // Waiting is no failure of the file.
    expect(await attachment()).toMatchObject({ state: 'pending', attempts: 0 })
    await control('PUT', 'channels', { ...put, access_token: 'wa-second' })
    await connect('wa-second')
    await until(async () => (await attachment())?.state === 'fetched')
    expect((await channelNow()).state).toBe('connected')
  })
})
