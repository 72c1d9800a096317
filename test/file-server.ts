/** A server of files for one test: says what it is told to say under each path, and keeps what it was asked. */
import { createServer } from 'node:http'
import type { IncomingHttpHeaders, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Asked {
  readonly path: string
  readonly headers: IncomingHttpHeaders
}

export type Serve = (response: ServerResponse, asked: Asked) => void

export interface FileServer {
  /** Such as `http://127.0.0.1:4711`. */
  readonly url: string
  readonly host: string
  readonly asked: Asked[]
  /** How often this path was asked for. */
  count(path: string): number
  /** What a path answers from now on; its address. */
  serve(path: string, answer: Buffer | Serve): string
  close(): Promise<void>
}

export async function openFileServer(): Promise<FileServer> {
  const answers = new Map<string, Serve>()
  const asked: Asked[] = []
  const server = createServer((request, response) => {
    const path = (request.url ?? '/').split('?')[0] ?? '/'
    const one = { path, headers: request.headers }
    asked.push(one)
    const answer = answers.get(path)
    if (answer === undefined) response.writeHead(404).end()
    else answer(response, one)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const host = `127.0.0.1:${String((server.address() as AddressInfo).port)}`
  return {
    url: `http://${host}`,
    host,
    asked,
    count: (path) => asked.filter((one) => one.path === path).length,
    serve(path, answer) {
      answers.set(path, Buffer.isBuffer(answer) ? (response) => response.end(answer) : answer)
      return `http://${host}${path}`
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve()
        })
        server.closeAllConnections()
      }),
  }
}
