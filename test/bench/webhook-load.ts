/** Load for the webhook benchmark, in a process of its own: keep-alive connections on raw sockets, one request in hand on each. */
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { z } from 'zod'
import { signMeta } from '../../messaging/connectors/meta/signature.ts'

/** What the parent asks for. */
const order = z.object({
  port: z.number(),
  path: z.string(),
  secret: z.string(),
  connections: z.number(),
  bytes: z.number(),
  ms: z.number(),
})
export type LoadOrder = z.infer<typeof order>

/** What it hears: requests answered by 200, all others, and the time taken. */
export interface LoadAnswer {
  readonly good: number
  readonly bad: number
  readonly ms: number
  readonly p99Ms: number
}

process.on('message', (message) => {
  void generate(order.parse(message)).then((answer) => process.send?.(answer))
})

const variants = 512

async function generate(wish: LoadOrder): Promise<LoadAnswer> {
  const requests = Array.from({ length: variants }, (_, index) => requestOf(wish, index))
  const sockets = await Promise.all(Array.from({ length: wish.connections }, () => open(wish.port)))
  const times: number[] = []
  let good = 0
  let bad = 0
  let next = 0
  const begin = performance.now()
  const end = begin + wish.ms
  await Promise.all(
    sockets.map(
      (socket) =>
        new Promise<void>((resolve, reject) => {
          let sentAt = 0
          let head = ''
          const send = (): void => {
            sentAt = performance.now()
            if (sentAt >= end) {
              socket.destroy()
              resolve()
              return
            }
            socket.write(requests[next++ % variants] ?? '')
          }
          socket.on('error', reject)
          socket.on('data', (bytes: Buffer) => {
            head += bytes.toString('latin1')
            // Both servers answer with a body of two bytes after the head.
            const mark = head.indexOf('\r\n\r\n')
            if (mark === -1 || head.length < mark + 6) return
            if (head.startsWith('HTTP/1.1 200')) good += 1
            else bad += 1
            head = ''
            times.push(performance.now() - sentAt)
            send()
          })
          send()
        }),
    ),
  )
  times.sort((a, b) => a - b)
  return { good, bad, ms: performance.now() - begin, p99Ms: times[Math.floor(times.length * 0.99)] ?? 0 }
}

/** One Messenger message, padded to the wanted size and signed. */
function requestOf({ path, secret, bytes }: LoadOrder, index: number): Buffer {
  const make = (text: string): string =>
    JSON.stringify({
      object: 'page',
      entry: [
        {
          id: '100001',
          time: 1_700_000_000_000,
          messaging: [
            {
              sender: { id: `72${String(index)}` },
              recipient: { id: '100001' },
              timestamp: 1_700_000_000_000,
              message: { mid: `m_bench_${String(index)}`, text },
            },
          ],
        },
      ],
    })
  const body = Buffer.from(make('x'.repeat(bytes - Buffer.byteLength(make('')))))
  const signature = Object.entries(signMeta(body, secret)).map(([name, value]) => `${name}: ${value}\r\n`)
  const head = `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\nuser-agent: facebookexternalua\r\naccept: */*\r\ncontent-type: application/json\r\ncontent-length: ${String(body.length)}\r\n${signature.join('')}\r\n`
  return Buffer.concat([Buffer.from(head), body])
}

function open(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    socket.once('connect', () => {
      resolve(socket)
    })
    socket.once('error', reject)
  })
}
