/** X's handshake and signature (V2 webhooks: CRC, securing webhooks): base64, not hex. */
import { createHmac, timingSafeEqual } from 'node:crypto'
import type { AppSecrets, HandshakeAnswer, WebhookRequest } from '../connector.ts'

/** The challenge-response check, answered with the newest consumer secret. */
export function answerCrc(request: WebhookRequest, app: AppSecrets): HandshakeAnswer | undefined {
  const token = request.query.get('crc_token')
  const [secret] = app.secrets
  if (request.method !== 'GET' || token === null || token === '' || secret === undefined) return undefined
  return {
    status: 200,
    contentType: 'application/json',
    body: JSON.stringify({ response_token: signX(Buffer.from(token), secret) }),
  }
}

/** `x-twitter-webhooks-signature: sha256=<base64>` over the raw bytes, under any of the secrets. */
export function verifyX(request: Pick<WebhookRequest, 'headers' | 'body'>, app: AppSecrets): boolean {
  const given = Buffer.from(request.headers['x-twitter-webhooks-signature']?.trim() ?? '')
  let isRight = false
  // All are tried, so that the time taken does not tell which one fitted.
  for (const secret of app.secrets) {
    if (secret === '') continue
    const expected = Buffer.from(signX(request.body, secret))
    if (given.length === expected.length && timingSafeEqual(given, expected)) isRight = true
  }
  return isRight
}

/** `sha256=<base64 HMAC>`; signs webhook bodies and answers the CRC. */
export function signX(body: Uint8Array, secret: string): string {
  return `sha256=${createHmac('sha256', secret).update(body).digest('base64')}`
}
