/** X accounts: direct messages, answers below posts, posts. */
import type { Connector } from '../connector.ts'
import { fieldsOf } from '../reading.ts'
import { actX } from './acts.ts'
import { xAllowances } from './allowances.ts'
import { callX } from './api.ts'
import { examineX } from './condition.ts'
import { directLimits, postLimits, publicLimits, splitX } from './fit.ts'
import { lookUpX, soughtOf } from './look-up.ts'
import { locateXMedia } from './media.ts'
import { personOf } from './people.ts'
import { xPricing } from './pricing.ts'
import { lookUpXPost, publishX } from './publish.ts'
import { readBackX } from './read-back.ts'
import { sendX } from './send.ts'
import { refreshXToken, xSignIn } from './tokens.ts'
import { uploadX } from './upload.ts'
import { quotaOf } from './usage.ts'
import { checkXSubscription, requestXReplay, subscribeX, unsubscribeX } from './webhook.ts'

export const xConnector: Connector = {
  type: 'x',
  network: 'x',
  addressScope: 'network',
  limits: (thread) => (thread === 'direct' ? directLimits : publicLimits),

  split: splitX,
  upload: uploadX,
  act: actX,
  postLimits,
  publish: publishX,
  lookUpPost: lookUpXPost,
  send: sendX,
  lookUp: (channel, message, since, signal) => lookUpX(channel, soughtOf(message), since, signal),

  async fetchPerson(channel, externalId, signal) {
    const result = await callX(
      channel,
      {
        method: 'GET',
        path: `/2/users/${encodeURIComponent(externalId)}`,
        query: { 'user.fields': 'name,username,profile_image_url' },
      },
      signal,
    )
    return result.ok && fieldsOf(result.json).data !== undefined
      ? personOf(externalId, fieldsOf(result.json).data)
      : undefined
  },

  locateMedia: (channel, attachment) => Promise.resolve(locateXMedia(channel, attachment)),
  readBack: readBackX,
  requestReplay: requestXReplay,
  examine: examineX,
  checkSubscription: checkXSubscription,
  subscribe: subscribeX,
  unsubscribe: unsubscribeX,
  refreshToken: refreshXToken,
  quota: (channelExternalId) => quotaOf(channelExternalId),
  allowances: xAllowances,
  pricing: xPricing,
  signIn: xSignIn,
}
