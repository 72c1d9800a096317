/** The X API as far as Parley speaks it: direct messages, posts, timelines, users, media; tokens and webhooks have files of their own. */
import { fieldsOf, idOf, readJson } from '../connectors/reading.ts'
import { signOAuth1 } from '../connectors/x/oauth1.ts'
import type { Stage } from './customers.ts'
import type { Answer, Face, Request } from './http.ts'
import { serveClosedMedia } from './media.ts'
import type { SandboxChannel } from './world.ts'
import { hide, like, remove } from './x-changes.ts'
import type { XLimits } from './x-limits.ts'
import { openXMedia } from './x-media.ts'
import { openXOAuth } from './x-oauth.ts'
import { listDirect, listMentions, listOwnPosts } from './x-reads.ts'
import { problem } from './x-problems.ts'
import { sendDirect, sendPost } from './x-says.ts'
import type { Saying } from './x-says.ts'
import { appByBearer, channelOfToken } from './x-tokens.ts'
import { openXWebhooks } from './x-webhooks.ts'
import type { Caller } from './x-webhooks.ts'

type Refuse = Saying['refuse']

/** Whether a path is X's, and not the Graph API's. */
export const isXPath = (path: string): boolean => /^\/(2|oauth2|i\/oauth2|1\.1\/ton)\//.test(path)

/** Paths as on api.x.com. */
export function openXApi(stage: Stage, limits: XLimits): Face {
  const { world, faults, clock } = stage
  const oauth = openXOAuth(stage)
  const administer = openXWebhooks(stage)
  const media = openXMedia(stage)

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
      : route({ stage, media, channel: caller.channel, request, body: fieldsOf(readJson(request.body)), refuse })
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
      const picture = serveClosedMedia(stage, request)
      if (picture !== undefined) return picture
      if (faults.take('usage_capped', 'x', channel) !== undefined) return usageCapped()
      const limited = faults.take('rate_limited', 'x', channel)
      const { isOver, headers } = limits.count(channel, caller.app.app_id, request.method, request.path)
      const own = limited === undefined ? headers : exhausted(clock.now() + (limited.ms ?? 3_000))
      const answer =
        isOver || limited !== undefined
          ? problem(429, 'Too Many Requests', 'Too Many Requests')
          : await answerCaller(request, caller, refuse)
      const level =
        caller.channel?.access_token_secret === undefined ? {} : { 'x-access-level': 'read-write-directmessages' }
      const told = answer.status === 429 && limited === undefined && !isOver ? exhausted(clock.now() + 3_000) : own
      const isPartial = answer.status < 300 && faults.take('partial_errors', 'x', channel) !== undefined
      return {
        ...answer,
        ...(isPartial ? { json: { ...fieldsOf(answer.json), errors: [partialError] } } : {}),
        ...(channel === undefined ? {} : { channel }),
        headers: { ...level, ...told, ...answer.headers },
      }
    },
  }
}

/** What X puts beside an answer that lacks something. */
const partialError = {
  title: 'Not Found Error',
  detail: 'Could not find tweet with referenced_tweets.id: [1].',
  type: 'https://api.twitter.com/2/problems/resource-not-found',
}

const usageCapped = (): Answer => ({
  status: 429,
  json: {
    title: 'UsageCapExceeded',
    detail: 'Usage cap exceeded: Monthly product cap',
    type: 'https://api.x.com/2/problems/usage-capped',
    period: 'Monthly',
    scope: 'Product',
  },
})

const exhausted = (until: number): Record<string, string> => ({
  'x-rate-limit-limit': '100',
  'x-rate-limit-remaining': '0',
  'x-rate-limit-reset': String(Math.ceil(until / 1000)),
})

async function route(saying: Saying): Promise<Answer> {
  const { stage, media, channel, request } = saying
  const { world } = stage
  const query = request.url.searchParams
  const { method } = request
  const parts = request.path.split('/').slice(2).map(decodeURIComponent)
  const [first = '', second = '', third = '', fourth = ''] = parts
  const isRead = method === 'GET'
  const given = await media.answer(request, channel)
  if (given !== undefined) return given
  if (first === 'dm_conversations' && second === 'with' && method === 'POST' && fourth === 'messages')
    return sendDirect(saying, third)
  if (first === 'dm_conversations' && second === 'with' && isRead && fourth === 'dm_events')
    return { status: 200, json: listDirect(stage, channel, third, query) }
  if (first === 'dm_events' && isRead) return { status: 200, json: listDirect(stage, channel, undefined, query) }
  if (first === 'dm_events' && method === 'DELETE') return remove(saying, second, true)
  if (first === 'tweets' && method === 'POST' && second === '') return sendPost(saying)
  if (first === 'tweets' && method === 'DELETE') return remove(saying, second, false)
  if (first === 'tweets' && method === 'PUT' && third === 'hidden') return hide(saying, second)
  if (first === 'users' && third === 'likes' && method === 'POST')
    return like(saying, second, idOf(saying.body.tweet_id) ?? '', true)
  if (first === 'users' && third === 'likes' && method === 'DELETE') return like(saying, second, fourth, false)
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
