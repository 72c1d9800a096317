/** Meta's handshake and signature (Graph webhooks: getting started; app secret proof: Graph API: securing requests). */
import { createHmac, timingSafeEqual } from 'node:crypto'
import type { AppSecrets, HandshakeAnswer, WebhookRequest } from '../connector.ts'

/** The hub challenge: 200 with the challenge and nothing else, or 403 when the verify token is another. */
export function answerHubChallenge(request: WebhookRequest, app: AppSecrets): HandshakeAnswer | undefined {
  const query = (name: string): string | null => request.query.get(`hub.${name}`) ?? request.query.get(`hub_${name}`)
  const challenge = query('challenge')
  if (request.method !== 'GET' || query('mode') !== 'subscribe' || challenge === null) return undefined
  const isOurs =
    app.verifyToken !== undefined &&
    app.verifyToken !== '' &&
    isEqual(Buffer.from(query('verify_token') ?? ''), Buffer.from(app.verifyToken))
  return isOurs
    ? { status: 200, contentType: 'text/plain', body: challenge.slice(0, 1000) }
    : { status: 403, contentType: 'text/plain', body: 'The verify token is not ours.' }
}

/** `X-Hub-Signature-256: sha256=<hex>` over the raw bytes, under any of the secrets. */
export function verifyMeta(request: Pick<WebhookRequest, 'headers' | 'body'>, app: AppSecrets): boolean {
  const given = /^sha256=([0-9a-f]{64})$/i.exec(request.headers['x-hub-signature-256']?.trim() ?? '')?.[1]
  if (given === undefined) return false
  const signature = Buffer.from(given, 'hex')
  let isRight = false
  // All are tried, so that the time taken does not tell which one fitted.
  for (const secret of app.secrets) {
    if (secret !== '' && isEqual(signature, createHmac('sha256', secret).update(request.body).digest())) isRight = true
  }
  return isRight
}

/** Both signature headers as Meta sends them. */
export function signMeta(body: Uint8Array, secret: string): Record<string, string> {
  return {
    'x-hub-signature-256': `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`,
    'x-hub-signature': `sha1=${createHmac('sha1', secret).update(body).digest('hex')}`,
  }
}

/** `appsecret_proof`: shows that the caller of an access token knows the app's secret. */
export function proveAppSecret(accessToken: string, secret: string): string {
  return createHmac('sha256', secret).update(accessToken).digest('hex')
}

const isEqual = (a: Buffer, b: Buffer): boolean => a.length === b.length && timingSafeEqual(a, b)
