/** The networks' proof that an address is ours: Meta's hub challenge, X's CRC. And where X keeps the address and whether it is valid. */
import { randomBytes, randomInt } from 'node:crypto'
import { messageOf } from '../../infra/errors.ts'
import { callOutside } from '../../infra/outside.ts'
import { fieldsOf, readJson, textOf } from '../connectors/reading.ts'
import { signX } from '../connectors/x/signature.ts'
import type { SandboxApp, World } from './world.ts'

/** `wrong`: an answer, but not the right one; `away`: none, or a failure. */
export interface Handshake {
  readonly verdict: 'good' | 'wrong' | 'away'
  readonly detail: string
}

/** Asks the app's address, as the network does before it sends anything there. Never throws. */
export async function shakeHands(app: SandboxApp, signal: AbortSignal): Promise<Handshake> {
  const url = new URL(app.webhook_url)
  const challenge = String(randomInt(1e9))
  const token = randomBytes(18).toString('base64url')
  if (app.network === 'meta') {
    url.searchParams.set('hub.mode', 'subscribe')
    url.searchParams.set('hub.challenge', challenge)
    url.searchParams.set('hub.verify_token', app.verify_token ?? '')
  } else {
    url.searchParams.set('crc_token', token)
  }
  try {
    const answer = await callOutside({ url, limitMs: 5_000, allowHosts: [hostOf(url)], signal })
    const text = answer.body.toString('utf8')
    const isRight =
      app.network === 'meta'
        ? text === challenge
        : app.secrets.some((secret) => fieldsOf(readJson(text)).response_token === signX(Buffer.from(token), secret))
    if (answer.status === 200 && isRight) return { verdict: 'good', detail: 'ok' }
    return {
      verdict: answer.status >= 400 ? 'away' : 'wrong',
      detail: `${String(answer.status)}: ${text.slice(0, 200)}`,
    }
  } catch (error) {
    return { verdict: 'away', detail: messageOf(error) }
  }
}

/** X: one webhook for each app. */
export interface Registration {
  readonly id: string
  readonly url: string
  readonly valid: boolean
  readonly created_at: string
}

export function registrationOf(world: World, appId: string): Registration | undefined {
  const note = fieldsOf(world.notes.get(`x.webhook.${appId}`))
  const id = textOf(note.id)
  return id === undefined
    ? undefined
    : {
        id,
        url: textOf(note.url) ?? '',
        valid: note.valid === true,
        created_at: textOf(note.created_at) ?? new Date().toISOString(),
      }
}

/** The same address keeps its id; `undefined` takes the webhook away. */
export function register(world: World, appId: string, wish: { url: string; valid: boolean } | undefined): void {
  const known = registrationOf(world, appId)
  if (wish === undefined) {
    world.note(`x.webhook.${appId}`, undefined)
  } else if (known?.url !== wish.url) {
    const created_at = new Date().toISOString()
    world.note(`x.webhook.${appId}`, { id: world.newSnowflake(), created_at, ...wish })
  } else if (known.valid !== wish.valid) {
    world.note(`x.webhook.${appId}`, { ...known, valid: wish.valid })
  }
}

export const hostOf = (url: URL): string =>
  `${url.hostname}:${url.port !== '' ? url.port : url.protocol === 'http:' ? '80' : '443'}`
