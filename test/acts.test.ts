/** What is done to messages beside answering, on the networks played here: refused by name, done once, or again until it is done. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { newId } from '../infra/ids.ts'
import type { Running } from '../infra/lifecycle.ts'
import { silentLogger } from '../infra/logger.ts'
import { doActs, startActs } from '../messaging/act.ts'
import { askAct } from '../messaging/ask-act.ts'
import type { AskedAct } from '../messaging/ask-act.ts'
import { openParking } from '../messaging/broker/parking.ts'
import { startRelay } from '../messaging/events.ts'
import { startSandbox } from '../messaging/sandbox/server.ts'
import type { Sandbox } from '../messaging/sandbox/server.ts'
import { askSignal, showSignal } from '../messaging/signals.ts'
import { startSweep } from '../messaging/sweep.ts'
import type { Act, Message } from '../storage/index.ts'
import { logger, openPlatform, until } from './platform.ts'
import type { Node, Platform } from './platform.ts'

const account = '1400000000000000001'
const page = '100200300'
const ben = { id: '1589012345678901201', name: 'Ben Okafor' }
const ana = { id: '7100000000000001', name: 'Ana Duarte' }
const never = new AbortController().signal

let home: string
let sandbox: Sandbox
let platform: Platform
let other: Node
let xChannel: string
const running: Running[] = []
let serial = 0

async function control(method: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
  const answer = await fetch(`http://127.0.0.1:${String(sandbox.port)}/control/${path}`, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  return (await answer.json()) as Record<string, unknown>
}
const fault = (name: string, more: object = {}) => control('POST', 'faults', { fault: name, count: 1, ...more })

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'acts-'))
  sandbox = await startSandbox({ config: { home, listen: { host: '127.0.0.1', port: 0 } }, logger: silentLogger })
  platform = await openPlatform({ apiBaseUrl: `http://127.0.0.1:${String(sandbox.port)}` })
  other = await platform.openNode('node-2')
  const xApp = await platform.createApp('x', 'x-secret')
  xChannel = await platform.createChannel(xApp, 'x', account)
  const webhook_url = 'http://127.0.0.1:9/nobody'
  await control('PUT', 'apps', {
    network: 'x',
    app_id: '98',
    secrets: ['x-secret'],
    consumer_key: 'consumer-key',
    webhook_url,
  })
  await control('PUT', 'apps', {
    network: 'meta',
    app_id: '99',
    secrets: ['meta-secret'],
    verify_token: 'v',
    webhook_url,
  })
  await control('PUT', 'channels', {
    type: 'x',
    external_id: account,
    name: 'Harbour',
    handle: 'harbour',
    access_token: `token-${account}`,
    access_token_secret: 'token-secret',
    app_id: '98',
  })
  await control('PUT', 'channels', {
    type: 'facebook',
    external_id: page,
    name: 'Bakery',
    access_token: `token-${page}`,
    app_id: '99',
  })
})
beforeEach(async () => {
  await control('DELETE', 'faults')
  await control('PUT', 'settings', { x_plan: 'enterprise' })
})
afterEach(async () => {
  await Promise.all(running.splice(0).map((each) => each.stop()))
})
afterAll(async () => {
  await platform.close()
  await sandbox.stop()
  await rm(home, { recursive: true })
})

/** Something said on a network, as receiving or sending leaves it here. */
async function said(more: { type?: 'x' | 'facebook'; kind: Message['kind']; text?: string }): Promise<Message> {
  const { type = 'x', kind, text = `words ${String(++serial)}` } = more
  const isX = type === 'x'
  const [channel, person] = isX ? [account, ben] : [page, ana]
  const isDirect = kind === 'message' || kind === 'reply'
  const isOurs = kind === 'reply' || (kind === 'comment' && more.text === undefined)
  const externalId = isOurs ? await weSay(isDirect, text) : String((await control('POST', 'say', {
    type, channel, person, kind: isDirect ? 'message' : 'comment', text,
  }))['external_id']) // prettier-ignore
  const channelId = isX ? xChannel : platform.channelId
  const { accountId, storage } = platform
  return storage.write(async (tx) => {
    const [address] = (
      await storage.contacts.resolve(tx, [
        {
          accountId,
          channelType: type,
          scope: isX ? '' : channelId,
          externalId: person.id,
          name: person.name,
          handle: undefined,
          pictureUrl: undefined,
        },
      ])
    ).values()
    if (address === undefined) throw new Error('no contact')
    const now = new Date()
    const visibility = isDirect ? 'direct' : 'public'
    const begun = await storage.conversations.begin(tx, [
      {
        accountId,
        channelId,
        contactId: address.contactId,
        contactAddressId: address.id,
        visibility,
        threadKey: newId(),
        postId: null,
        lastActivityAt: now,
      },
    ])
    const [conversation] = begun.all.values()
    if (conversation === undefined) throw new Error('no conversation')
    const message: Message = {
      id: newId(), accountId, channelId, conversationId: conversation.id, contactId: address.contactId, direction: isOurs ? 'outbound' : 'inbound', kind, visibility,
      externalId, authorId: null, text, inReplyTo: null, extra: null, reactions: null, isHidden: false, occurredAt: now, receivedAt: now, editedAt: null, deletedAt: null,
    } // prettier-ignore
    await storage.messages.insert(tx, [message])
    return message
  })
}
async function weSay(isDirect: boolean, text: string): Promise<string> {
  const path = isDirect ? `/2/dm_conversations/with/${ben.id}/messages` : '/2/tweets'
  const answer = await fetch(`http://127.0.0.1:${String(sandbox.port)}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer token-${account}` },
    body: JSON.stringify({ text }),
  })
  const { data } = (await answer.json()) as { data: { id?: string; dm_event_id?: string } }
  return data.dm_event_id ?? data.id ?? ''
}

