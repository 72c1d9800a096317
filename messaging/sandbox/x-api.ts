/** The X API as far as Parley speaks it: direct messages, posts, timelines, users, media; tokens and webhooks have files of their own. */
import { fieldsOf, idOf, readJson, textOf } from '../connectors/reading.ts'
import type { Fields } from '../connectors/reading.ts'
import { measurePost } from '../connectors/x/length.ts'
import { signOAuth1 } from '../connectors/x/oauth1.ts'
import { tell } from './customers.ts'
import type { Stage } from './customers.ts'
import type { Answer, Face, Request } from './http.ts'
import { serveClosedMedia } from './media.ts'
import type { SandboxChannel, Utterance } from './world.ts'
import type { XLimits } from './x-limits.ts'
import { openXOAuth } from './x-oauth.ts'
import { listDirect, listMentions, listOwnPosts } from './x-reads.ts'
import { appByBearer, channelOfToken } from './x-tokens.ts'
import { openXWebhooks, problem } from './x-webhooks.ts'
import type { Caller } from './x-webhooks.ts'

type Refuse = () => { code: number; subcode: number | undefined } | undefined

/** Whether a path is X's, and not the Graph API's. */
export const isXPath = (path: string): boolean => /^\/(2|oauth2|i\/oauth2|1\.1\/ton)\//.test(path)

/** Paths as on api.x.com. */
export function openXApi(stage: Stage, limits: XLimits): Face {
  const { world, faults, clock } = stage
  const oauth = openXOAuth(stage)
  const administer = openXWebhooks(stage)

  function callerOf(request: Request): Caller | undefined {
    const header = request.headers.authorization ?? ''
    const bearer = /^Bearer (.+)$/i.exec(header)?.[1]
    if (bearer !== undefined) {
      const app = appByBearer(world, bearer)
      return app === undefined ? ofUser(channelOfToken(world, clock, bearer)) : { app, channel: undefined }
    }
    const fields = readOAuth(header)
    const channel = world.channelByToken('x', fields.oauth_token ?? '')
    return channel === undefined || isSignedRight(stage, channel, request, fields) ? ofUser(channel) : undefined
  }
  const ofUser = (channel: SandboxChannel | undefined): Caller | undefined => {
    const app = world.apps.get(channel?.app_id ?? '')
    return channel === undefined || app === undefined ? undefined : { app, channel }
  }

  async function answerCaller(request: Request, caller: Caller, refuse: Refuse): Promise<Answer> {
    const administered = await administer(request, caller)
    if (administered !== undefined) return administered
    return caller.channel === undefined
      ? problem(
          403,
          'Unsupported Authentication',
          'This endpoint needs a user.',
          'https://api.x.com/2/problems/unsupported-authentication',
        )
      : route(stage, caller.channel, request, refuse)
  }

  return {
    network: 'x',
    channelOf: (request) => callerOf(request)?.channel?.external_id,
    expiredToken: () => problem(401, 'Unauthorized', 'Unauthorized'),
    async answer(request, refuse) {
      const granted = oauth(request)
      if (granted !== undefined) return granted
      const caller = callerOf(request)
      if (caller === undefined) return problem(401, 'Unauthorized', 'Unauthorized')
      const channel = caller.channel?.external_id
      const media = serveClosedMedia(stage, request)
      if (media !== undefined) return media
      if (faults.take('usage_capped', 'x', channel) !== undefined)
        return problem(
          429,
          'UsageCapExceeded',
          'Usage cap exceeded: Monthly product cap',
          'https://api.x.com/2/problems/usage-capped',
        )
      const limited = faults.take('rate_limited', 'x', channel)
      const { isOver, headers } = limits.count(channel ?? caller.app.app_id, request.method, request.path)
      const own = limited === undefined ? headers : exhausted(clock.now() + (limited.ms ?? 3_000))
      const answer =
        isOver || limited !== undefined
          ? problem(429, 'Too Many Requests', 'Too Many Requests')
          : await answerCaller(request, caller, refuse)
      const level =
        caller.channel?.access_token_secret === undefined ? {} : { 'x-access-level': 'read-write-directmessages' }
      const told = answer.status === 429 && limited === undefined && !isOver ? exhausted(clock.now() + 3_000) : own
      return {
        ...answer,
        ...(channel === undefined ? {} : { channel }),
        headers: { ...level, ...told, ...answer.headers },
      }
    },
  }
}

const exhausted = (until: number): Record<string, string> => ({
  'x-rate-limit-limit': '100',
  'x-rate-limit-remaining': '0',
  'x-rate-limit-reset': String(Math.ceil(until / 1000)),
})

