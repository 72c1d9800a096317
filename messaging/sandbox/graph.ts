/** The Graph API as far as Parley speaks it: who is calling, for which channel, and what of it is answered where. */
import { fieldsOf, idOf, textOf } from '../connectors/reading.ts'
import { proveAppSecret } from '../connectors/meta/signature.ts'
import type { Stage } from './customers.ts'
import { appSubscriptions } from './graph-app.ts'
import { businessAccountOf, channelsOf, subscribedApps, tokenState } from './graph-channel.ts'
import { changeContent } from './graph-does.ts'
import { graphError, missing } from './graph-error.ts'
import { uploadAttachment, uploadMedia } from './graph-files.ts'
import { routeInstagram } from './graph-instagram.ts'
import { meter } from './graph-limits.ts'
import { answerLogin, answerUser, appOf, debugToken, secretsOf } from './graph-login.ts'
import { lacks } from './graph-permissions.ts'
import { listVideos, publish, publishVideo, readVideo, uploadPhoto } from './graph-posts.ts'
import { listComments, listConversations, listFeed, readObject } from './graph-reads.ts'
import { jsonOf, takeApart, takeWholeApart, tokenOf } from './graph-request.ts'
import type { GraphRequest } from './graph-request.ts'
import { sendComment, sendMessage } from './graph-says.ts'
import type { Refuse } from './graph-says.ts'
import { listTemplates } from './graph-templates.ts'
import { sendWhatsApp } from './graph-whatsapp-says.ts'
import { locateWhatsAppMedia } from './graph-whatsapp.ts'
import type { Answer, Face } from './http.ts'
import type { SandboxApp, SandboxChannel } from './world.ts'

/** Paths as on graph.facebook.com, with any version or none. */
export function openGraph(stage: Stage): Face {
  const { world } = stage
  return {
    network: 'meta',
    channelOf: (request) => {
      const call = takeApart(request)
      return pick(stage, channelsOf(world, tokenOf(request)), call)?.external_id
    },
    failedAnswer: () => graphError(1, 1_357_046, 'An unknown error has occurred.', 500),
    expiredToken: () => graphError(190, 463, 'Error validating access token: Session has expired.', 400),
    async answer(request, refuse) {
      const call = await takeWholeApart(request)
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
      const { headers, refused } = meter(stage, channel)
      const known = refused ?? (await route(stage, channel, own, refuse))
      return { ...known, headers: { ...headers, ...known.headers }, channel: channel.external_id }
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
  // What was made by one of them is its own.
  const maker = textOf(fieldsOf(stage.world.notes.get(`meta.container.${id}`)).channel)
  const named = channels.find(
    (one) => one.external_id === (maker ?? id) || (one.type === 'whatsapp' && businessAccountOf(one) === id),
  )
  if (named !== undefined) return named
  const recipient = fieldsOf(jsonOf(parameters.recipient))
  const target = stage.world.byId.get(idOf(recipient.comment_id) ?? id)
  const type =
    target?.type ??
    stage.world.people.get(idOf(recipient.id) ?? id)?.type ??
    (parameters.platform === 'instagram' ? 'instagram' : 'facebook')
  return channels.find((one) => one.type === type) ?? channels[0]
}

async function route(stage: Stage, channel: SandboxChannel, call: GraphRequest, refuse: Refuse): Promise<Answer> {
  const { method, id, edge, parameters } = call
  const isOwn = id === channel.external_id || (channel.type === 'whatsapp' && id === businessAccountOf(channel))
  if (edge === 'subscribed_apps' && isOwn)
    return subscribedApps(stage, channel, method, textOf(parameters.subscribed_fields))
  if (channel.type === 'whatsapp') return routeWhatsApp(stage, channel, call, refuse)
  if (method === 'POST' && edge === 'messages') return isOwn ? sendMessage(stage, channel, call, refuse) : missing(id)
  if (method === 'POST' && edge === 'message_attachments')
    return isOwn ? uploadAttachment(stage, channel, call) : missing(id)
  if (method === 'GET' && edge === 'conversations' && isOwn) return listConversations(stage, channel, parameters)
  const changed = changeContent(stage, channel, call, refuse)
  if (changed !== undefined) return changed
  return channel.type === 'instagram'
    ? routeInstagram(stage, channel, call, refuse)
    : routePage(stage, channel, call, refuse)
}

async function routePage(stage: Stage, channel: SandboxChannel, call: GraphRequest, refuse: Refuse): Promise<Answer> {
  const { method, id, edge, parameters } = call
  if (method === 'POST' && edge === 'comments') return sendComment(stage, channel, call, refuse)
  if (method === 'GET' && edge === 'comments')
    return { status: 200, json: listComments(stage, channel, id, parameters) }
  if (method === 'GET' && edge === '') return readVideo(stage, channel, id) ?? readObject(stage, channel, id)
  if (id !== channel.external_id) return missing(id)
  switch (`${method} ${edge}`) {
    case 'POST feed':
      return publish(stage, channel, call, refuse)
    case 'POST photos':
      return uploadPhoto(stage, channel, call, refuse)
    case 'POST videos':
      return publishVideo(stage, channel, call, refuse)
    case 'GET videos':
      return listVideos(stage, channel, parameters)
    case 'GET feed':
      return listFeed(stage, channel, parameters)
    default:
      return missing(id)
  }
}

function routeWhatsApp(stage: Stage, channel: SandboxChannel, call: GraphRequest, refuse: Refuse): Answer {
  const { method, id, edge, parameters, base } = call
  const isOwn = id === channel.external_id
  if (method === 'GET' && edge === 'message_templates' && id === businessAccountOf(channel))
    return lacks(stage, channel, 'whatsapp_business_management') ?? listTemplates(stage, channel, parameters)
  if (method === 'POST' && edge === 'messages' && isOwn) return sendWhatsApp(stage, channel, call, refuse)
  if (method === 'POST' && edge === 'media' && isOwn) return uploadMedia(stage, channel, call)
  if (method === 'GET' && edge === '' && isOwn)
    return { status: 200, json: { id, verified_name: channel.name, quality_rating: 'GREEN' } }
  if (method === 'GET' && edge === '') return locateWhatsAppMedia(stage, channel, id, base)
  return missing(id)
}
