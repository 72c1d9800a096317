/** Speaking with a running supervisor over its unix socket: one JSON line there, one back. */
import { rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import type { Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { z } from 'zod'
import { codeOf, messageOf } from '../errors.ts'
import type { Running } from '../lifecycle.ts'
import type { Servers } from './servers.ts'
import { ClusterFault } from './fault.ts'
import type { Home } from './home.ts'
import { controlSocket } from './home.ts'
import { clusterStatus } from './status.ts'

const requestSchema = z.discriminatedUnion('command', [
  z.object({ command: z.literal('status') }),
  z.object({ command: z.literal('down') }),
  z.object({ command: z.enum(['kill', 'pause', 'resume', 'restart']), name: z.string() }),
])

export type ControlRequest = z.infer<typeof requestSchema>

const answerSchema = z.object({ fault: z.string().optional(), status: clusterStatus.optional() })
export type ControlAnswer = z.infer<typeof answerSchema>

/** Listens for requests; `onDown` stops the cluster and resolves when that is done. */
export function listenForControl(home: Home, servers: Servers, onDown: () => Promise<void>): Promise<Running> {
  const path = controlSocket(home)
  rmSync(path, { force: true })
  const server = createServer((socket) => {
    // A client that goes away is none of our business.
    socket.on('error', () => undefined)
    createInterface({ input: socket, crlfDelay: Infinity }).once('line', (line) => {
      answer(line, servers, onDown).then(
        (given) => socket.end(`${JSON.stringify(given)}\n`),
        (error: unknown) => socket.end(`${JSON.stringify({ fault: messageOf(error) })}\n`),
      )
    })
  })
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, () => {
      resolve({
        stop: () =>
          new Promise((closed) => {
            server.close()
            closed()
          }),
      })
    })
  })
}

/** Asks the supervisor of `home`; undefined when none is running. @throws ClusterFault with what it refuses */
export async function askSupervisor(home: Home, request: ControlRequest): Promise<ControlAnswer | undefined> {
  let socket: Socket
  try {
    socket = await open(controlSocket(home))
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ECONNREFUSED') return undefined
    throw new ClusterFault(`The supervisor of ${home.path} cannot be reached (${messageOf(error)}).`, { cause: error })
  }
  socket.setEncoding('utf8').write(`${JSON.stringify(request)}\n`)
  let text = ''
  for await (const part of socket) text += String(part)
  if (text === '') throw new ClusterFault(`The supervisor of ${home.path} ended before it answered.`)
  const given = answerSchema.parse(JSON.parse(text))
  if (given.fault !== undefined) throw new ClusterFault(given.fault)
  return given
}

async function answer(line: string, servers: Servers, onDown: () => Promise<void>): Promise<ControlAnswer> {
  const request = requestSchema.parse(JSON.parse(line))
  switch (request.command) {
    case 'status':
      return { status: await servers.status() }
    case 'down':
      await onDown()
      return {}
    case 'restart':
      await servers.restart(request.name)
      return {}
    case 'kill':
    case 'pause':
    case 'resume':
      servers[request.command](request.name)
      return {}
  }
}

function open(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path)
    socket.once('connect', () => {
      resolve(socket)
    })
    socket.once('error', reject)
  })
}
