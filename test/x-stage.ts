/** The stage of the tests of X's sending: the sandbox with one account, who hears its webhooks, and files to send. */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterEach, beforeEach } from 'vitest'
import { silentLogger } from '../infra/logger.ts'
import type {
  ChannelAccess,
  OutboundAct,
  OutboundFile,
  OutboundMessage,
  OutboundPost,
  ParsedItem,
} from '../messaging/connectors/connector.ts'
import { xConnector } from '../messaging/connectors/x/connector.ts'
import { x } from '../messaging/connectors/x/network.ts'
import { bytesOf } from '../messaging/sandbox/files.ts'
import { startSandbox } from '../messaging/sandbox/server.ts'
import type { Sandbox } from '../messaging/sandbox/server.ts'

/** Of the contract, what X has all of. */
const connector = xConnector as Required<typeof xConnector>

export const ben = { id: '1589012345678901201', name: 'Ben Okafor', handle: 'benokafor' }
export const account = '1400000000000000001'
export const never: AbortSignal = new AbortController().signal
/** What the webhooks brought, as the connector reads it. */
export const items: ParsedItem[] = []

let home: string
let sandbox: Sandbox
let receiver: Server
/** The first post of the account. */
export let demoPost = ''

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'x-sending-'))
  items.length = 0
  receiver = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const url = new URL(request.url ?? '/', 'http://receiver')
      const headers = Object.fromEntries(Object.entries(request.headers).map(([key, value]) => [key, String(value)]))
      const call = { method: request.method ?? '', query: url.searchParams, headers, body: Buffer.concat(chunks) }
      const handshake = x.answerHandshake(call, { secrets: ['x-secret'], verifyToken: undefined })
      if (handshake !== undefined) return response.writeHead(handshake.status).end(handshake.body)
      items.push(...x.parse(call.body))
      response.writeHead(200).end()
    })
  })
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve))
  sandbox = await startSandbox({ config: { home, listen: { host: '127.0.0.1', port: 0 } }, logger: silentLogger })
  await control('PUT', 'apps', {
    network: 'x',
    app_id: '98',
    secrets: ['x-secret'],
    consumer_key: 'key',
    webhook_url: `http://127.0.0.1:${String((receiver.address() as AddressInfo).port)}/x`,
  })
  const put = await control('PUT', 'channels', {
    type: 'x',
    external_id: account,
    name: 'Harbour',
    handle: 'harbour',
    access_token: 'x-token',
    access_token_secret: 'x-token-secret',
    app_id: '98',
  })
  demoPost = String(put['post_id'])
})

afterEach(async () => {
  await sandbox.stop()
  receiver.closeAllConnections()
  receiver.close()
  rmSync(home, { recursive: true })
})

export const origin = (): string => `http://127.0.0.1:${String(sandbox.port)}`