const ask = (message: Message, what: AskedAct['what'], more: Partial<AskedAct> = {}): Promise<Act> =>
  askAct(platform.storage, {
    accountId: message.accountId,
    messageId: message.id,
    userId: platform.adminId,
    what,
    ...more,
  })
const contextOf = (node: Node) => ({ ...node, logger })
const work = (message: Message, node: Node = platform) =>
  doActs(contextOf(node), message.accountId, message.conversationId, never)
const actsOf = (message: Message) =>
  platform.storage.acts.ofMessages(platform.storage.primary, message.accountId, [message.id])
const now = async (message: Message): Promise<Message> => {
  const found = await platform.storage.messages.get(platform.storage.primary, message.accountId, message.id)
  if (found === undefined) throw new Error('the message is gone')
  return found
}
/** What was done on the networks to this message, in order. */
const onNetwork = async ({ externalId }: Message): Promise<string[]> => {
  const { items } = (await control('GET', 'acts')) as { items: { what: string; external_id?: string }[] }
  return items.filter((one) => one.external_id === externalId).map(({ what }) => what)
}
const makeDue = (message: Message) =>
  platform.storage.write((tx) =>
    tx.run('update acts set next_attempt_at = utc_timestamp(3) - interval 1 second where message_id = ?', [message.id]),
  )
const facts = async (message: Message): Promise<string[]> => {
  const rows = await platform.storage.primary.query<{ type: string; data: { message_id?: string; change?: string } }>(
    'select type, data from outbox where account_id = ? union all select type, data from events where account_id = ?',
    [message.accountId, message.accountId],
  )
  return rows
    .map(({ type, data }) => ({ type, data: typeof data === 'string' ? (JSON.parse(data) as typeof data) : data }))
    .filter(({ data }) => data.message_id === message.id)
    .map(({ type, data }) => [type, data.change].filter(Boolean).join(' '))
}

