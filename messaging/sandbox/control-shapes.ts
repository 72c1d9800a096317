/** What the control interface takes. */
import { z } from 'zod'
import { channelTypes, networkNames } from '../../storage/model/words.ts'
import { faultNames } from './faults.ts'
import { mediaKinds } from './media.ts'

const text = z.string().min(1)
const type = z.enum(channelTypes)
// prettier-ignore
export const appShape = z.object({
  network: z.enum(networkNames), app_id: text, secrets: z.array(text).min(1), verify_token: text.optional(), consumer_key: text.optional(),
  client_id: text.optional(), client_secret: text.optional(),
  webhook_url: z.url(), x_form: z.enum(['aaa', 'xaa', 'both']).optional(),
})
// prettier-ignore
export const channelShape = z.object({
  type, external_id: text, name: text, handle: text.optional(), access_token: text, access_token_secret: text.optional(), app_id: text, post: text.optional(),
  page_id: text.optional(), business_account_id: text.optional(),
})
export const personShape = z.object({ type, id: text, name: text, handle: text.optional() })
// prettier-ignore
export const saidShape = z.object({
  type, channel: text, person: z.object({ id: text, name: text.optional(), handle: text.optional() }), kind: z.enum(['message', 'comment', 'mention', 'post']).default('message'),
  text: z.string(), post_id: text.optional(), in_reply_to: text.optional(), occurred_at: z.iso.datetime().optional(), picture: z.url().optional(),
  media: z.enum(mediaKinds).optional(), media_expires_ms: z.int().min(0).optional(),
})
// prettier-ignore
export const faultShape = z.object({
  fault: z.enum(faultNames), network: z.enum(networkNames).optional(), channel: text.optional(), count: z.int().min(0).optional(), skip: z.int().min(0).optional(), ms: z.int().min(0).optional(),
  code: z.int().optional(), subcode: z.int().optional(), problem: text.optional(), detail: text.optional(), seed: z.int().min(0).optional(),
})
export const settingsShape = z.object({
  retry_ms: z.array(z.number().min(0)).optional(),
  receipts: z.boolean().optional(),
  course: z.enum(['quick', 'real']).optional(),
  speed: z.number().positive().max(100_000).optional(),
  x_plan: z.enum(['enterprise', 'self_serve']).optional(),
  x_limits: z.union([z.enum(['off', 'real']), z.record(z.string(), z.int().min(0))]).optional(),
})
export const advanceShape = z.object({ ms: z.int().min(0) })
export const rawShape = z.object({
  app_id: text,
  body: z.unknown().optional(),
  body_base64: z.base64().optional(),
  headers: z.record(z.string(), z.string()).optional(),
})
export const oneChannelShape = z.object({ channel: text })
export const subscriptionShape = z.object({ channel: text, is_on: z.boolean() })
export const readShape = z.object({ channel: text, person: text })
