/** Channels: connected addresses and their health. */
import { z } from 'zod'
import { createChannel } from '../../backend/networks.ts'
import { invalid, notFound } from '../../infra/errors.ts'
import { channelTypes } from '../../storage/model/words.ts'
import type { ChannelType } from '../../storage/model/words.ts'
import { presentChannel } from '../presenters/network.ts'
import { channelShape, page } from '../presenters/shapes.ts'
import type { ChannelJson } from '../presenters/shapes.ts'
import { route } from '../route.ts'
import type { Call } from '../route.ts'

const credential = z.string().min(1).max(2_000)
const credentials = z.strictObject({
  access_token: credential,
  access_token_secret: credential.optional().describe('X, OAuth 1.0a'),
  refresh_token: credential.optional().describe('X, OAuth 2'),
  expires_at: z.iso.datetime({ offset: true }).optional().describe('X, OAuth 2'),
  business_account_id: z.string().min(1).max(64).optional().describe('WhatsApp'),
})

/** Which credentials belong to which type of channel, besides the access token. */
const extras: Readonly<Record<ChannelType, readonly string[]>> = {
  facebook: ['expires_at'],
  instagram: ['expires_at'],
  whatsapp: ['business_account_id', 'expires_at'],
  x: ['access_token_secret', 'refresh_token', 'expires_at'],
}

export const channelRoutes = [
  route({
    method: 'post',
    path: '/channels',
    tag: 'channels',
    summary: 'Connect a channel',
    permission: 'administrator',
    body: z.strictObject({
      app_id: z.string().max(64),
      type: z.enum(channelTypes),
      name: z.string().trim().min(1).max(200),
      external_id: z
        .string()
        .regex(/^[\x21-\x7e]{1,64}$/, 'Expected the id that the network gives, 1 to 64 characters.'),
      credentials,
      api_base_url: z.string().max(255).optional(),
    }),
    answer: channelShape,
    status: 201,
    async handle({ body }, call) {
      const strange = Object.keys(body.credentials).filter(
        (name) => name !== 'access_token' && !extras[body.type].includes(name),
      )
      if (strange.length > 0)
        throw invalid(
          strange.map((name) => ({
            field: `credentials.${name}`,
            message: `A channel of type ${body.type} has no such credential.`,
          })),
        )
      const expiresAt = body.credentials.expires_at
      const id = await createChannel(call.storage, call.config, call.asker.accountId, {
        id: call.effectId,
        appId: body.app_id,
        type: body.type,
        name: body.name,
        externalId: body.external_id,
        credentials: Object.fromEntries(
          Object.entries(body.credentials).filter((entry): entry is [string, string] => entry[1] !== undefined),
        ),
        apiBaseUrl: body.api_base_url,
        tokenExpiresAt: expiresAt === undefined ? undefined : new Date(expiresAt),
      })
      return answerChannel(id, call)
    },
  }),
  route({
    method: 'get',
    path: '/channels',
    tag: 'channels',
    summary: 'All channels, with their health',
    permission: 'user',
    answer: page(channelShape),
    async handle(_input, { storage, asker }) {
      const channels = await storage.channels.list(storage.fresh, asker.accountId)
      return { items: channels.map(presentChannel), next_cursor: null }
    },
  }),
  route({
    method: 'get',
    path: '/channels/:id',
    tag: 'channels',
    summary: 'One channel, with its health',
    permission: 'user',
    params: z.strictObject({ id: z.string() }),
    answer: channelShape,
    handle: ({ params }, call) => answerChannel(params.id, call),
  }),
]

async function answerChannel(id: string, { storage, asker }: Call): Promise<ChannelJson> {
  const channel = await storage.channels.get(storage.fresh, asker.accountId, id)
  if (channel === undefined) throw notFound('channel')
  return presentChannel(channel)
}
