/** Holds the streams of many browsers, and says how long after a request each of them had the event. Run as a child by `fanout.ts`. */
import { createHmac } from 'node:crypto'
import { request } from 'node:http'
import type { ClientRequest } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'

export interface FanoutOrder {
  readonly port: number
  /** One stream for each. */
  readonly tokens: readonly string[]
  /** Where the event is caused: signed bodies for the webhook door. */
  readonly path: string
  readonly secret: string
  readonly bodies: readonly string[]
}

export interface FanoutAnswer {
  /** Milliseconds from the request to each stream's having its event. */
  readonly all: readonly number[]
}

const marker = 'event: message.received\n'
const limitMs = 30_000

/** Opens the streams; what is given is called at each event of each. */
export async function openStreams(
  order: Pick<FanoutOrder, 'port' | 'tokens'>,
  onEvent: () => void,
): Promise<{ close: () => void }> {
  const open: ClientRequest[] = []
  const tokens = [...order.tokens]
  const openOne = (token: string): Promise<void> =>
    new Promise<void>((resolve, reject) => {
      const headers = { authorization: `Bearer ${token}` }
      const asked = request(
        { host: '127.0.0.1', port: order.port, path: '/api/v1/live', headers, agent: false },
        (response) => {
          if (response.statusCode !== 200) reject(new Error(`a stream was answered ${String(response.statusCode)}`))
          let rest = ''
          response.setEncoding('latin1')
          response.on('data', (chunk: string) => {
            rest += chunk
            const end = rest.lastIndexOf('\n\n')
            if (end < 0) return
            const whole = rest.slice(0, end)
            rest = rest.slice(end + 2)
            for (let at = whole.indexOf(marker); at >= 0; at = whole.indexOf(marker, at + 1)) onEvent()
          })
          response.on('error', () => undefined)
          resolve()
        },
      )
      asked.on('error', reject)
      asked.end()
      open.push(asked)
    })
  const openSome = async (): Promise<void> => {
    for (let token = tokens.pop(); token !== undefined; token = tokens.pop()) await openOne(token)
  }
  await Promise.all(Array.from({ length: 16 }, openSome))
  return {
    close() {
      for (const each of open) each.destroy()
    },
  }
}

async function measure(order: FanoutOrder): Promise<FanoutAnswer> {
  const all: number[] = []
  let at = 0
  let waiting = 0
  let arrived = (): void => undefined
  const streams = await openStreams(order, () => {
    if (waiting === 0) return
    all.push(performance.now() - at)
    waiting -= 1
    if (waiting === 0) arrived()
  })
  await sleep(4_000)
  for (const body of order.bodies) {
    // At any moment of whatever goes round there.
    await sleep(60 + Math.random() * 120)
    const done = new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new Error(`${String(waiting)} streams did not hear of an event`))
      }, limitMs)
      arrived = () => {
        clearTimeout(timer)
        resolve()
      }
    })
    waiting = order.tokens.length
    at = performance.now()
    await Promise.all([post(order, body), done])
  }
  streams.close()
  return { all }
}

export const post = (
  { port, path, secret }: Pick<FanoutOrder, 'port' | 'path' | 'secret'>,
  body: string,
): Promise<void> =>
  new Promise((resolve, reject) => {
    const asked = request(
      {
        ...{ host: '127.0.0.1', port, path, method: 'POST', agent: false },
        headers: {
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
          'x-hub-signature-256': `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`,
        },
      },
      (response) => {
        response.resume()
        if (response.statusCode === 200) resolve()
        else reject(new Error(`the webhook was answered ${String(response.statusCode)}`))
      },
    )
    asked.on('error', reject)
    asked.end(body)
  })

if (process.send !== undefined)
  process.on('message', (order: FanoutOrder) => {
    measure(order).then(
      (answer) => process.send?.(answer),
      (error: unknown) => {
        process.send?.({ error: String(error) })
      },
    )
  })
