/** OAuth 1.0a request signing with HMAC-SHA1 (RFC 5849; X authentication: OAuth 1.0a). JSON bodies are not signed. */
import { createHmac, randomBytes } from 'node:crypto'

export interface OAuth1Keys {
  readonly consumerKey: string
  readonly consumerSecret: string
  readonly token: string
  readonly tokenSecret: string
}

/** The `Authorization` header of one request. `at` and `nonce` are given only to check a signature or a known vector. */
export function signOAuth1(
  request: { readonly method: string; readonly url: string; readonly form?: Readonly<Record<string, string>> },
  keys: OAuth1Keys,
  fixed: { readonly timestamp?: string; readonly nonce?: string } = {},
): string {
  const url = new URL(request.url)
  const fields: Record<string, string> = {
    oauth_consumer_key: keys.consumerKey,
    oauth_nonce: fixed.nonce ?? randomBytes(16).toString('hex'),
    oauth_signature_method: 'HMAC-SHA1',
    oauth_timestamp: fixed.timestamp ?? String(Math.floor(Date.now() / 1000)),
    oauth_token: keys.token,
    oauth_version: '1.0',
  }
  const parameters = [...url.searchParams, ...Object.entries(request.form ?? {}), ...Object.entries(fields)]
    .map(([name, value]) => [encode(name), encode(value)] as const)
    .sort(([a, x], [b, y]) => (a < b ? -1 : a > b ? 1 : x < y ? -1 : x > y ? 1 : 0))
    .map(([name, value]) => `${name}=${value}`)
    .join('&')
  const base = [request.method.toUpperCase(), encode(`${url.origin}${url.pathname}`), encode(parameters)].join('&')
  const signature = createHmac('sha1', `${encode(keys.consumerSecret)}&${encode(keys.tokenSecret)}`)
    .update(base)
    .digest('base64')
  return `OAuth ${Object.entries({ ...fields, oauth_signature: signature })
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${encode(name)}="${encode(value)}"`)
    .join(', ')}`
}

/** RFC 3986: everything but letters, digits and `-._~`. */
const encode = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
