/** Connecting channels by signing in at the network: there, back with a code, and a choice. */
import { z } from 'zod'
import { notFound, Problem } from '../../infra/errors.ts'
import { beginConnect, connectChosen, finishConnect, listChoices } from '../../messaging/connect.ts'
import type { Signer } from '../../messaging/connect.ts'
import { channelTypes } from '../../storage/model/words.ts'
import { channelShape, connectableShape, page } from '../presenters/shapes.ts'
import { answered, route } from '../route.ts'
import type { Call } from '../route.ts'
import { answerChannel } from './channels.ts'

/** The browser app reads it once: what the network said as it refused. */
const saidCookie = 'parley_said'
const returnPath = '/api/v1/connect/return'
const params = z.strictObject({ id: z.string() })

/** Networks add what they like to the way back; only these are read. */
const back = z.object({ code: z.string().optional(), state: z.string().optional(), error: z.string().optional() })

export const connectRoutes = [
  route({
    method: 'post',
    path: '/connect',
    tag: 'channels',
    summary: 'Begin to connect channels: gives the address at the network to go to',
    permission: 'channels.manage',
    body: z.strictObject({ app_id: z.string().max(64), type: z.enum(channelTypes) }),
    answer: z.object({ authorize_url: z.string(), expires_at: z.iso.datetime() }),
    status: 201,
    async handle({ body }, call) {
      const { storage, asker, config } = call
      const app = await storage.apps.get(storage.fresh, asker.accountId, body.app_id)
      if (
        (app?.network === 'x' && app.clientId === null) ||
        (app?.network === 'meta' && (app.clientId ?? app.externalId) === null)
      )
        throw new Problem(
          422,
          'no_client_id',
          'This app has no id to sign in with. Enter it when you add the app, or use an access token instead.',
        )
      const { url, expiresAt } = await beginConnect(call, signerOf(call), {
        appId: body.app_id,
        type: body.type,
        redirectUri: `${config.publicUrl}${returnPath}`,
      })
      return { authorize_url: url, expires_at: expiresAt.toISOString() }
    },
  }),
  route({
    method: 'get',
    path: '/connect/return',
    tag: 'channels',
    summary: 'Where the network sends the person back to; goes on in the browser app',
    permission: 'channels.manage',
    query: z.record(z.string(), z.unknown()),
    contentType: 'text/html',
    status: 302,
    async handle({ query }, call) {
      const { said, ...place } = await comeBack(back.catch({}).parse(query), call)
      // In a cookie and not in the address: nobody else can put words on our page.
      if (said !== undefined)
        call.response.cookie(saidCookie, said.slice(0, 500), { path: '/channels', maxAge: 120_000, sameSite: 'lax' })
      call.response.setHeader('cache-control', 'no-store')
      call.response.redirect(302, `/channels/connect?${new URLSearchParams(place).toString()}`)
      return answered
    },
  }),
  route({
    method: 'get',
    path: '/connect/:id',
    tag: 'channels',
    summary: 'What can be connected after signing in',
    permission: 'channels.manage',
    params,
    answer: page(connectableShape),
    async handle({ params }, call) {
      const choices = await gone(listChoices(call, signerOf(call), params.id))
      const items = choices.map(({ type, externalId, name, channelId }) => ({
        type,
        external_id: externalId,
        name,
        channel_id: channelId ?? null,
      }))
      return { items, next_cursor: null }
    },
  }),
  route({
    method: 'post',
    path: '/connect/:id',
    tag: 'channels',
    summary: 'Connect what was chosen; what is connected already gets new access',
    permission: 'channels.manage',
    params,
    body: z.strictObject({ external_ids: z.array(z.string().min(1).max(64)).min(1).max(200) }),
    answer: page(channelShape),
    async handle({ params, body }, call) {
      const signer = signerOf(call)
      const choices = await gone(listChoices(call, signer, params.id))
      const strange = body.external_ids.find((id) => !choices.some(({ externalId }) => externalId === id))
      if (strange !== undefined) throw new Problem(422, 'not_offered', `${strange} is not among what can be connected.`)
      const chosen = choices.filter(({ externalId }) => body.external_ids.includes(externalId))
      const connected = await gone(connectChosen(call, signer, params.id, chosen))
      const items = await Promise.all(connected.map(({ channelId }) => answerChannel(channelId, call)))
      return { items, next_cursor: null }
    },
  }),
]

/** The sign-in belongs to this user in this browser session. */
const signerOf = ({ asker, identity, actor }: Call): Signer => ({
  actor,
  accountId: asker.accountId,
  userId: asker.userId,
  binding: identity?.key ?? '',
})

/** Where the browser app goes on: with the choice, or with what went wrong. */
async function comeBack(
  { code, state, error }: z.infer<typeof back>,
  call: Call,
): Promise<Record<string, string> & { readonly said?: string }> {
  if (code === undefined || state === undefined) return { problem: error === undefined ? 'expired' : 'denied' }
  try {
    return { attempt: (await finishConnect(call, signerOf(call), { code, state })).attemptId }
  } catch (cause) {
    if (!(cause instanceof Problem)) throw cause
    return cause.code === 'sign_in_expired' ? { problem: 'expired' } : { problem: 'refused', said: cause.message }
  }
}

/** A sign-in that is over, or somebody else's, is not there. */
async function gone<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    throw error instanceof Problem && error.code === 'sign_in_expired' ? notFound('sign-in') : error
  }
}
