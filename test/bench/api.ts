/**
 * The list of conversations over express, with who asks looked up and everything read, against a bare express handler that sends the
 * same bytes: requests a second by eight clients, in turn. Once with all clients at one list, as after a fact that all browsers have heard
 * of; once with every request for another.
 */
import { createServer, get, Agent } from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'
import { openSite } from '../web-site.ts'
import type { BenchResult, Options } from './run.ts'
import { seedAccount } from './seed.ts'

const rounds = 5
const clients = 8
const seconds = 2
const path = '/api/v1/conversations?status=open&limit=50'

export async function run({ conversations = 20_000 }: Options): Promise<BenchResult> {
  const site = await openSite({ PARLEY_REPLICA_URLS: '' })
  const agent = new Agent({ keepAlive: true, maxSockets: clients })
  const bare = express()
  const server = createServer(bare)
  try {
    const node = await site.addNode()
    await seedAccount(site, site.ana, 'half', conversations, 0)
    const { accountId, userId } = site.ana
    // One token has an allowance of its own.
    const tokens = await site.storage.write((tx) =>
      Promise.all(
        Array.from({ length: clients }, (_, n) =>
          site.storage.tokens.create(tx, { accountId, userId, name: `client ${String(n)}` }),
        ),
      ),
    )
    const headersOf = (n: number) => ({ authorization: `Bearer ${tokens[n]?.text ?? ''}` })
    const text = await fetchText(`${node.url}${path}`, headersOf(0), agent)
    bare.disable('x-powered-by').disable('etag')
    bare.get('/api/v1/conversations', (_request, response) => {
      response.setHeader('cache-control', 'no-store')
      response.type('application/json').send(text)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const other = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`
    const [ours, limit, apart]: [number[], number[], number[]] = [[], [], []]
    for (let round = -1; round < rounds; round++) {
      const one = await rateOf((n) => fetchText(`${node.url}${path}`, headersOf(n), agent))
      const two = await rateOf((n) => fetchText(`${other}${path}`, headersOf(n), agent))
      // Every request for another list, so that none is given twice.
      const three = await rateOf((n, turn) => {
        const since = new Date(Date.UTC(2020, 0, 1) + (turn * clients + n) * 1000 + round).toISOString()
        return fetchText(`${node.url}${path}&since=${since}`, headersOf(n), agent)
      })
      if (round < 0) continue
      ours.push(one)
      limit.push(two)
      apart.push(three)
    }
    const median = (list: number[]): number => [...list].sort((a, b) => a - b)[list.length >> 1] ?? 0
    return {
      ...{ name: 'api', ours: Math.round(median(ours)), limit: Math.round(median(limit)) },
      ratio: Number((median(ours) / median(limit)).toFixed(3)),
      ...{ unit: 'requests/s', runs: rounds, bytes: text.length, conversations },
      eachAnother: { perSecond: Math.round(median(apart)), ratio: Number((median(apart) / median(limit)).toFixed(3)) },
    }
  } finally {
    agent.destroy()
    server.close()
    await site.close()
  }
}

async function rateOf(ask: (client: number, turn: number) => Promise<string>): Promise<number> {
  const end = performance.now() + seconds * 1000
  let count = 0
  await Promise.all(
    Array.from({ length: clients }, async (_, client) => {
      for (let turn = 0; performance.now() < end; turn++, count++) await ask(client, turn)
    }),
  )
  return count / seconds
}

function fetchText(url: string, headers: Record<string, string>, agent: Agent): Promise<string> {
  return new Promise((resolve, reject) => {
    get(url, { headers, agent }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => {
        if (response.statusCode === 200) resolve(Buffer.concat(chunks).toString())
        else reject(new Error(`answered ${String(response.statusCode)}`))
      })
    }).on('error', reject)
  })
}
