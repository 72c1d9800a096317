/** Apps: our registrations with the networks. */
import { z } from 'zod'
import { changeSpend } from '../../backend/app-spend.ts'
import { changeApp, createApp, mostSecrets } from '../../backend/networks.ts'
import { notFound } from '../../infra/errors.ts'
import { networkNames } from '../../storage/model/words.ts'
import { presentApp } from '../presenters/network.ts'
import { appShape, page } from '../presenters/shapes.ts'
import type { AppJson } from '../presenters/shapes.ts'
import { route } from '../route.ts'
import type { Call } from '../route.ts'

const name = z.string().trim().min(1).max(200)
const secret = z.string().min(1).max(500)
const secrets = z
  .array(secret)
  .min(1)
  .max(mostSecrets)
  .describe('newest first: Meta app secrets or X consumer secrets; never shown again')
const short = z.string().min(1).max(255)
const externalId = z.string().min(1).max(64)

export const appRoutes = [
  route({
    method: 'post',
    path: '/apps',
    tag: 'apps',
    summary: 'Register an app',
    permission: 'apps.manage',
    body: z.strictObject({
      network: z.enum(networkNames),
      name,
      external_id: externalId.optional(),
      secrets,
      consumer_key: short.optional(),
      client_id: short.optional(),
      client_secret: secret.optional(),
      verify_token: short.optional(),
      api_base_url: z.string().max(255).optional(),
    }),
    answer: appShape,
    status: 201,
    async handle({ body }, call) {
      const id = await createApp(
        call.storage,
        call.config,
        call.asker.accountId,
        {
          id: call.effectId,
          network: body.network,
          name: body.name,
          externalId: body.external_id,
          secrets: body.secrets,
          consumerKey: body.consumer_key,
          clientId: body.client_id,
          clientSecret: body.client_secret,
          verifyToken: body.verify_token,
          apiBaseUrl: body.api_base_url,
        },
        call.actor,
      )
      return answerApp(id, call)
    },
  }),
  route({
    method: 'get',
    path: '/apps',
    tag: 'apps',
    summary: 'All apps',
    permission: 'apps.manage',
    answer: page(appShape),
    async handle(_input, { storage, config, asker }) {
      const apps = await storage.apps.list(storage.fresh, asker.accountId)
      return { items: apps.map((app) => presentApp(app, storage, config)), next_cursor: null }
    },
  }),
  route({
    method: 'get',
    path: '/apps/:id',
    tag: 'apps',
    summary: 'One app',
    permission: 'apps.manage',
    params: z.strictObject({ id: z.string() }),
    answer: appShape,
    handle: ({ params }, call) => answerApp(params.id, call),
  }),
  route({
    method: 'patch',
    path: '/apps/:id',
    tag: 'apps',
    summary: 'Change an app, or rotate its secrets; signatures under any of them are good at once',
    permission: 'apps.manage',
    isSensitive: true,
    params: z.strictObject({ id: z.string() }),
    body: z.strictObject({
      name: name.optional(),
      external_id: externalId.nullable().optional(),
      secrets: secrets.optional(),
      new_secret: secret.optional().describe('becomes the newest; the others stay good'),
      keep_secrets: z
        .int()
        .min(1)
        .max(mostSecrets)
        .optional()
        .describe('only so many of the newest secrets stay good, after the new one is added'),
      consumer_key: short.nullable().optional(),
      client_id: short.nullable().optional(),
      client_secret: secret.nullable().optional(),
      verify_token: short.optional(),
      spend_cap: z
        .number()
        .min(0)
        .max(1_000_000)
        .nullable()
        .optional()
        .describe('X: US dollars a month, by our own count; messages that would cost more wait'),
      prices: z
        .record(z.string().max(20), z.number().min(0).max(1_000))
        .nullable()
        .optional()
        .describe('X: US dollars by kind, where the app pays others than the documented ones'),
    }),
    answer: appShape,
    async handle({ params, body }, call) {
      await changeSpend(call.storage, call.asker.accountId, params.id, { cap: body.spend_cap, prices: body.prices })
      await changeApp(
        call.storage,
        call.asker.accountId,
        params.id,
        {
          name: body.name,
          externalId: body.external_id,
          consumerKey: body.consumer_key,
          clientId: body.client_id,
          clientSecret: body.client_secret,
          verifyToken: body.verify_token,
          secrets: body.secrets,
          newSecret: body.new_secret,
          keepSecrets: body.keep_secrets,
        },
        call.actor,
      )
      return answerApp(params.id, call)
    },
  }),
]

async function answerApp(id: string, { storage, config, asker }: Call): Promise<AppJson> {
  const app = await storage.apps.get(storage.fresh, asker.accountId, id)
  if (app === undefined) throw notFound('app')
  return presentApp(app, storage, config)
}
