/**
 * The networks played on this machine: Graph API, X API, webhook sender, control interface and the customer's phone, over
 * real HTTP on one port. Every path is also answered below `/sandbox`, since the load balancer passes that prefix on.
 */
import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Config } from '../../infra/config.ts'
import { messageOf, Problem } from '../../infra/errors.ts'
import type { Running } from '../../infra/lifecycle.ts'
import type { Logger } from '../../infra/logger.ts'
import { SandboxClock } from './clock.ts'
import { openControl } from './control.ts'
import type { Stage } from './customers.ts'
import { Faults } from './faults.ts'
import { openGraph } from './graph.ts'
import { openMetaControl } from './graph-acts.ts'
import type { Answer, Face, Request } from './http.ts'
import { serveFile } from './media.ts'
import { openPhone } from './phone.ts'
import { Uploads } from './uploads.ts'
import { WebhookSender } from './webhooks.ts'
import { World } from './world.ts'
import { openXControl } from './x-acts.ts'
import { isXPath, openXApi } from './x-api.ts'
import { XLimits } from './x-limits.ts'

export interface SandboxContext {
  readonly config: Pick<Config, 'home' | 'listen'>
  readonly logger: Logger
}

/** A running sandbox and the port it listens on. */
export interface Sandbox extends Running {
  readonly port: number
}

/** Starts the sandbox on `config.listen`; its world is kept in `<home>/sandbox/world.jsonl`. */
export async function startSandbox({ config, logger: parent }: SandboxContext): Promise<Sandbox> {
  const logger = parent.child({ part: 'sandbox' })
  const world = new World(join(config.home, 'sandbox', 'world.jsonl'))
  const faults = new Faults()
  const clock = new SandboxClock()
  const webhooks = new WebhookSender(world, faults, clock, logger)
  const uploads = new Uploads(join(config.home, 'sandbox', 'files'))
  const stage: Stage = { world, webhooks, clock, faults, uploads, hasReceipts: true }
  if (world.people.size === 0) for (const person of seedPeople) world.putPerson(person)

  const stopping = new AbortController()
  const graph = openGraph(stage)
  const limits = new XLimits(clock)
  const xApi = openXApi(stage, limits)
  const control = openControl(stage, limits, stopping.signal)
  const metaControl = openMetaControl(stage)
  const xControl = openXControl(stage)
  const phone = openPhone(world)

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const call = await readRequest(request)
    if (phone.serve(call, response)) return
    const known = call.path.startsWith('/health/')
      ? { status: 200, json: { status: 'ok' } }
      : (serveFile(stage, call) ?? (await control(call)) ?? (await metaControl(call)) ?? (await xControl(call)))
    if (known !== undefined) reply(response, known)
    else if (call.path.startsWith('/control/'))
      reply(response, { status: 404, json: { detail: 'There is no such control call.' } })
    else await serveFace(isXPath(call.path) ? xApi : graph, call, response)
  }

  /** One call of a network's API, with the faults that hold for it. */
  async function serveFace(face: Face, call: Request, response: ServerResponse): Promise<void> {
    const { network } = face
    const channel = face.channelOf(call)
    if (faults.take('network_off', network, channel) !== undefined) {
      response.destroy()
      return
    }
    const slow = faults.take('delay_ms', network, channel)
    if (slow !== undefined) await sleep(slow.ms ?? 1_500)
    if (faults.take('expired_token', network, channel) !== undefined) {
      reply(response, face.expiredToken())
      return
    }
    const answer = await face.answer(call, () => {
      const fault = faults.take('refuse_code', network, channel)
      return fault === undefined
        ? undefined
        : { ...fault, code: fault.code ?? (network === 'meta' ? 613 : 429), subcode: fault.subcode }
    })
    const { accepted } = answer
    if (accepted === undefined) {
      reply(response, answer)
      return
    }
    const echo = async (): Promise<void> => {
      if (faults.take('echo_none', network, channel) === undefined) await accepted.echo()
    }
    const isEchoFirst = faults.take('echo_first', network, channel) !== undefined
    if (isEchoFirst) await echo()
    if (faults.take('drop_answer', network, channel) !== undefined) response.destroy()
    else {
      const late = faults.take('delay_answer', network, channel)
      const isFailed = faults.take('sent_with_error', network, channel) !== undefined
      if (isFailed) reply(response, face.failedAnswer?.() ?? { status: 500, json: {} })
      else if (late === undefined) reply(response, answer)
      else
        void sleep(late.ms ?? 35_000, undefined, { signal: stopping.signal }).then(
          () => {
            reply(response, answer)
          },
          () => undefined,
        )
    }
    if (!isEchoFirst) await echo()
    await accepted.after()
  }

  const server = createServer((request, response) => {
    serve(request, response).catch((error: unknown) => {
      const problem = error instanceof Problem ? error : undefined
      if (problem === undefined) logger.error({ err: error }, `a call failed: ${messageOf(error)}`)
      if (!response.headersSent)
        reply(response, {
          status: problem?.status ?? 500,
          json: { code: problem?.code ?? 'internal', detail: problem?.message ?? 'The sandbox failed.' },
        })
    })
  })
  const port = await listen(server, config.listen)
  logger.info({ port }, 'the sandbox networks listen')
  webhooks.resume()

  let stopped: Promise<void> | undefined
  const stop = async (): Promise<void> => {
    stopping.abort()
    clock.stop()
    phone.close()
    await webhooks.stop()
    await new Promise<void>((resolve) => {
      server.close(() => {
        resolve()
      })
      server.closeAllConnections()
    })
    world.close()
  }
  return { port, stop: () => (stopped ??= stop()) }
}

const seedPeople = [
  { type: 'facebook', id: '7100000000000001', name: 'Ana Duarte' },
  { type: 'x', id: '1589012345678901201', name: 'Ben Okafor', handle: 'benokafor' },
  { type: 'instagram', id: '6100000000000001', name: 'Inês Prata', handle: 'ines.prata' },
  { type: 'whatsapp', id: '351910000001', name: 'Tomás Reis' },
  { type: 'facebook', id: '7100000000000012', name: 'Mina Sato' },
  { type: 'x', id: '1589012345678901202', name: 'Leo Lindqvist', handle: 'leolindqvist' },
] as const

async function readRequest(request: IncomingMessage): Promise<Request> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request) {
    if (!Buffer.isBuffer(chunk)) continue
    size += chunk.length
    // The largest that a network takes by one request is WhatsApp's document, of 100 MB.
    if (size > 101 * 1024 * 1024) throw new Problem(413, 'too_large', 'The body is too large.')
    chunks.push(chunk)
  }
  const url = new URL(request.url ?? '/', `http://${request.headers.host ?? 'sandbox'}`)
  return {
    method: request.method ?? 'GET',
    path: url.pathname.replace(/^\/sandbox(?=\/|$)/, '') || '/',
    url,
    headers: request.headers,
    body: Buffer.concat(chunks),
  }
}

function reply(response: ServerResponse, answer: Answer): void {
  if (response.destroyed || response.headersSent) return
  const body = answer.bytes?.data ?? JSON.stringify(answer.json)
  response.writeHead(answer.status, {
    'content-type': answer.bytes?.contentType ?? 'application/json',
    'content-length': Buffer.byteLength(body),
    ...answer.headers,
  })
  response.end(body)
}

function listen(server: Server, at: { readonly host: string; readonly port: number }): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(at.port, at.host, () => {
      const address: string | AddressInfo | null = server.address()
      resolve(typeof address === 'object' && address !== null ? address.port : at.port)
    })
  })
}