export async function control(method: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
  const answer = await fetch(`${origin()}/control/${path}`, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  return (await answer.json()) as Record<string, unknown>
}
export const fault = (name: string, more: object = {}): Promise<Record<string, unknown>> =>
  control('POST', 'faults', { fault: name, network: 'x', count: 1, ...more })
/** Somebody says something to the account; its id. */
export async function hears(body: object = {}): Promise<string> {
  const said = { type: 'x', channel: account, person: ben, kind: 'message', text: 'hello', ...body }
  return String((await control('POST', 'say', said))['external_id'])
}

export interface Seen {
  readonly external_id: string
  readonly direction: string
  readonly kind: string
  readonly text: string
  readonly in_reply_to?: string
  readonly quote_of?: string
  readonly files?: readonly { readonly kind: string; readonly url: string; readonly alt_text?: string }[]
  readonly marks?: Readonly<Record<string, unknown>>
}
/** What the account said, as everybody concerned sees it; without the demonstration's post. */
export async function ledger(): Promise<readonly Seen[]> {
  const { items: all } = (await control('GET', `ledger?channel=${account}`)) as { items: Seen[] }
  return all.filter((one) => one.direction === 'outbound' && one.external_id !== demoPost)
}

export function access(more: Partial<ChannelAccess> = {}): ChannelAccess {
  return {
    externalId: account,
    apiBaseUrl: origin(),
    allowHosts: [new URL(origin()).host],
    credentials: { access_token: 'x-token', access_token_secret: 'x-token-secret' },
    app: { secret: 'x-secret', consumerKey: 'key', clientId: undefined, clientSecret: undefined },
    ...more,
  }
}

const types = { png: 'image/png', gif: 'image/gif', mp4: 'video/mp4', wav: 'audio/wav' } as const
/** One of the sandbox's files, such as `photo.png`. `bytes` replaces its content. */
export function file(name: string, more: Partial<OutboundFile> & { bytes?: Buffer } = {}): OutboundFile {
  const { bytes = bytesOf(name) ?? Buffer.alloc(0), ...rest } = more
  const contentType = types[name.split('.').at(-1) as keyof typeof types]
  const family = contentType.split('/')[0]
  return {
    kind: family === 'image' || family === 'video' || family === 'audio' ? family : 'file',
    contentType,
    size: bytes.length,
    name,
    altText: undefined,
    uploadedId: undefined,
    publicUrl: 'https://parley.example/never',
    open: () => Promise.resolve(Readable.from([bytes.subarray(0, 100), bytes.subarray(100)])),
    ...rest,
  }
}
/** A picture of that many bytes. */
export const picture = (size: number): Buffer =>
  Buffer.concat([Buffer.from('\x89PNG', 'latin1'), randomBytes(size - 4)])
export const film = (size: number): Buffer =>
  Buffer.concat([Buffer.from('\0\0\0\x1cftypisom', 'latin1'), randomBytes(size - 12)])

export const outbound = (more: Partial<OutboundMessage> = {}): OutboundMessage => ({
  kind: 'reply',
  reference: 'r',
  text: 'With pleasure',
  contactExternalId: ben.id,
  inReplyTo: undefined,
  lastInboundAt: new Date(),
  ...more,
})
export const post = (more: Partial<OutboundPost> = {}): OutboundPost => ({
  reference: 'p',
  text: 'The ferry sails again',
  link: undefined,
  files: [],
  quoteOf: undefined,
  ...more,
})
export const send = (more: Partial<OutboundMessage> = {}, channel = access()) =>
  connector.send(channel, outbound(more), never)
export const lookUp = (more: Partial<OutboundMessage> = {}, since = new Date(Date.now() - 60_000)) =>
  connector.lookUp(access(), outbound(more), since, never)
export const upload = (given: OutboundFile, use: 'direct' | 'public', begun?: string) =>
  connector.upload(access(), given, use, begun, never)
export const act = (what: OutboundAct['what'], target: string | undefined, thread: OutboundAct['thread'] = 'public') =>
  connector.act(
    access(),
    { what, thread, targetExternalId: target, contactExternalId: ben.id, emoji: undefined },
    never,
  )
export const publish = (more: Partial<OutboundPost> = {}) => connector.publish(access(), post(more), undefined, never)
export const lookUpPost = (more: Partial<OutboundPost> = {}, since = new Date(Date.now() - 60_000)) =>
  connector.lookUpPost(access(), post(more), since, never)

/** Uploads until X has looked at it; the file with its id. */
export async function uploaded(given: OutboundFile, use: 'direct' | 'public'): Promise<OutboundFile> {
  let begun: string | undefined
  for (let tries = 0; tries < 5; tries += 1) {
    const made = await upload(given, use, begun)
    if (made.type === 'ok') return { ...given, uploadedId: made.id }
    if (made.type !== 'processing') throw new Error(JSON.stringify(made))
    begun = made.id
    await control('POST', 'clock', { ms: made.afterMs })
  }
  throw new Error('X never came to an end')
}

export const must = <T>(value: T | undefined): T => {
  if (value === undefined) throw new Error('missing')
  return value
}
export const idOf = (outcome: { readonly type: string; readonly externalId?: string }): string =>
  must(outcome.externalId)

/** A call as a program of our own would make it, answered raw. */
export async function call(
  method: string,
  path: string,
  body?: object | FormData,
): Promise<{ readonly status: number; readonly json: Record<string, unknown>; readonly headers: Headers }> {
  const answer = await fetch(`${origin()}${path}`, {
    method,
    headers: {
      authorization: 'Bearer x-token',
      ...(body === undefined || body instanceof FormData ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: body instanceof FormData ? body : JSON.stringify(body) }),
  })
  return { status: answer.status, json: (await answer.json()) as Record<string, unknown>, headers: answer.headers }
}

export async function until(check: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 300; tries += 1) {
    if (await check()) return
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  throw new Error('it never came')
}
