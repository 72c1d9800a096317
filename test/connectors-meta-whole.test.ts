/** Instagram and WhatsApp from the customer through the whole server and back: words, files, late failures, lost answers. */
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { newId } from '../infra/ids.ts'
import type { Running } from '../infra/lifecycle.ts'
import { silentLogger } from '../infra/logger.ts'
import { startSandbox } from '../messaging/sandbox/server.ts'
import type { Sandbox } from '../messaging/sandbox/server.ts'
import { sendReply } from '../messaging/send.ts'
import { startMessaging } from '../messaging/server.ts'
import { openDoor } from '../web/webhooks.ts'
import type { Door } from '../web/webhooks.ts'
import { logger, openPlatform, until } from './platform.ts'
import type { Platform } from './platform.ts'

const ids = { instagram: '17841400000000001', whatsapp: '106540352242922' } as const
type Type = keyof typeof ids

let home: string
let sandbox: Sandbox
let platform: Platform
let door: Door
let server: Server
let messaging: Running
let persons = 0

async function control(method: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
  const answer = await fetch(`http://127.0.0.1:${String(sandbox.port)}/control/${path}`, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  expect(answer.ok).toBe(true)
  return (await answer.json()) as Record<string, unknown>
}

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'whole-'))
  sandbox = await startSandbox({ config: { home, listen: { host: '127.0.0.1', port: 0 } }, logger: silentLogger })
  const apiBaseUrl = `http://127.0.0.1:${String(sandbox.port)}`
  platform = await openPlatform({ apiBaseUrl })
  door = openDoor({ ...platform, logger })
  server = createServer((request, response) => {
    door.handle(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const config = { ...platform.config, publicUrl: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}` }
  const { storage, accountId } = platform
  await storage.write((tx) => tx.run('delete from channels'))
  const webhookKey = newId()
  const app = {
    accountId,
    network: 'meta',
    name: 'Meta app',
    externalId: '77',
    webhookKey,
    consumerKey: null,
    clientId: '77',
  } as const
  const secrets = { secrets: ['meta-secret'], clientSecret: null, verifyToken: 'verify-me' }
  const appId = await storage.write((tx) => storage.apps.create(tx, storage, { ...app, secrets, apiBaseUrl }))
  const own = { network: 'meta', app_id: '77', secrets: ['meta-secret'], verify_token: 'verify-me' }
  await control('PUT', 'apps', { ...own, webhook_url: `${config.publicUrl}/webhooks/${webhookKey}` })
  for (const type of ['instagram', 'whatsapp'] as const) {
    await control('PUT', 'channels', {
      type,
      external_id: ids[type],
      name: 'Harbour',
      handle: 'harbour',
      access_token: `token-${ids[type]}`,
      app_id: '77',
    })
    await platform.createChannel(appId, type, ids[type])
  }
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

/** Somebody new writes; their message and its conversation. */
async function customer(
  type: Type,
  more: object = {},
): Promise<{ person: string; conversationId: string; messageId: string }> {
  const person = `${type === 'instagram' ? '9900' : '1650'}${String(1_000_000 + ++persons)}`
  const { external_id: externalId } = await control('POST', 'meta/say', {
    channel: ids[type],
    person: { id: person, name: 'Mia Sato' },
    text: 'Hello ☕',
    ...more,
  })
  const message = await until(async () => (await platform.messages()).find((one) => one.externalId === externalId))
  return { person, conversationId: message.conversationId, messageId: message.id }
}
const reply = (conversationId: string, text: string, kind: 'reply' | 'comment' = 'reply') =>
  sendReply(platform.storage, { accountId: platform.accountId, conversationId, userId: platform.adminId, kind, text })
const delivered = (messageId: string, ...states: string[]) =>
  until(async () => {
    const { storage, accountId } = platform
    const delivery = (await storage.deliveries.ofMessages(storage.primary, accountId, [messageId])).find(
      (one) => one.messageId === messageId,
    )
    return delivery !== undefined && states.includes(delivery.state) ? delivery : undefined
  }, 20_000)
const seen = async (type: Type, person: string): Promise<string[]> =>
  (
    (await control('GET', `ledger?channel=${ids[type]}&person=${person}`)) as {
      items: { direction: string; text: string }[]
    }
  ).items
    .filter(({ direction }) => direction === 'outbound')
    .map(({ text }) => text)

test.each(['instagram', 'whatsapp'] as const)('%s: a word, its answer, seen once', async (type) => {
  const { person, conversationId } = await customer(type)
  const answer = await reply(conversationId, 'Until six')
  await delivered(answer.id, type === 'whatsapp' ? 'delivered' : 'sent')
  await control('POST', 'read', { channel: ids[type], person })
  await delivered(answer.id, 'read')
  expect(await seen(type, person)).toEqual(['Until six'])
  const { storage, accountId } = platform
  const conversation = await storage.conversations.get(storage.primary, accountId, conversationId)
  expect((await platform.messages()).filter((one) => one.conversationId === conversation?.id)).toHaveLength(2)
})

test('instagram: a comment and its answer below it', async () => {
  const { person, conversationId } = await customer('instagram', { kind: 'comment' })
  const answer = await reply(conversationId, 'Thank you', 'comment')
  await delivered(answer.id, 'sent')
  expect(await seen('instagram', person)).toEqual(['Thank you'])
})

test('whatsapp: a failure that comes after the acceptance is shown, with its reason', async () => {
  const { conversationId } = await customer('whatsapp')
  await control('POST', 'meta/fail_late', { channel: ids.whatsapp, code: 131_026, title: 'Message undeliverable' })
  const delivery = await delivered((await reply(conversationId, 'Never there')).id, 'failed')
  expect(JSON.stringify(delivery)).toContain('undeliverable')
})

test.each(['instagram', 'whatsapp'] as const)('%s: an answer that got lost is not sent twice', async (type) => {
  const { person, conversationId } = await customer(type)
  await control('POST', 'faults', { fault: 'drop_answer', channel: ids[type], count: 1 })
  const answer = await reply(conversationId, 'Only once')
  await delivered(answer.id, 'sent', 'delivered')
  expect(await seen(type, person)).toEqual(['Only once'])
  expect(
    (await platform.messages()).filter((one) => one.conversationId === conversationId && one.direction === 'outbound'),
  ).toHaveLength(1)
})

test.each(['instagram', 'whatsapp'] as const)('%s: a picture is fetched, one that is gone is not', async (type) => {
  const { storage, accountId } = platform
  const first = async (messageId: string) =>
    (await storage.attachments.ofMessages(storage.primary, accountId, [messageId]))[0]
  const there = await customer(type, { files: [{ kind: 'image' }] })
  await until(async () => (await first(there.messageId))?.state === 'fetched')
  const gone = await customer(type, { files: [{ kind: 'image', gone: true }] })
  // An address that was refused is tried again before it is given up; an id that is not known is final.
  const one = await until(async () => {
    const found = await first(gone.messageId)
    return found?.reasonCode === null ? undefined : found
  })
  expect([one.state, one.reasonCode]).toEqual(type === 'instagram' ? ['pending', 'gone'] : ['unavailable', '100/33'])
})

test('whatsapp: edits, reactions and a withdrawal reach the message; a new number keeps the contact', async () => {
  const { person, conversationId, messageId } = await customer('whatsapp')
  const { storage, accountId } = platform
  const message = async () => storage.messages.get(storage.primary, accountId, messageId)
  const externalId = (await message())?.externalId
  const change = (what: string, more = {}) =>
    control('POST', 'meta/change', { channel: ids.whatsapp, external_id: externalId, what, ...more })
  await change('edit', { text: 'Hello again' })
  await until(async () => (await message())?.text === 'Hello again')
  await change('react', { emoji: '🎉' })
  await until(async () => (await message())?.reactions?.[0]?.emoji === '🎉')
  await control('POST', 'meta/number', { channel: ids.whatsapp, person, new_id: `${person}9` })
  const { external_id: next } = await control('POST', 'meta/say', {
    channel: ids.whatsapp,
    person: { id: `${person}9` },
    text: 'My new number',
  })
  const second = await until(async () => (await platform.messages()).find((one) => one.externalId === next))
  expect(second.contactId).toBe((await message())?.contactId)
  expect(second.conversationId).toBe(conversationId)
  await change('delete')
  await until(async () => (await message())?.deletedAt !== null)
})
