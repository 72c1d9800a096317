/** Downloads against real servers: what bounds them, and where a redirect may lead. */
import type { ServerResponse } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openDownloads } from '../infra/download.ts'
import type { Download } from '../infra/download.ts'
import { OutsideError } from '../infra/outside.ts'
import type { ResolveName } from '../infra/outside.ts'
import { openFileServer } from './file-server.ts'
import type { FileServer } from './file-server.ts'

let server: FileServer
let second: FileServer
beforeAll(async () => {
  server = await openFileServer()
  second = await openFileServer()
})
afterAll(async () => {
  await server.close()
  await second.close()
})

const limits = { maxBytes: 1_000_000, limitMs: 5_000, stallMs: 300 }
const callOf = (url: string, more: Partial<Download> = {}): Download => ({
  url,
  ...limits,
  allowHosts: [server.host, second.host],
  ...more,
})

async function read(call: Download, download = openDownloads()): Promise<{ status: number; text: string }> {
  const { status, body } = await download(call)
  return { status, text: (await buffer(body)).toString() }
}
async function failure(call: Download, download = openDownloads()): Promise<string> {
  try {
    await read(call, download)
  } catch (error) {
    if (error instanceof OutsideError) return error.code
    throw error
  }
  return 'none'
}
const redirect = (to: string) => (response: ServerResponse) =>
  void response.writeHead(302, { location: to }).end('moved')

it('gives the bytes as they come', async () => {
  server.serve('/slow', (response) => {
    response.write('one ')
    setTimeout(() => response.end('two'), 100)
  })
  expect(await read(callOf(`${server.url}/slow`))).toEqual({ status: 200, text: 'one two' })
  expect((await read(callOf(`${server.url}/absent`))).status).toBe(404)
})

it('follows three redirects, relative ones too, and no fourth', async () => {
  server.serve('/a', Buffer.from('there'))
  for (const [from, to] of [
    ['/b', '/a'],
    ['/c', 'b'],
    ['/d', '/c'],
    ['/e', '/d'],
    ['/loop', '/loop'],
  ] as const)
    server.serve(from, redirect(to))
  expect(await read(callOf(`${server.url}/d`))).toEqual({ status: 200, text: 'there' })
  expect(await failure(callOf(`${server.url}/e`))).toBe('redirects')
  expect(await failure(callOf(`${server.url}/loop`))).toBe('redirects')
  expect(server.count('/loop')).toBe(4)
})

it.each([
  ['https://127.0.0.1/', 'address_refused'],
  ['https://127.0.0.1:22/', 'address_refused'],
  ['https://169.254.169.254/latest/meta-data/', 'address_refused'],
  ['http://169.254.169.254/latest/meta-data/', 'url'],
  ['https://[::1]/', 'address_refused'],
  ['https://[::ffff:10.0.0.1]/', 'address_refused'],
  ['https://0x7f000001/', 'address_refused'],
  ['https://localhost/', 'address_refused'],
  ['https://10.0.0.1/', 'address_refused'],
  ['http://example.com/', 'url'],
  ['file:///etc/passwd', 'url'],
  ['//user:word@example.com/', 'url'],
  ['https://', 'url'],
])('a redirect to %s is refused', async (to, code) => {
  server.serve('/away', redirect(to))
  expect(await failure(callOf(`${server.url}/away`))).toBe(code)
  expect(await failure(callOf(to.startsWith('//') ? `https:${to}` : to))).toBe(code)
})

it('a name that changes its mind is checked when connecting, each time', async () => {
  const answers = ['127.0.0.1', '169.254.169.254', '::1', '::ffff:127.0.0.1', '10.9.8.7']
  for (const bad of answers) {
    const asked: string[] = []
    // Public when somebody looks beforehand, private when the connection is made.
    const resolve: ResolveName = (host, _options, callback) => {
      asked.push(host)
      callback(null, [
        { address: '93.184.215.14', family: 4 },
        { address: bad, family: bad.includes(':') ? 6 : 4 },
      ])
    }
    const download = openDownloads(resolve)
    expect(await failure(callOf('https://rebinding.example/'), download)).toBe('address_refused')
    server.serve('/to-name', redirect('https://rebinding.example/secret'))
    expect(await failure(callOf(`${server.url}/to-name`), download)).toBe('address_refused')
    expect(asked).toEqual(['rebinding.example', 'rebinding.example'])
  }
})

