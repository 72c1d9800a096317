/** Apps: our registrations with the networks. */
import { z } from 'zod'
import { changeAppSecrets, createApp } from '../../backend/networks.ts'
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
  .max(10)
  .describe('newest first: Meta app secrets or X consumer secrets; never shown again')
const short = z.string().min(1).max(255)

export const appRoutes = [
  route({
    method: 'post',
    path: '/apps',
    tag: 'apps',
    summary: 'Register an app',
    permission: 'administrator',
    body: z.strictObject({
      network: z.enum(networkNames),
      name,
      external_id: z.string().min(1).max(64).optional(),
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
      const id = await createApp(call.storage, call.config, call.asker.accountId, {
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
      })
      return answerApp(id, call)
    },
  }),
  route({
    method: 'get',
    path: '/apps',
    tag: 'apps',
    summary: 'All apps',
    permission: 'administrator',
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
    permission: 'administrator',
    params: z.strictObject({ id: z.string() }),
    answer: appShape,
    handle: ({ params }, call) => answerApp(params.id, call),
  }),
  route({
    method: 'patch',
    path: '/apps/:id',
    tag: 'apps',
    summary: "Replace an app's secrets; signatures under any of them are good at once",
    permission: 'administrator',
    params: z.strictObject({ id: z.string() }),
    body: z.strictObject({
      secrets: secrets.optional(),
      client_secret: secret.optional(),
      verify_token: short.optional(),
    }),
    answer: appShape,
    async handle({ params, body }, call) {
      await changeAppSecrets(call.storage, call.asker.accountId, params.id, {
        secrets: body.secrets,
        clientSecret: body.client_secret,
        verifyToken: body.verify_token,
      })
      return answerApp(params.id, call)
    },
  }),
]

async function answerApp(id: string, { storage, config, asker }: Call): Promise<AppJson> {
  const app = await storage.apps.get(storage.fresh, asker.accountId, id)
  if (app === undefined) throw notFound('app')
  return presentApp(app, storage, config)
}
