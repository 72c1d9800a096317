/** The limit of `fanout.ts`: a bare server that writes the same event to all who listen, and knows nothing else. */
import { createServer } from 'node:http'
import type { ServerResponse } from 'node:http'

const [port = '0', frame = ''] = process.argv.slice(2)
const streams = new Set<ServerResponse>()
createServer((request, response) => {
  if (request.method === 'GET') {
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache, no-transform',
    })
    request.socket.setNoDelay(true)
    response.write(': ready\n\n')
    streams.add(response)
    response.on('close', () => streams.delete(response))
    return
  }
  request.resume()
  request.on('end', () => {
    for (const stream of streams) stream.write(frame)
    response.end()
  })
}).listen(Number(port), '127.0.0.1')