function route(stage: Stage, channel: SandboxChannel, request: Request, refuse: Refuse): Answer {
  const { world } = stage
  const body = fieldsOf(readJson(request.body))
  const query = request.url.searchParams
  const parts = request.path.split('/').slice(2).map(decodeURIComponent)
  const [first = '', second = '', third = '', fourth = ''] = parts
  const isRead = request.method === 'GET'
  if (first === 'dm_conversations' && second === 'with' && request.method === 'POST' && fourth === 'messages')
    return sendDirect(stage, channel, third, body, refuse)
  if (first === 'dm_conversations' && second === 'with' && isRead && fourth === 'dm_events')
    return { status: 200, json: listDirect(stage, channel, third, query) }
  if (first === 'dm_events' && isRead) return { status: 200, json: listDirect(stage, channel, undefined, query) }
  if (first === 'tweets' && request.method === 'POST' && second === '') return sendPost(stage, channel, body, refuse)
  if (first !== 'users' || !isRead) return problem(404, 'Not Found', 'Not Found')
  if (third === 'tweets') return { status: 200, json: listOwnPosts(stage, channel, second, query) }
  if (third === 'mentions')
    return second === channel.external_id
      ? { status: 200, json: listMentions(stage, channel, query) }
      : problem(403, 'Forbidden', 'Not your timeline.', 'https://api.x.com/2/problems/not-authorized-for-resource')
  const id = second === 'me' ? channel.external_id : second
  const person =
    id === channel.external_id ? { name: channel.name, handle: channel.handle ?? channel.name } : world.people.get(id)
  if (person !== undefined)
    return { status: 200, json: { data: { id, name: person.name, username: person.handle ?? id } } }
  const missing = {
    title: 'Not Found Error',
    detail: `Could not find user with id: [${id}].`,
    type: 'https://api.twitter.com/2/problems/resource-not-found',
  }
  return { status: 200, json: { errors: [missing] } }
}

function sendDirect(stage: Stage, channel: SandboxChannel, personId: string, body: Fields, refuse: Refuse): Answer {
  const { world } = stage
  const text = textOf(body.text)
  if (text === undefined)
    return problem(
      400,
      'Invalid Request',
      'One or more parameters to your request was invalid.',
      'https://api.twitter.com/2/problems/invalid-request',
    )
  if (Array.from(text).length > 10_000)
    return {
      status: 403,
      json: { errors: [{ code: 354, message: 'The text of your direct message is over the max character limit' }] },
    }
  if (!world.people.has(personId))
    return problem(403, 'Forbidden', 'You do not have permission to DM one or more participants.')
  const refused = refuse()
  if (refused !== undefined) return problem(refused.code, 'Refused', 'Refused by a fault of the sandbox.')
  const said = world.say({
    type: 'x',
    channel: channel.external_id,
    person: personId,
    direction: 'outbound',
    kind: 'reply',
    text,
  })
  const pair = [channel.external_id, personId].sort((a, b) => (BigInt(a) < BigInt(b) ? -1 : 1)).join('-')
  return accept(stage, said, { data: { dm_conversation_id: pair, dm_event_id: said.external_id } })
}

/** Posts and answers; the same text to the same person twice in a day is refused. */
function sendPost(stage: Stage, channel: SandboxChannel, body: Fields, refuse: Refuse): Answer {
  const { world } = stage
  const text = textOf(body.text)
  if (text === undefined)
    return problem(
      400,
      'Invalid Request',
      'One or more parameters to your request was invalid.',
      'https://api.twitter.com/2/problems/invalid-request',
    )
  if (measurePost(text) > 280)
    return { status: 403, json: { errors: [{ code: 186, message: 'Tweet needs to be a bit shorter.' }] } }
  const inReplyTo = idOf(fieldsOf(body.reply).in_reply_to_tweet_id)
  const parent = inReplyTo === undefined ? undefined : world.byId.get(inReplyTo)
  if (inReplyTo !== undefined && parent === undefined)
    return problem(403, 'Forbidden', 'You attempted to reply to a Tweet that is deleted or not visible to you.')
  const person = parent?.direction === 'inbound' ? parent.person : ''
  const dayAgo = Date.now() - 24 * 60 * 60 * 1000
  const isRepeated = world
    .between(channel.external_id, person)
    .some(
      (said) =>
        said.direction === 'outbound' &&
        (said.kind === 'comment' || said.kind === 'post') &&
        said.text === text &&
        Date.parse(said.at) > dayAgo,
    )
  if (isRepeated) return problem(403, 'Forbidden', 'You are not allowed to create a Tweet with duplicate content.')
  const refused = refuse()
  if (refused !== undefined) return problem(refused.code, 'Refused', 'Refused by a fault of the sandbox.')
  const said = world.say({
    type: 'x',
    channel: channel.external_id,
    person,
    direction: 'outbound',
    kind: inReplyTo === undefined ? 'post' : 'comment',
    text,
    ...(inReplyTo === undefined ? {} : { in_reply_to: inReplyTo, post_id: parent?.post_id ?? inReplyTo }),
  })
  return accept(stage, said, { data: { id: said.external_id, text } })
}

const accept = (stage: Stage, said: Utterance, json: unknown): Answer => ({
  status: 201,
  json,
  accepted: { echo: () => tell(stage, [said]), after: () => Promise.resolve() },
})

function readOAuth(header: string): Record<string, string> {
  return Object.fromEntries(
    [...header.matchAll(/(oauth_\w+)="([^"]*)"/g)].map(([, name = '', value = '']) => [
      name,
      decodeURIComponent(value),
    ]),
  )
}

/** Checked where the channel's token secret and the app's key are known. */
function isSignedRight(
  stage: Stage,
  channel: SandboxChannel,
  request: Request,
  fields: Readonly<Record<string, string>>,
): boolean {
  const app = stage.world.apps.get(channel.app_id)
  const tokenSecret = channel.access_token_secret
  const consumerKey = app?.consumer_key
  if (app === undefined || tokenSecret === undefined || consumerKey === undefined) return true
  return app.secrets.some((consumerSecret) => {
    const keys = { consumerKey, consumerSecret, token: channel.access_token, tokenSecret }
    const expected = signOAuth1({ method: request.method, url: request.url.href }, keys, {
      timestamp: fields.oauth_timestamp ?? '',
      nonce: fields.oauth_nonce ?? '',
    })
    return readOAuth(expected).oauth_signature === fields.oauth_signature
  })
}
