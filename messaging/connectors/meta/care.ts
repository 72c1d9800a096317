/** Looking after a channel of Meta: the same for every kind but for what it needs. */
import type { ChannelAccess, Connector } from '../connector.ts'
import { setUpAppWebhook, withAppWebhook } from './app-webhook.ts'
import { examineToken } from './condition.ts'
import type { WebhookObject } from './permissions.ts'
import { refreshMetaToken } from './refresh.ts'
import { checkSubscribed, subscribeTo } from './subscription.ts'
import type { Wanted } from './subscription.ts'
import { quota } from './usage.ts'

type Care = Required<Pick<Connector, 'examine' | 'checkSubscription' | 'subscribe' | 'refreshToken' | 'quota'>>

/** `object`: what the app's webhook calls it; `wanted`: what to subscribe to, and where; `undefined` when the channel does not say where. */
export function careFor(
  object: WebhookObject,
  permissions: readonly string[],
  wanted: (channel: ChannelAccess, signal: AbortSignal) => Promise<Wanted | undefined>,
): Care {
  return {
    examine: (channel, signal) => examineToken(channel, permissions, signal),
    async checkSubscription(channel, webhook, signal) {
      const place = await wanted(channel, signal)
      if (place === undefined) return nowhere
      return withAppWebhook(channel, object, webhook, await checkSubscribed(channel, place, signal), signal)
    },
    async subscribe(channel, webhook, signal) {
      const place = await wanted(channel, signal)
      if (place === undefined) return nowhere
      await setUpAppWebhook(channel, object, webhook, signal)
      return withAppWebhook(channel, object, webhook, await subscribeTo(channel, place, signal), signal)
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