it('a redirect to an allowed host is no way to another port or name of it', async () => {
  server.serve('/port', redirect(`http://127.0.0.1:9/`))
  server.serve('/name', redirect(server.url.replace('127.0.0.1', 'localhost')))
  expect(await failure(callOf(`${server.url}/port`))).toBe('url')
  expect(await failure(callOf(`${server.url}/name`))).toBe('url')
})

it('shows who we are to the first host alone', async () => {
  const headers = { authorization: 'Bearer secret' }
  second.serve('/back', redirect(`${server.url}/end`))
  server.serve('/first', redirect(`${second.url}/back`))
  server.serve('/same', redirect('/end'))
  server.serve('/end', Buffer.from('end'))
  const seen = () =>
    [...server.asked, ...second.asked].map(({ path, headers: { authorization } }) => [path, authorization])
  server.asked.length = 0
  await read(callOf(`${server.url}/same`, { headers }))
  expect(seen()).toEqual([
    ['/same', 'Bearer secret'],
    ['/end', 'Bearer secret'],
  ])
  server.asked.length = 0
  await read(callOf(`${server.url}/first`, { headers }))
  // Not even when it comes back.
  expect(seen()).toEqual([
    ['/first', 'Bearer secret'],
    ['/end', undefined],
    ['/back', undefined],
  ])
})

it('ends what is endless, silent, or longer than it may be', async () => {
  let isOpen = true
  server.serve('/endless', (response) => {
    response.on('close', () => (isOpen = false))
    const more = (): void => {
      while (isOpen && response.write(Buffer.alloc(65_536)));
      if (isOpen) response.once('drain', more)
    }
    more()
  })
  expect(await failure(callOf(`${server.url}/endless`))).toBe('too_large')
  await expect.poll(() => isOpen).toBe(false)
  server.serve('/announced', (response) => response.writeHead(200, { 'content-length': '2000000' }).flushHeaders())
  expect(await failure(callOf(`${server.url}/announced`))).toBe('too_large')
  server.serve('/silent', () => undefined)
  expect(await failure(callOf(`${server.url}/silent`, { stallMs: 100 }))).toBe('time_limit')
  server.serve('/falls-silent', (response) => void response.write('x'))
  expect(await failure(callOf(`${server.url}/falls-silent`, { stallMs: 100 }))).toBe('time_limit')
  server.serve('/drips', (response) => {
    const timer = setInterval(() => response.write('x'), 20)
    response.on('close', () => {
      clearInterval(timer)
    })
  })
  const startedAt = performance.now()
  expect(await failure(callOf(`${server.url}/drips`, { limitMs: 300 }))).toBe('time_limit')
  expect(performance.now() - startedAt).toBeLessThan(2_000)
  server.serve('/breaks', (response) =>
    response.writeHead(200, { 'content-length': '100' }).write('x', () => response.destroy()),
  )
  expect(await failure(callOf(`${server.url}/breaks`))).toBe('connection_lost')
})

it('breaks off when told, before and during; nobody needs to read what came', async () => {
  expect(await failure(callOf(`${server.url}/drips`, { signal: AbortSignal.abort() }))).toBe('aborted')
  const control = new AbortController()
  setTimeout(() => {
    control.abort()
  }, 50)
  expect(await failure(callOf(`${server.url}/drips`, { signal: control.signal }))).toBe('aborted')
  const left = await openDownloads()(callOf(`${server.url}/drips`, { limitMs: 50 }))
  await sleep(150)
  left.discard()
})
