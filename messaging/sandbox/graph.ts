/** The Graph API as far as Parley speaks it: who is calling, for which channel, and what of it is answered where. */
import { fieldsOf, idOf, isFields, readJson, textOf } from '../connectors/reading.ts'
import type { Fields } from '../connectors/reading.ts'
import { proveAppSecret } from '../connectors/meta/signature.ts'
import type { Stage } from './customers.ts'
import { appSubscriptions } from './graph-app.ts'
import { businessAccountOf, channelsOf, subscribedApps, tokenState } from './graph-channel.ts'
import { routeInstagram } from './graph-instagram.ts'
import { answerLogin, answerUser, appOf, debugToken, secretsOf } from './graph-login.ts'
import { graphError, missing } from './graph-error.ts'
import { listComments, listConversations, listFeed, readObject } from './graph-reads.ts'
import { publish, sendComment, sendMessage } from './graph-says.ts'
import type { Refuse } from './graph-says.ts'
import { locateWhatsAppMedia, sendWhatsApp } from './graph-whatsapp.ts'
import type { Answer, Face, Request } from './http.ts'
import { baseOf } from './media.ts'
import type { SandboxApp, SandboxChannel } from './world.ts'

/** One call, taken apart. */
export interface GraphRequest {
  readonly method: string
  readonly id: string
  readonly edge: string
  readonly parameters: Fields
  readonly base: string
}

/** Paths as on graph.facebook.com, with any version or none. */
export function openGraph(stage: Stage): Face {
  const { world } = stage
  return {
    network: 'meta',
    channelOf: (request) => {
      const call = takeApart(request)
      return pick(stage, channelsOf(world, tokenOf(request)), call)?.external_id
    },
    expiredToken: () => graphError(190, 463, 'Error validating access token: Session has expired.', 400),
    answer(request, refuse) {
      const call = takeApart(request)
      const path = call.edge === '' ? call.id : `${call.id}/${call.edge}`
      const token = tokenOf(request)
      const login = answerLogin(stage, call.method, path, { ...call.parameters, access_token: token })
      if (login !== undefined) return login
      const app = appOfToken(stage, token)
      if (call.method === 'GET' && call.id === 'debug_token') {
        // An app may look into tokens; whoever has a token may look into it.
        const looked = textOf(call.parameters.input_token) ?? ''
        const own = appOfToken(stage, looked)
        if (app !== undefined && app === own)
          return {
            status: 200,
            json: { data: { app_id: app.client_id ?? app.app_id, type: 'APP', is_valid: true, scopes: [] } },
          }
        if (app === undefined && token.includes('|')) return refuseApp(stage, token)
        return app !== undefined || looked === token ? debugToken(stage, looked) : invalid()
      }
      if (app !== undefined) return appSubscriptions(stage, app, call)
      if (token.includes('|')) return refuseApp(stage, token)
      const state = tokenState(stage, token)
      const user = world.apps.get(textOf(fieldsOf(world.notes.get(`meta.user.${token}`)).app_id) ?? '')
      const channel = pick(stage, channelsOf(world, token), call)
      if (!state.is_valid && (user ?? channel) !== undefined)
        return graphError(190, state.subcode, 'Error validating access token: The session is no longer valid.', 400)
      const asked = user ?? world.apps.get(channel?.app_id ?? '')
      const proof = request.url.searchParams.get('appsecret_proof')
      if (
        asked !== undefined &&
        proof !== null &&
        !secretsOf(asked).some((secret) => proveAppSecret(token, secret) === proof)
      )
        return graphError(100, undefined, 'Invalid appsecret_proof provided in the API argument')
      if (user !== undefined) return answerUser(stage, user, call.id, call.edge, call.parameters)
      if (channel === undefined) return invalid()
      const own = { ...call, id: call.id === 'me' ? channel.external_id : call.id }
      return { ...route(stage, channel, own, refuse), channel: channel.external_id }
    },
  }
}

const invalid = (): Answer => graphError(190, undefined, 'Invalid OAuth access token - Cannot parse access token', 401)

/** An app's token with another secret, or of no app. */
const refuseApp = (stage: Stage, token: string): Answer =>
  appOf(stage.world, token.split('|')[0]) === undefined
    ? graphError(101, undefined, 'Error validating application. Cannot get application info due to a system error.')
    : graphError(190, undefined, 'Invalid OAuth access token signature.')

