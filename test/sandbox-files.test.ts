/** The sandbox's files: one set, whichever network they are said on; addresses that die; closed ones. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { silentLogger } from '../infra/logger.ts'
import { startSandbox } from '../messaging/sandbox/server.ts'
import type { Sandbox } from '../messaging/sandbox/server.ts'

let home: string
let sandbox: Sandbox
let base: string

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'files-'))
  sandbox = await startSandbox({ config: { home, listen: { host: '127.0.0.1', port: 0 } }, logger: silentLogger })
  base = `http://127.0.0.1:${String(sandbox.port)}/sandbox`
  const webhook = { secrets: ['secret'], webhook_url: 'http://127.0.0.1:9/' }
  for (const [network, app_id] of [['meta', '99'], ['x', '98']]) await control('PUT', 'apps', { network, app_id, ...webhook }) // prettier-ignore
  for (const [type, external_id, app_id] of [['facebook', '11', '99'], ['whatsapp', '12', '99'], ['x', '13', '98']])
    await control('PUT', 'channels', { type, external_id, name: 'Harbour', access_token: `token-${String(type)}`, app_id }) // prettier-ignore
})
afterAll(async () => {
  await sandbox.stop()
  rmSync(home, { recursive: true })
})

const control = (method: string, path: string, body: unknown): Promise<Response> =>
  fetch(`${base}/control/${path}`, { method, body: JSON.stringify(body) })
const person = { id: '71', name: 'Ana' }
const lastPicture = async (channel: string): Promise<URL> => {
  const answer = (await (await fetch(`${base}/control/ledger?channel=${channel}`)).json()) as { items: { picture?: string; files?: { url?: string }[] }[] } // prettier-ignore
  const last = answer.items.at(-1)
  return new URL(last?.picture ?? last?.files?.[0]?.url ?? '')
}
const bytesAt = async (url: URL | string): Promise<Buffer> => Buffer.from(await (await fetch(url)).arrayBuffer())

test('the same picture by either way of saying it, under one kind of address', async () => {
  await control('POST', 'say', { type: 'facebook', channel: '11', person, text: 'look', media: 'photo' })
  const said = await lastPicture('11')
  await control('POST', 'meta/say', { channel: '11', person, files: [{ kind: 'image' }] })
  const other = await lastPicture('11')
  await control('POST', 'say', { type: 'x', channel: '13', person, kind: 'mention', text: 'look', media: 'photo' })
  const third = await lastPicture('13')
  expect([said, other, third].map(({ pathname }) => pathname)).toEqual(Array(3).fill('/sandbox/media/photo.png'))
  const [first, second] = [await bytesAt(said), await bytesAt(other)]
  expect(first.equals(second)).toBe(true)
  expect(await sharp(first).metadata()).toMatchObject({ format: 'png', width: 640, height: 480 })
})

test('bad ones are bad, and an address dies', async () => {
  await expect(sharp(await bytesAt(`${base}/media/broken.png`), { failOn: 'truncated' }).toBuffer()).rejects.toThrow()
  await control('POST', 'say', { type: 'facebook', channel: '11', person, text: 'look', media: 'broken', media_expires_ms: 60_000 }) // prettier-ignore
  const url = await lastPicture('11')
  expect((await fetch(url)).status).toBe(200)
  await control('POST', 'clock', { ms: 61_000 })
  expect((await fetch(url)).status).toBe(403)
  expect((await fetch(`${base}/media/nothing.png`)).status).toBe(404)
})

test("X's pictures of direct messages and WhatsApp's files are open to nobody without a token", async () => {
  await control('POST', 'say', { type: 'x', channel: '13', person, kind: 'message', text: 'look', media: 'photo' })
  const closed = await lastPicture('13')
  expect(closed.pathname).toMatch(/^\/sandbox\/1\.1\/ton\/data\/dm\//)
  expect((await fetch(closed)).status).toBe(401)
  expect((await fetch(`${base}/media/photo.png?wa=12`)).status).toBe(401)
  const headers = { authorization: 'Bearer token-whatsapp' }
  expect((await fetch(`${base}/media/photo.png?wa=12`, { headers })).status).toBe(200)
})
