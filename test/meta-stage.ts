/** The stage of the tests of Meta's connectors: the sandbox with a page, an Instagram account and a WhatsApp number, and who hears its webhooks. */
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect } from 'vitest'
import { silentLogger } from '../infra/logger.ts'
import { connectorOf, networks } from '../messaging/connectors/registry.ts'
import type {
  Asked,
  ChannelAccess,
  Connector,
  InboundEvent,
  OutboundMessage,
  ParsedItem,
} from '../messaging/connectors/connector.ts'
import { startSandbox } from '../messaging/sandbox/server.ts'
import type { Sandbox } from '../messaging/sandbox/server.ts'

export type Type = 'facebook' | 'instagram' | 'whatsapp'
export const ids: Readonly<Record<Type, string>> = {
  facebook: '1122334455',
  instagram: '17841400000000001',
  whatsapp: '106540352242922',
}
export const people: Readonly<Record<Type, { id: string; name: string; handle?: string }>> = {
  facebook: { id: '7100000000000001', name: 'Ana Duarte' },
  instagram: { id: '990000000000001', name: 'Mia Sato', handle: 'mia.sato' },
  whatsapp: { id: '16505551234', name: 'Joe Kim' },
}
export const signal = AbortSignal.timeout(120_000)
export const webhook = { url: 'http://127.0.0.1/meta', verifyToken: 'verify-me' }

let home: string
let sandbox: Sandbox
let receiver: Server
/** What the webhooks brought, as our connectors read it. */
export const items: ParsedItem[] = []

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'sandbox-'))
  items.length = 0
  receiver = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const url = new URL(request.url ?? '/', 'http://receiver')
      const headers = Object.fromEntries(Object.entries(request.headers).map(([key, value]) => [key, String(value)]))
      const call = { method: request.method ?? '', query: url.searchParams, headers, body: Buffer.concat(chunks) }
      const app = { secrets: ['meta-secret'], verifyToken: 'verify-me' }
      const handshake = networks.meta.answerHandshake(call, app)
      if (handshake !== undefined) return response.writeHead(handshake.status).end(handshake.body)
      expect(networks.meta.verify(call, app)).toBe(true)
      items.push(...networks.meta.parse(call.body))
      response.writeHead(200).end()
    })
  })
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve))
  sandbox = await startSandbox({ config: { home, listen: { host: '127.0.0.1', port: 0 } }, logger: silentLogger })
  const to = `http://127.0.0.1:${String((receiver.address() as AddressInfo).port)}/meta`
  await control('PUT', 'apps', {
    network: 'meta',
    app_id: '99',
    secrets: ['meta-secret'],
    verify_token: 'verify-me',
    webhook_url: to,
  })
  for (const type of ['facebook', 'instagram', 'whatsapp'] as const)
    await control('PUT', 'channels', {
      type,
      external_id: ids[type],
      name: 'Harbour',
      handle: 'harbour',
      // The page and its Instagram account share a token, as they do at Meta.
      access_token: type === 'whatsapp' ? 'wa-token' : 'page-token',
      app_id: '99',
      ...(type === 'instagram' ? { page_id: ids.facebook } : {}),
    })
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
  const json = (await answer.json()) as Record<string, unknown>
  expect(answer.ok, `${path}: ${JSON.stringify(json)}`).toBe(true)
  return json
}

export const customer = (type: Type, more: object = {}) =>
  control('POST', 'meta/say', { channel: ids[type], person: people[type], ...more })
export const change = (type: Type, more: object) => control('POST', 'meta/change', { channel: ids[type], ...more })

export function connector(type: Type): Connector {
  const found = connectorOf(type)
  if (found === undefined) throw new Error(`no connector for ${type}`)
  return found
}

export function access(type: Type, credentials: Readonly<Record<string, string>> = {}): ChannelAccess {
  return {
    externalId: ids[type],
    apiBaseUrl: origin(),
    allowHosts: [new URL(origin()).host],
    credentials: { access_token: type === 'whatsapp' ? 'wa-token' : 'page-token', ...credentials },
    app: { secret: 'meta-secret', consumerKey: undefined, clientId: '99', clientSecret: undefined },
  }
}

export const outbound = (type: Type, more: Partial<OutboundMessage> = {}): OutboundMessage => ({
  kind: 'reply',
  reference: 'delivery-1',
  text: 'With pleasure',
  contactExternalId: people[type].id,
  inReplyTo: undefined,
  lastInboundAt: new Date(),
  ...more,
})
export const send = (type: Type, more: Partial<OutboundMessage> = {}) =>
  connector(type).send(access(type), outbound(type, more), signal)

export function good<T>(asked: Asked<T> | undefined): T {
  if (asked?.type !== 'ok') throw new Error(`refused: ${JSON.stringify(asked)}`)
  return asked.value
}

export async function until<T>(look: () => T | undefined): Promise<T> {
  for (let tries = 0; tries < 200; tries += 1) {
    const found = look()
    if (found !== undefined) return found
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  throw new Error(`it did not come; there came ${JSON.stringify(items.map(({ event }) => event))}`)
}
export const came = <Kind extends InboundEvent['type']>(
  type: Kind,
  fits: (event: Extract<InboundEvent, { type: Kind }>) => boolean = () => true,
) =>
  until(() =>
    items
      .map(({ event }) => event)
      .find(
        (event): event is Extract<InboundEvent, { type: Kind }> =>
          event.type === type && fits(event as Extract<InboundEvent, { type: Kind }>),
      ),
  )

/** Where the webhooks are heard. */
export const hearsAt = (): string => `http://127.0.0.1:${String((receiver.address() as AddressInfo).port)}/meta`