describe('done', () => {
  test.each([
    ['x', 'hide', { isHidden: true }],
    ['x', 'like', { reactions: [{ by: account, emoji: '❤️', at: expect.any(String) }] }],
    ['facebook', 'hide', { isHidden: true }],
    ['facebook', 'like', { reactions: [{ by: page, emoji: '👍', at: expect.any(String) }] }],
    ['facebook', 'delete', { text: null, deletedAt: expect.any(Date) }],
  ] as const)('%s: %s a comment, and it looks so here', async (type, what, looks) => {
    const comment = await said({ type, kind: 'comment', text: `rude ${String(++serial)}` })
    const act = await ask(comment, what)
    expect(act).toMatchObject({ state: 'queued', what, createdBy: platform.adminId, attemptCount: 0 })
    await work(comment)
    expect(await onNetwork(comment)).toEqual([what])
    expect(await now(comment)).toMatchObject(looks)
    expect(await actsOf(comment)).toMatchObject([{ state: 'done', attemptCount: 1, nextAttemptAt: null }])
    expect(await facts(comment)).toEqual(expect.arrayContaining(['message.act_queued', 'message.changed act']))
  })

  test('hidden and shown, liked and not: what was is taken back', async () => {
    const comment = await said({ kind: 'comment', text: 'well' })
    for (const what of ['hide', 'unhide', 'like', 'unlike'] as const) {
      await ask(comment, what)
      await work(comment)
    }
    expect(await onNetwork(comment)).toEqual(['hide', 'unhide', 'like', 'unlike'])
    expect(await now(comment)).toMatchObject({ isHidden: false, reactions: [{ emoji: null }] })
  })

  test('our own message is deleted, and its conversation says so', async () => {
    const reply = await said({ kind: 'reply' })
    await ask(reply, 'delete')
    await work(reply)
    expect(await onNetwork(reply)).toEqual(['delete'])
    expect(await now(reply)).toMatchObject({ text: null, deletedAt: expect.any(Date) })
    const { storage, accountId } = platform
    expect(await storage.conversations.get(storage.primary, accountId, reply.conversationId)).toMatchObject({
      preview: '[deleted]',
    })
    expect(await facts(reply)).toContain('message.changed deleted')
    await expect(ask(reply, 'delete')).rejects.toMatchObject({ code: 'deleted_target' })
  })

  test('our own message in three parts: each of them, also when the answer to the second got lost', async () => {
    const reply = await said({ kind: 'reply' })
    const { storage } = platform
    const externalIds = [reply.externalId ?? '', await weSay(true, 'second'), await weSay(true, 'third')]
    const { accountId, channelId, conversationId, id: messageId } = reply
    await storage.write(async (tx) => {
      const parts = externalIds.map((_, part) => ({ part, partCount: 3, text: `part ${String(part)}`, files: [] }))
      await storage.deliveries.insert(
        tx,
        parts.map((part) => ({ ...part, id: newId(), accountId, channelId, conversationId, messageId, seq: null })),
      )
      for (const [part, externalId] of externalIds.entries())
        await tx.run("update deliveries set external_id = ?, state = 'sent' where message_id = ? and part = ?", [
          externalId,
          messageId,
          part,
        ])
    })
    await ask(reply, 'delete')
    await fault('drop_answer', { network: 'x', count: 2 })
    await work(reply)
    expect(await now(reply)).toMatchObject({ deletedAt: null })
    await makeDue(reply)
    await work(reply)
    await makeDue(reply)
    await work(reply)
    for (const externalId of externalIds) expect(await onNetwork({ ...reply, externalId })).toEqual(['delete'])
    expect(await now(reply)).toMatchObject({ text: null, deletedAt: expect.any(Date) })
    const parts = await storage.deliveries.ofMessages(storage.primary, accountId, [messageId])
    expect(parts.filter(({ part, deletedAt }) => part > 0 && deletedAt === null)).toEqual([])
  })

  test('a reaction, by the queue, from the relay to whichever node', async () => {
    running.push(
      startRelay({ ...platform, logger, holder: 'test' }),
      startActs(contextOf(platform), platform.broker, openParking(platform.storage)),
      startActs(contextOf(other), other.broker, openParking(other.storage)),
    )
    const message = await said({ type: 'facebook', kind: 'message', text: 'Thank you!' })
    await ask(message, 'react', { emoji: '🎉' })
    await until(async () => (await actsOf(message))[0]?.state === 'done')
    expect(await onNetwork(message)).toEqual(['react'])
    expect((await now(message)).reactions).toMatchObject([{ by: page, emoji: '🎉' }])
  })

  test('with the broker away, the sweep brings it', async () => {
    const comment = await said({ kind: 'comment', text: 'later' })
    await ask(comment, 'hide')
    await platform.storage.write((tx) =>
      tx.run('update acts set next_attempt_at = utc_timestamp(3) - interval 1 minute where message_id = ?', [
        comment.id,
      ]),
    )
    running.push(
      startActs(contextOf(platform), platform.broker, openParking(platform.storage)),
      startSweep({ ...platform, parking: openParking(platform.storage), logger, holder: 'test' }),
    )
    await until(async () => (await actsOf(comment))[0]?.state === 'done', 20_000)
  })
})

