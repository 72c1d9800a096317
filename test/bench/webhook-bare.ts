/** The limit of the webhook benchmark: node:http, the HMAC over the bytes, the same durable publish, 200. Nothing else. */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { createServer } from 'node:http'
import { readConfig } from '../../infra/config.ts'
import { newId } from '../../infra/ids.ts'
import { silentLogger } from '../../infra/logger.ts'
import { openBroker } from '../../messaging/broker/broker.ts'

const [port = '', secret = '', app = '', account = ''] = process.argv.slice(2)
const broker = openBroker(readConfig(), silentLogger)
const properties = { app, account }

createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    const body = chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks)
    const given = Buffer.from(String(request.headers['x-hub-signature-256']).slice(7), 'hex')
    const right = createHmac('sha256', secret).update(body).digest()
    if (given.length !== right.length || !timingSafeEqual(given, right)) {
      response.writeHead(401).end('no')
      return
    }
    broker.publish('inbound', { id: newId(), body, properties }).then(
      () => response.writeHead(200, { 'content-type': 'text/plain', 'content-length': '2' }).end('ok'),
      () => response.writeHead(503).end('no'),
    )
  })
}).listen(Number(port), '127.0.0.1', () => process.send?.('listening'))
