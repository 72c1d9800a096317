/** The customer's phone: three static files and a live stream of the ledger. */
import { readFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import type { Request } from './http.ts'
import type { Act, World } from './world.ts'

const files: Readonly<Record<string, readonly [string, string]>> = {
  '/phone/': ['index.html', 'text/html; charset=utf-8'],
  '/phone/phone.css': ['phone.css', 'text/css; charset=utf-8'],
  '/phone/phone.js': ['phone.js', 'text/javascript; charset=utf-8'],
}

/** Serves `/phone/` and `/phone/live` (server-sent events, one for each utterance and one for each act; resumes from `Last-Event-ID`). */
export function openPhone(world: World): { serve(call: Request, response: ServerResponse): boolean; close(): void } {
  const open = new Set<ServerResponse>()

  function stream(call: Request, response: ServerResponse): void {
    response.writeHead(200, {
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    })
    const last = Number(call.headers['last-event-id'] ?? call.url.searchParams.get('after'))
    const put = (one: World['ledger'][number]): void => {
      response.write(`id: ${String(one.seq)}\ndata: ${JSON.stringify(one)}\n\n`)
    }
    response.write('retry: 1000\n\n')
    // A phone shows what was said lately, not a whole load test.
    for (const one of world.ledger.slice(Number.isFinite(last) && last > 0 ? last : 0).slice(-500)) put(one)
    const putAct = (act: Act): void => {
      response.write(`event: act\ndata: ${JSON.stringify(act)}\n\n`)
    }
    for (const act of world.acts.filter(({ external_id }) => external_id !== undefined).slice(-500)) putAct(act)
    const stops = [world.listen(put), world.listenToActs(putAct)]
    const beat = setInterval(() => response.write(': beat\n\n'), 10_000)
    open.add(response)
    response.on('close', () => {
      for (const stop of stops) stop()
      clearInterval(beat)
      open.delete(response)
    })
  }

  return {
    serve(call, response) {
      if (call.method !== 'GET') return false
      if (call.path === '/phone' || call.path === '/') {
        // Relative addresses in the page need the slash; relative here too, since a prefix may stand before it.
        response.writeHead(302, {
          location: call.path === '/' ? (call.url.pathname.endsWith('/') ? 'phone/' : 'sandbox/phone/') : 'phone/',
        })
        response.end()
        return true
      }
      if (call.path === '/phone/live') {
        stream(call, response)
        return true
      }
      const file = Object.hasOwn(files, call.path) ? files[call.path] : undefined
      if (file === undefined) return false
      const body = readFileSync(new URL(`phone/${file[0]}`, import.meta.url))
      response.writeHead(200, {
        'content-type': file[1],
        'content-length': body.length,
        'cache-control': 'no-cache',
        'x-content-type-options': 'nosniff',
        'content-security-policy':
          "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' https: data:; media-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'",
      })
      response.end(body)
      return true
    },
    close() {
      for (const response of open) response.end()
    },
  }
}