/** `<app id>|<secret>`. */
function appOfToken(stage: Stage, token: string): SandboxApp | undefined {
  const [id, secret] = token.split('|')
  const app = secret === undefined ? undefined : appOf(stage.world, id)
  return app !== undefined && secretsOf(app).includes(secret ?? '') ? app : undefined
}

/** Whose call it is, when a page and an Instagram account share the token. */
function pick(
  stage: Stage,
  channels: readonly SandboxChannel[],
  { id, parameters }: GraphRequest,
): SandboxChannel | undefined {
  if (channels.length < 2) return channels[0]
  const named = channels.find(
    (one) => one.external_id === id || (one.type === 'whatsapp' && businessAccountOf(one) === id),
  )
  if (named !== undefined) return named
  const recipient = isFields(parameters.recipient) ? parameters.recipient : {}
  const target = stage.world.byId.get(idOf(recipient.comment_id) ?? id)
  const type =
    target?.type ??
    stage.world.people.get(idOf(recipient.id) ?? id)?.type ??
    (parameters.platform === 'instagram' ? 'instagram' : 'facebook')
  return channels.find((one) => one.type === type) ?? channels[0]
}

function route(stage: Stage, channel: SandboxChannel, call: GraphRequest, refuse: Refuse): Answer {
  const { method, id, edge, parameters } = call
  const isOwn = id === channel.external_id || (channel.type === 'whatsapp' && id === businessAccountOf(channel))
  if (edge === 'subscribed_apps' && isOwn)
    return subscribedApps(stage, channel, method, textOf(parameters.subscribed_fields))
  if (channel.type === 'whatsapp') return routeWhatsApp(stage, channel, call, refuse)
  if (method === 'POST' && edge === 'messages')
    return isOwn ? sendMessage(stage, channel, parameters, refuse) : missing(id)
  if (method === 'GET' && edge === 'conversations' && isOwn) return listConversations(stage, channel, parameters)
  if (channel.type === 'instagram') return routeInstagram(stage, channel, call, refuse)
  if (method === 'POST' && edge === 'comments') return sendComment(stage, channel, id, parameters, refuse)
  if (method === 'POST' && edge === 'feed' && isOwn) return publish(stage, channel, parameters, refuse)
  if (method === 'GET' && edge === 'comments')
    return { status: 200, json: listComments(stage, channel, id, parameters) }
  if (method === 'GET' && edge === 'feed' && isOwn) return listFeed(stage, channel, parameters)
  if (method === 'GET' && edge === '') return readObject(stage, channel, id)
  return missing(id)
}

function routeWhatsApp(
  stage: Stage,
  channel: SandboxChannel,
  { method, id, edge, parameters, base }: GraphRequest,
  refuse: Refuse,
): Answer {
  const isOwn = id === channel.external_id
  if (method === 'POST' && edge === 'messages' && isOwn) return sendWhatsApp(stage, channel, parameters, refuse)
  if (method === 'GET' && edge === '' && isOwn)
    return { status: 200, json: { id, verified_name: channel.name, quality_rating: 'GREEN' } }
  if (method === 'GET' && edge === '') return locateWhatsAppMedia(stage, channel, id, base)
  return missing(id)
}

function takeApart(request: Request): GraphRequest {
  const [id = '', ...rest] = request.path
    .replace(/^\/v\d+\.\d+(?=\/|$)/, '')
    .split('/')
    .filter((part) => part !== '')
    .map(decode)
  const parameters = { ...Object.fromEntries(request.url.searchParams), ...readParameters(request) }
  return { method: request.method, id, edge: rest.join('/'), parameters, base: baseOf(request) }
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

function readParameters(request: Request): Fields {
  const type = request.headers['content-type'] ?? ''
  if (type.includes('application/x-www-form-urlencoded'))
    return Object.fromEntries(new URLSearchParams(request.body.toString('utf8')))
  return fieldsOf(readJson(request.body))
}

const tokenOf = (request: Request): string =>
  /^(?:Bearer|OAuth) (.+)$/i.exec(request.headers.authorization ?? '')?.[1] ??
  request.url.searchParams.get('access_token') ??
  textOf(readParameters(request).access_token) ??
  ''
