/** Looking after a channel of Meta: the same for every kind but for what it needs. */
import type { ChannelAccess, Connector } from '../connector.ts'
import { examineToken } from './condition.ts'
import { refreshMetaToken } from './refresh.ts'
import { checkSubscribed, subscribeTo } from './subscription.ts'
import type { Wanted } from './subscription.ts'
import { quota } from './usage.ts'

type Care = Required<Pick<Connector, 'examine' | 'checkSubscription' | 'subscribe' | 'refreshToken' | 'quota'>>

/** `wanted`: what to subscribe to, and where; `undefined` when the channel does not say where. */
export function careFor(
  permissions: readonly string[],
  wanted: (channel: ChannelAccess, signal: AbortSignal) => Promise<Wanted | undefined>,
): Care {
  return {
    examine: (channel, signal) => examineToken(channel, permissions, signal),
    async checkSubscription(channel, _webhook, signal) {
      const place = await wanted(channel, signal)
      return place === undefined ? nowhere : checkSubscribed(channel, place, signal)
    },
    async subscribe(channel, _webhook, signal) {
      const place = await wanted(channel, signal)
      return place === undefined ? nowhere : subscribeTo(channel, place, signal)
    },
    refreshToken: refreshMetaToken,
    quota,
  }
}

const nowhere = {
  type: 'refused',
  class: 'content',
  code: 'no_account',
  reason: 'The id of the WhatsApp Business Account is not known: give it with the token.',
} as const
