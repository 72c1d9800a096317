/** Calls to the outside against real servers: what is refused, what is limited, and whether a failed request may have left. */
import { createServer } from 'node:http'
import type { RequestListener, Server } from 'node:http'
import { createServer as createTcpServer } from 'node:net'
import type { AddressInfo, Server as TcpServer, Socket } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { callOutside, isPublicAddress, OutsideError } from '../infra/outside.ts'
import type { OutsideCall } from '../infra/outside.ts'

const open: (Server | TcpServer)[] = []
const sockets = new Set<Socket>()
afterEach(() => {
  for (const socket of sockets) socket.destroy()
  for (const server of open.splice(0)) server.close()
})

async function listen(server: Server | TcpServer): Promise<string> {
  open.push(server)
  server.on('connection', (socket: Socket) => sockets.add(socket))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `127.0.0.1:${String((server.address() as AddressInfo).port)}`
}
const serve = (listener: RequestListener): Promise<string> => listen(createServer(listener))

async function failure(call: OutsideCall): Promise<Pick<OutsideError, 'code' | 'left'>> {
  try {
    await callOutside(call)
  } catch (error) {
    if (error instanceof OutsideError) return { code: error.code, left: error.left }
    throw error
  }
  throw new Error('the call went through')
}

// prettier-ignore
test.each([
  '127.0.0.1', '10.1.2.3', '172.16.0.1', '172.31.255.255', '192.168.1.1', '169.254.169.254', '100.64.0.1', '0.0.0.0', '224.0.0.1', '255.255.255.255', '198.18.0.1', '192.0.2.1',
  '::', '::1', '::ffff:8.8.8.8', '::ffff:127.0.0.1', '64:ff9b::7f00:1', 'fe80::1', 'fc00::1', 'ff02::1', '2001:db8::1', '2002:7f00:1::', '2001::1', 'nonsense',
])('%s is not public', (address) => { expect(isPublicAddress(address)).toBe(false) })

test.each(['8.8.8.8', '157.240.1.35', '172.32.0.1', '100.128.0.1', '2606:4700::1111', '2a03:2880:f12f::1'])(
  '%s is public',
  (address) => {
    expect(isPublicAddress(address)).toBe(true)
  },
)

describe('refused before anything leaves', () => {
  test.each([
    ['https://127.0.0.1/', 'address_refused'],
    ['https://0x7f.1/', 'address_refused'],
    ['https://2130706433/', 'address_refused'],
    ['https://[::1]/', 'address_refused'],
    ['https://[::ffff:127.0.0.1]/', 'address_refused'],
    ['https://169.254.169.254/latest/meta-data', 'address_refused'],
    // A name is resolved only when connecting.
    ['https://localhost/', 'address_refused'],
    ['http://example.com/', 'url'],
    ['file:///etc/passwd', 'url'],
    ['https://user:password@example.com/', 'url'],
    ['nonsense', 'url'],
    ['https://no-such-name.invalid/', 'dns'],
  ])('%s', async (url, code) => {
    expect(await failure({ url })).toEqual({ code, left: false })
  })

  test('an allowed host and port opens neither another port nor another name', async () => {
    let calls = 0
    const host = await serve((_request, response) => {
      calls += 1
      response.end('ok')
    })
    expect((await callOutside({ url: `http://${host}/`, allowHosts: [host] })).body.toString()).toBe('ok')
    expect(await failure({ url: `https://${host}/`, allowHosts: ['127.0.0.1:1'] })).toEqual({
      code: 'address_refused',
      left: false,
    })
    expect(await failure({ url: `https://${host.replace('127.0.0.1', 'localhost')}/`, allowHosts: [host] })).toEqual({
      code: 'address_refused',
      left: false,
    })
    expect(calls).toBe(1)
  })
})