describe('once, and in order', () => {
  test('the same wish under the same id is one', async () => {
    const comment = await said({ kind: 'comment', text: 'once' })
    const id = newId()
    await ask(comment, 'hide', { id })
    await ask(comment, 'hide', { id })
    await work(comment)
    expect(await onNetwork(comment)).toEqual(['hide'])
    expect(await actsOf(comment)).toHaveLength(1)
  })

  test('only the last of what takes each other back is done', async () => {
    const comment = await said({ kind: 'comment', text: 'undecided' })
    for (const what of ['hide', 'unhide', 'hide', 'like'] as const) await ask(comment, what)
    await work(comment)
    expect(await onNetwork(comment)).toEqual(['hide', 'like'])
    expect((await actsOf(comment)).map(({ state, reasonCode }) => reasonCode ?? state)).toEqual([
      'superseded',
      'superseded',
      'done',
      'done',
    ])
  })

  test('two nodes at once: one does it', async () => {
    const comments = await Promise.all(
      Array.from({ length: 8 }, () => said({ kind: 'comment', text: `both ${String(++serial)}` })),
    )
    for (const comment of comments) await ask(comment, 'hide')
    await Promise.all(comments.flatMap((comment) => [work(comment), work(comment, other)]))
    for (const comment of comments) expect(await onNetwork(comment)).toEqual(['hide'])
  })

  test('what comes while the first is being done waits for it', async () => {
    const comment = await said({ kind: 'comment', text: 'slow' })
    await fault('delay_ms', { network: 'x', ms: 300 })
    await ask(comment, 'hide')
    const first = work(comment)
    await until(async () => (await actsOf(comment))[0]?.state === 'doing')
    await ask(comment, 'unhide')
    await work(comment, other)
    await first
    expect(await onNetwork(comment)).toEqual(['hide', 'unhide'])
    expect((await now(comment)).isHidden).toBe(false)
  })

  test('a node that died in the middle: another takes over, and the dead one’s word counts no more', async () => {
    const comment = await said({ kind: 'comment', text: 'orphan' })
    await ask(comment, 'hide')
    const { storage } = platform
    const claimed = await storage.write((tx) =>
      storage.acts.claim(tx, comment.accountId, comment.conversationId, 60_000),
    )
    await work(comment, other)
    expect(await onNetwork(comment)).toEqual([])
    await makeDue(comment)
    await work(comment, other)
    expect(await actsOf(comment)).toMatchObject([{ state: 'done', attemptCount: 2 }])
    if (claimed === undefined) throw new Error('nothing was claimed')
    expect(await storage.write((tx) => storage.acts.conclude(tx, claimed, { state: 'failed' }))).toBe(false)
    expect(await actsOf(comment)).toMatchObject([{ state: 'done' }])
  })
})

