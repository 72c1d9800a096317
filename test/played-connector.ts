/** A network of one test behind the connector contract: what happened on it, page by page, and how it stands with the channel. */
import { noFiles } from '../messaging/connectors/connector.ts'
import type { Asked, Connectable, Connector, ParsedItem, Subscription } from '../messaging/connectors/connector.ts'
import { bakery } from './people.ts'

export interface Played extends Connector {
  /** Newest first. */
  history: ParsedItem[]
  pageSize: number
  calls: string[]
  readAnswer: Exclude<Asked<never>, { type: 'ok' }> | undefined
  /** Held up until it resolves. */
  gate: Promise<void>
  /** Tokens that are good. */
  good: Set<string>
  /** What a refresh does: `lost`, it happens and the answer does not come. */
  refreshing: 'works' | 'lost' | 'busy'
  subscription: Subscription
  canSubscribe: boolean
  offered: Connectable[]
  usedCodes: string[]
}

const sound: Subscription = { isActive: true, missing: [], reason: undefined }
const refused = { type: 'refused', class: 'token', code: '190', reason: 'The token is dead.' } as const

/** A Page whose customers wrote `history`. */
export function playFacebook(): Played {
  let serial = 0
  const isGood = (token: string | undefined): boolean => token !== undefined && network.good.has(token)
  const network: Played = {
    type: 'facebook',
    network: 'meta',
    addressScope: 'channel',
    history: [],
    pageSize: 2,
    calls: [],
    readAnswer: undefined,
    gate: Promise.resolve(),
    good: new Set([`token-${bakery.externalId}`]),
    refreshing: 'works',
    subscription: sound,
    canSubscribe: true,
    offered: [],
    usedCodes: [],
    limits: () => ({
      kinds: ['reply'],
      maxTextLength: 2_000,
      measureText: (text) => text.length,
      counting: 'characters',
      files: noFiles,
      extras: {},
      acts: [],
    }),
    send: () => Promise.resolve(refused),
    lookUp: () => Promise.resolve({ type: 'absent' }),
    quota: () => [{ name: 'app', used: 0.42, resetsAt: undefined }],
    async readBack(channel, since, cursor) {
      network.calls.push(`read ${cursor ?? 'first'}`)
      await network.gate
      if (!isGood(channel.credentials['access_token'])) return refused
      if (network.readAnswer !== undefined) return network.readAnswer
      const all = network.history.filter(({ event }) => event.type !== 'kept' && event.occurredAt >= since)
      const from = Number(cursor ?? 0)
      const next = from + network.pageSize
      const items = all.slice(from, next)
      return { type: 'ok', value: { items, cursor: next < all.length ? String(next) : undefined } }
    },
    requestReplay(_channel, since, until) {
      network.calls.push(`replay ${String(Math.round((until.getTime() - since.getTime()) / 60_000))} min`)
      return Promise.resolve({ type: 'ok', value: 'job-1' })
    },
    examine(channel) {
      const token = channel.credentials['access_token']
      const rest = { tokenExpiresAt: undefined, missingPermissions: [] }
      return Promise.resolve(
        isGood(token)
          ? { ...rest, state: 'connected', code: undefined, reason: undefined }
          : { ...rest, state: 'reconnect_needed', code: '190/463', reason: 'The access token has expired.' },
      )
    },
    checkSubscription() {
      network.calls.push('check')
      return Promise.resolve({ type: 'ok', value: network.subscription })
    },
    subscribe() {
      network.calls.push('subscribe')
      if (network.canSubscribe) network.subscription = sound
      return Promise.resolve({ type: 'ok', value: network.subscription })
    },
    async refreshToken(channel) {
      network.calls.push('refresh')
      await network.gate
      const old = channel.credentials['refresh_token']
      if (network.refreshing === 'busy') return { type: 'retry', code: '429', reason: 'Too fast.' }
      if (old === undefined || !network.good.delete(old))
        return { type: 'refused', class: 'token', code: 'invalid_grant', reason: 'The refresh token is dead.' }
      serial += 1
      const credentials = { access_token: `access-${String(serial)}`, refresh_token: `refresh-${String(serial)}` }
      for (const token of Object.values(credentials)) network.good.add(token)
      if (network.refreshing === 'lost') return { type: 'unknown', code: 'connection_lost', reason: 'No answer.' }
      return { type: 'ok', value: { credentials, expiresAt: new Date(Date.now() + 7_200_000) } }
    },
    signIn: {
      authorizeUrl: (_app, { redirectUri, state, challenge }) =>
        `https://network.example/oauth?${new URLSearchParams({ redirect_uri: redirectUri, state, challenge }).toString()}`,
      exchange(_app, { code, verifier }) {
        network.usedCodes.push(`${code} ${verifier}`)
        return Promise.resolve(
          code === 'bad' ? { ...refused, reason: 'The code is not good.' } : { type: 'ok', value: network.offered },
        )
      },
    },
  }
  return network
}