describe('surely not sent', () => {
  test('nobody listens', async () => {
    const host = await serve(() => undefined)
    open.splice(0).forEach((server) => server.close())
    expect(await failure({ url: `http://${host}/`, allowHosts: [host] })).toEqual({ code: 'connect', left: false })
  })

  test('the other side speaks no TLS', async () => {
    const host = await listen(
      createTcpServer((socket) => socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))),
    )
    expect(await failure({ url: `https://${host}/`, allowHosts: [host] })).toEqual({ code: 'tls', left: false })
  })

  test('the time ends before the connection stands', async () => {
    const host = await listen(createTcpServer(() => undefined))
    const started = Date.now()
    expect(await failure({ url: `https://${host}/`, allowHosts: [host], limitMs: 100 })).toEqual({
      code: 'time_limit',
      left: false,
    })
    expect(Date.now() - started).toBeLessThan(2000)
  })

  test('broken off before it began', async () => {
    let calls = 0
    const host = await serve(() => (calls += 1))
    expect(await failure({ url: `http://${host}/`, allowHosts: [host], signal: AbortSignal.abort() })).toEqual({
      code: 'aborted',
      left: false,
    })
    const control = new AbortController()
    const call = failure({ url: `http://${host}/`, allowHosts: [host], signal: control.signal })
    control.abort()
    expect(await call).toEqual({ code: 'aborted', left: false })
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(calls).toBe(0)
  })
})

describe('may have left', () => {
  test('no answer within the time', async () => {
    const host = await serve(() => undefined)
    expect(await failure({ url: `http://${host}/`, allowHosts: [host], limitMs: 100 })).toEqual({
      code: 'time_limit',
      left: true,
    })
  })

  test('broken off while waiting', async () => {
    const control = new AbortController()
    const host = await serve(() => {
      control.abort()
    })
    expect(await failure({ url: `http://${host}/`, allowHosts: [host], signal: control.signal })).toEqual({
      code: 'aborted',
      left: true,
    })
  })

  test('the answer breaks off in the middle', async () => {
    const host = await serve((_request, response) => {
      response.writeHead(200, { 'content-length': '100' })
      response.write('half', () => response.destroy())
    })
    expect(await failure({ url: `http://${host}/`, allowHosts: [host] })).toEqual({
      code: 'connection_lost',
      left: true,
    })
  })

  test.each(['GET', 'POST'] as const)('a kept connection is reset after %s was written: once only', async (method) => {
    let calls = 0
    let connections = 0
    const server = createServer((request, response) => {
      calls += 1
      if (request.url === '/first') response.end('ok')
      else request.socket.resetAndDestroy()
    })
    server.on('connection', () => (connections += 1))
    const host = await listen(server)
    await callOutside({ url: `http://${host}/first`, allowHosts: [host] })
    // The connection is free for the next call a moment after the answer.
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(
      await failure({
        url: `http://${host}/second`,
        method,
        allowHosts: [host],
        ...(method === 'POST' ? { body: 'x' } : {}),
      }),
    ).toEqual({ code: 'connection_lost', left: true })
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect({ calls, connections }).toEqual({ calls: 2, connections: 1 })
  })

  test('an answer that is too large', async () => {
    const host = await serve((_request, response) => response.end(Buffer.alloc(5000)))
    expect(await failure({ url: `http://${host}/`, allowHosts: [host], maxBytes: 4999 })).toEqual({
      code: 'too_large',
      left: true,
    })
    expect((await callOutside({ url: `http://${host}/`, allowHosts: [host], maxBytes: 5000 })).body).toHaveLength(5000)
  })
})

test('a redirect is an answer and is not followed', async () => {
  let calls = 0
  const host = await serve((_request, response) => {
    calls += 1
    response.writeHead(302, { location: '/there' }).end()
  })
  const answer = await callOutside({ url: `http://${host}/`, allowHosts: [host] })
  expect([answer.status, answer.headers.location, calls]).toEqual([302, '/there', 1])
})

test('method, headers and bytes go out as given', async () => {
  const host = await serve((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () =>
      response.end(
        `${String(request.method)} ${String(request.headers['x-test'])} ${Buffer.concat(chunks).toString('hex')}`,
      ),
    )
  })
  const answer = await callOutside({
    url: `http://${host}/`,
    method: 'PUT',
    headers: { 'x-test': 'yes' },
    body: new Uint8Array([0, 255]),
    allowHosts: [host],
  })
  expect(answer.body.toString()).toBe('PUT yes 00ff')
})