describe('not at the first try', () => {
  test.each([
    ['drop_answer', {}],
    ['refuse_code', { code: 503 }],
    ['rate_limited', { ms: 2_000 }],
    ['network_off', {}],
  ])('%s: tried again, without harm', async (name, more) => {
    const comment = await said({ kind: 'comment', text: 'again' })
    await fault(name, { network: 'x', ...more })
    await ask(comment, 'hide')
    await work(comment)
    const [waiting] = await actsOf(comment)
    expect(waiting).toMatchObject({ state: 'queued', attemptCount: 1, reason: expect.any(String) })
    expect(waiting?.nextAttemptAt?.getTime()).toBeGreaterThan(Date.now())
    await makeDue(comment)
    await work(comment)
    expect(await actsOf(comment)).toMatchObject([{ state: 'done', reason: null }])
    expect((await now(comment)).isHidden).toBe(true)
  })

  test.each([
    ['facebook', 'delete', { deletedAt: expect.any(Date) }],
    ['facebook', 'hide', { isHidden: true }],
    ['facebook', 'like', { reactions: [expect.objectContaining({ emoji: '👍' })] }],
    ['x', 'like', { reactions: [expect.objectContaining({ emoji: '❤️' })] }],
  ] as const)('%s: %s happened, but its answer got lost: once more changes nothing', async (type, what, looks) => {
    const comment = await said({ type, kind: 'comment', text: `lost ${String(++serial)}` })
    await fault('drop_answer', { network: type === 'x' ? 'x' : 'meta' })
    await ask(comment, what)
    await work(comment)
    expect(await onNetwork(comment)).toEqual([what])
    await makeDue(comment)
    await work(comment)
    expect(await actsOf(comment)).toMatchObject([{ state: 'done' }])
    expect(await now(comment)).toMatchObject(looks)
  })

  test('eight times, then it has failed, with the last reason', async () => {
    const comment = await said({ kind: 'comment', text: 'never' })
    await fault('refuse_code', { network: 'x', code: 500, count: 8 })
    await ask(comment, 'hide')
    for (let tries = 0; tries < 9; tries += 1) {
      await work(comment)
      if ((await actsOf(comment))[0]?.state === 'failed') break
      await makeDue(comment)
    }
    expect(await actsOf(comment)).toMatchObject([
      { state: 'failed', attemptCount: 8, reason: expect.stringMatching(/^Tried 8 times\./) },
    ])
    expect(await facts(comment)).toContain('message.changed act')
  })

  test('refused: failed at once, in plain words', async () => {
    await control('PUT', 'settings', { x_plan: 'self_serve' })
    const comment = await said({ kind: 'comment', text: 'nice' })
    await ask(comment, 'like')
    await work(comment)
    expect(await actsOf(comment)).toMatchObject([
      { state: 'failed', reasonCode: 'plan', reason: 'The app’s plan at X does not include this.' },
    ])
    expect((await now(comment)).reactions).toBeNull()
    const { storage, accountId } = platform
    expect(await storage.channels.get(storage.primary, accountId, xChannel)).toMatchObject({ state: 'connected' })
  })

  test('a dead token: it waits for the reconnection, then is done', async () => {
    const { storage, accountId } = platform
    const comment = await said({ kind: 'comment', text: 'patience' })
    await fault('expired_token', { network: 'x', count: 20 })
    await ask(comment, 'hide')
    await work(comment)
    expect(await storage.channels.get(storage.primary, accountId, xChannel)).toMatchObject({
      state: 'reconnect_needed',
    })
    expect(await actsOf(comment)).toMatchObject([{ state: 'queued', attemptCount: 1 }])
    await work(comment)
    expect(await actsOf(comment)).toMatchObject([{ state: 'queued', attemptCount: 1 }])
    expect(await storage.acts.findDue(storage.primary, 0, 100)).toEqual([])
    await control('DELETE', 'faults')
    await storage.write((tx) =>
      tx.run("update channels set state = 'connected' where account_id = ? and id = ?", [accountId, xChannel]),
    )
    await work(comment)
    expect(await actsOf(comment)).toMatchObject([{ state: 'done' }])
  })
})

