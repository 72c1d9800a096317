/** Channels: connected addresses, their health, and what mends it. */
import { z } from 'zod'
import { createChannel, renameChannel } from '../../backend/networks.ts'
import { conflict, invalid, notFound } from '../../infra/errors.ts'
import { checkChannel } from '../../messaging/check.ts'
import { examineSetup } from '../../messaging/examine-setup.ts'
import { askCatchUp, disconnectChannel, reconnectChannel } from '../../messaging/reconnect.ts'
import { channelTypes } from '../../storage/model/words.ts'
import type { ChannelType } from '../../storage/model/words.ts'
import { presentChannel } from '../presenters/network.ts'
import { channelShape, disconnectedShape, examinationShape, page } from '../presenters/shapes.ts'
import type { ChannelJson } from '../presenters/shapes.ts'
import { emptyBody, route } from '../route.ts'
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

const mendLimitMs = 20_000
const name = z.string().trim().min(1).max(200)
const params = z.strictObject({ id: z.string() })

export const channelRoutes = [
  route({
    method: 'post',
    path: '/channels',
    tag: 'channels',
    summary: 'Connect a channel by its credentials',
    permission: 'channels.manage',
    body: z.strictObject({
      app_id: z.string().max(64),
      type: z.enum(channelTypes),
      name,
      external_id: z
        .string()
        .regex(/^[\x21-\x7e]{1,64}$/, 'Expected the id that the network gives, 1 to 64 characters.'),
      credentials,
      api_base_url: z.string().max(255).optional(),
    }),
    answer: channelShape,
    status: 201,
    async handle({ body }, call) {
      const id = await createChannel(
        call.storage,
        call.config,
        call.asker.accountId,
        {
          id: call.effectId,
          appId: body.app_id,
          type: body.type,
          name: body.name,
          externalId: body.external_id,
          ...grantOf(body.type, body.credentials),
          apiBaseUrl: body.api_base_url,
        },
        call.actor,
      )
      return answerChannel(id, call)
    },
  }),
  route({
    method: 'get',
    path: '/channels',
    tag: 'channels',
    summary: 'All channels, with their health',
    permission: 'channels.read',
    answer: page(channelShape),
    async handle(_input, { storage, asker }) {
      const [channels, catchUps] = await Promise.all([
        storage.channels.list(storage.fresh, asker.accountId, asker.scope),
        storage.catchUps.list(storage.fresh, asker.accountId),
      ])
      const items = channels.map((channel) =>
        presentChannel(
          channel,
          catchUps.find(({ channelId }) => channelId === channel.id),
        ),
      )
      return { items, next_cursor: null }
    },
  }),
  route({
    method: 'get',
    path: '/channels/:id',
    tag: 'channels',
    summary: 'One channel, with its health',
    permission: 'channels.read',
    params,
    answer: channelShape,
    handle: ({ params }, call) => answerChannel(params.id, call),
  }),
  route({
    method: 'patch',
    path: '/channels/:id',
    tag: 'channels',
    summary: 'Rename a channel, or reconnect it with new credentials',
    permission: 'channels.manage',
    params,
    body: z.strictObject({ name: name.optional(), credentials: credentials.optional() }),
    answer: channelShape,
    async handle({ params, body }, call) {
      const { storage, asker } = call
      const channel = await findChannel(params.id, call)
      const grant = body.credentials && grantOf(channel.type, body.credentials)
      if (body.name !== undefined) await renameChannel(storage, asker.accountId, channel.id, body.name, call.actor)
      if (grant !== undefined)
        await reconnectChannel(
          call,
          asker.accountId,
          channel.id,
          {
            credentials: grant.credentials,
            tokenExpiresAt: grant.tokenExpiresAt ?? null,
          },
          call.actor,
        )
      return answerChannel(channel.id, call)
    },
  }),
  route({
    method: 'delete',
    path: '/channels/:id',
    tag: 'channels',
    summary: 'Disconnect a channel; its conversations stay, and it can be connected again',
    permission: 'channels.manage',
    params,
    answer: disconnectedShape,
    async handle({ params }, call) {
      const channel = await findChannel(params.id, call)
      const { result, reason } = await disconnectChannel(call, call.asker.accountId, channel.id, call.actor)
      return { subscription: result, reason }
    },
  }),
  route({
    method: 'post',
    path: '/channels/:id/examine',
    tag: 'channels',
    summary: 'Mend what mends itself, then test the set-up of a channel live, from the network to us and back',
    permission: 'channels.manage',
    params,
    body: emptyBody,
    answer: examinationShape,
    async handle({ params }, call) {
      const channel = await findChannel(params.id, call)
      // First what mends itself: a subscription that is missing is made.
      if (channel.disconnectedAt === null)
        await checkChannel(call, channel, AbortSignal.timeout(mendLimitMs)).catch((error: unknown) => {
          call.logger.info({ channel: channel.id, err: error }, 'a channel could not be looked after')
        })
      const lines = await examineSetup(call, call.asker.accountId, channel.id)
      return {
        checks: lines.map(({ check, ok, code, parameters, detail, cureCode, cure }) => ({
          ...{ name: check, is_good: ok, code, parameters: { ...parameters }, text: detail, cure_code: cureCode, cure },
        })),
        channel: await answerChannel(params.id, call),
      }
    },
  }),
  route({
    method: 'post',
    path: '/channels/:id/catch-up',
    tag: 'channels',
    summary: 'Read back what may have been missed',
    permission: 'channels.manage',
    params,
    body: emptyBody,
    answer: channelShape,
    status: 202,
    async handle({ params }, call) {
      const channel = await findChannel(params.id, call)
      if (channel.disconnectedAt !== null)
        throw conflict(
          'disconnected',
          'This channel is disconnected. Connect it again; it is then read back by itself.',
        )
      await askCatchUp(call, call.asker.accountId, channel.id)
      return answerChannel(channel.id, call)
    },
  }),
]

/** What is to be stored of given credentials. @throws Problem 422 for one that this type of channel does not have */
function grantOf(type: ChannelType, given: z.infer<typeof credentials>) {
  const strange = Object.keys(given).filter((each) => each !== 'access_token' && !extras[type].includes(each))
  if (strange.length > 0)
    throw invalid(
      strange.map((each) => ({
        field: `credentials.${each}`,
        message: `A channel of type ${type} has no such credential.`,
      })),
    )
  return {
    credentials: Object.fromEntries(
      Object.entries(given).filter((entry): entry is [string, string] => entry[1] !== undefined),
    ),
    tokenExpiresAt: given.expires_at === undefined ? undefined : new Date(given.expires_at),
  }
}

async function findChannel(id: string, { storage, asker }: Call) {
  const channel = await storage.channels.get(storage.fresh, asker.accountId, id, asker.scope)
  if (channel === undefined) throw notFound('channel')
  return channel
}

/** One channel as it is now. @throws Problem 404 */
export async function answerChannel(id: string, call: Call): Promise<ChannelJson> {
  const channel = await findChannel(id, call)
  const catchUp = await call.storage.catchUps.get(call.storage.fresh, call.asker.accountId, channel.id)
  return presentChannel(channel, catchUp)
}