describe('refused by name', () => {
  const refusedAs = (code: string, status = 422): unknown => expect.objectContaining({ code, status })

  test('what the network does not know, and what is not ours to do', async () => {
    const direct = await said({ kind: 'message', text: 'hello' })
    const comment = await said({ kind: 'comment', text: 'hello' })
    const reply = await said({ kind: 'reply' })
    const table = [
      [direct, 'hide', {}, 'act_not_possible'],
      [direct, 'react', { emoji: '🎉' }, 'act_not_possible'],
      [direct, 'delete', {}, 'not_own'],
      [comment, 'delete', {}, 'not_own'],
      [comment, 'react', { emoji: '🎉' }, 'act_not_possible'],
      [reply, 'like', {}, 'act_not_possible'],
      [comment, 'like', { emoji: '🎉' }, 'emoji_not_possible'],
    ] as const
    for (const [message, what, more, code] of table)
      await expect(ask(message, what, more), `${message.kind} ${what}`).rejects.toEqual(refusedAs(code))
  })

  test('a reaction without an emoji, with two, with a word', async () => {
    const message = await said({ type: 'facebook', kind: 'message', text: 'hi' })
    await expect(ask(message, 'react')).rejects.toEqual(refusedAs('emoji_missing'))
    for (const emoji of ['🎉🎉', 'yes', ' ', '1'])
      await expect(ask(message, 'react', { emoji })).rejects.toEqual(refusedAs('emoji_not_possible'))
    await ask(message, 'react', { emoji: '👩🏽‍🚀' })
    expect(await actsOf(message)).toHaveLength(1)
  })

  test('what is not on the network, or of another account', async () => {
    const { storage } = platform
    const reply = await said({ kind: 'reply' })
    await storage.write((tx) => tx.run('update messages set external_id = null where id = ?', [reply.id]))
    await expect(ask(reply, 'delete')).rejects.toEqual(refusedAs('not_on_network'))
    await expect(ask({ ...reply, accountId: newId() }, 'delete')).rejects.toEqual(refusedAs('not_found', 404))
    await expect(ask({ ...reply, id: newId() }, 'delete')).rejects.toEqual(refusedAs('not_found', 404))
    expect(await actsOf(reply)).toEqual([])
  })

  test('on a channel that is no longer connected; what was asked before has failed', async () => {
    const { storage } = platform
    const comment = await said({ kind: 'comment', text: 'bye' })
    await ask(comment, 'hide')
    const set = (value: string) =>
      storage.write((tx) => tx.run(`update channels set disconnected_at = ${value} where id = ?`, [xChannel]))
    await set('utc_timestamp(3)')
    await expect(ask(comment, 'like')).rejects.toEqual(refusedAs('channel_disconnected'))
    await work(comment)
    expect(await actsOf(comment)).toMatchObject([{ state: 'failed', reasonCode: 'gone' }])
    await set('null')
  })
})

describe('shown for a moment', () => {
  const shown = async (): Promise<string[]> => {
    const { items } = (await control('GET', `acts?channel=${page}`)) as { items: { what: string }[] }
    return items.map(({ what }) => what).filter((what) => what === 'typing' || what === 'seen')
  }

  test('typing and seen reach the person, each at most once in five seconds', async () => {
    running.push(startActs(contextOf(other), other.broker, openParking(other.storage)))
    const { storage, broker, accountId } = platform
    const { conversationId } = await said({ type: 'facebook', kind: 'message', text: 'hi' })
    const before = (await shown()).length
    for (const what of ['typing', 'typing', 'seen', 'typing', 'seen'] as const)
      await askSignal(storage, broker, { accountId, conversationId, what })
    await until(async () => (await shown()).length >= before + 2)
    expect((await shown()).slice(before).sort()).toEqual(['seen', 'typing'])
  })

  test('late ones are not shown; nothing is kept, and nothing is thrown', async () => {
    const { accountId } = platform
    const { conversationId } = await said({ type: 'facebook', kind: 'message', text: 'hi' })
    const before = await shown()
    const given = { account_id: accountId, conversation_id: conversationId, signal: 'typing' } as const
    await showSignal(contextOf(platform), { ...given, at: new Date(Date.now() - 6_000) }, never)
    expect(await shown()).toEqual(before)
    await showSignal(contextOf(platform), { ...given, at: new Date(), conversation_id: newId() }, never)
    await fault('network_off', { network: 'meta' })
    await showSignal(contextOf(platform), { ...given, at: new Date() }, never)
    await showSignal(contextOf(platform), { ...given, at: new Date() }, never)
    expect(await shown()).toEqual([...before, 'typing'])
  })

  test('where the network shows no such thing it is refused by name; a broker that is away costs nothing', async () => {
    const { storage, broker, accountId } = platform
    const { conversationId } = await said({ kind: 'message', text: 'hi' })
    await expect(askSignal(storage, broker, { accountId, conversationId, what: 'typing' })).rejects.toMatchObject({
      code: 'act_not_possible',
    })
    await expect(
      askSignal(storage, broker, { accountId: newId(), conversationId, what: 'typing' }),
    ).rejects.toMatchObject({ status: 404 })
    const onPage = await said({ type: 'facebook', kind: 'message', text: 'hi' })
    const away = { publish: () => Promise.reject(new Error('away')) }
    await askSignal(storage, away, { accountId, conversationId: onPage.conversationId, what: 'typing' })
  })
})
