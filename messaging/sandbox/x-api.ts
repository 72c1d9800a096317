/** The X API as far as Parley speaks it: direct messages, posts, timelines, users. */
import { fieldsOf, idOf, readJson, textOf } from '../connectors/reading.ts'
import type { Fields } from '../connectors/reading.ts'
import { measurePost } from '../connectors/x/length.ts'
import { signOAuth1 } from '../connectors/x/oauth1.ts'
import { tell } from './customers.ts'
import type { Stage } from './customers.ts'
import type { Answer, Face, Request } from './http.ts'
import type { SandboxChannel, Utterance } from './world.ts'

type Refuse = () => { code: number; subcode: number | undefined } | undefined

/** Paths as on api.x.com. */
export function openXApi(stage: Stage): Face {
  const { world } = stage

  function channelFor(request: Request): SandboxChannel | undefined {
    const header = request.headers.authorization ?? ''
    const bearer = /^Bearer (.+)$/i.exec(header)?.[1]
    if (bearer !== undefined) return world.channelByToken('x', bearer)
    const fields = readOAuth(header)
    const channel = world.channelByToken('x', fields.oauth_token ?? '')
    return channel === undefined || isSignedRight(stage, channel, request, fields) ? channel : undefined
  }

  return {
    network: 'x',
    channelOf: (request) => channelFor(request)?.external_id,
    expiredToken: () => problem(401, 'Unauthorized', 'Unauthorized'),
    answer(request, refuse) {
      const channel = channelFor(request)
      if (channel === undefined) return problem(401, 'Unauthorized', 'Unauthorized')
      const answer = route(stage, channel, request, refuse)
      return { ...answer, channel: channel.external_id, headers: { ...limitHeaders(answer.status), ...answer.headers } }
    },
  }
}

function route(stage: Stage, channel: SandboxChannel, request: Request, refuse: Refuse): Answer {
  const { world } = stage
  const body = fieldsOf(readJson(request.body))
  const parts = request.path.split('/').slice(2).map(decodeURIComponent)
  const [first = '', second = '', third = '', fourth = ''] = parts
  if (first === 'dm_conversations' && second === 'with' && request.method === 'POST' && fourth === 'messages')
    return sendDirect(stage, channel, third, body, refuse)
  if (first === 'dm_conversations' && second === 'with' && request.method === 'GET' && fourth === 'dm_events')
    return { status: 200, json: listDirect(stage, channel, third) }
  if (first === 'tweets' && request.method === 'POST' && second === '') return sendPost(stage, channel, body, refuse)
  if (first === 'users' && request.method === 'GET') {
    if (third === 'tweets') return { status: 200, json: listOwnPosts(stage, channel, second) }
    const id = second === 'me' ? channel.external_id : second
    const person = world.people.get(id)
    if (id === channel.external_id)
      return { status: 200, json: { data: { id, name: channel.name, username: channel.handle ?? channel.name } } }
    if (person !== undefined)
      return { status: 200, json: { data: { id, name: person.name, username: person.handle ?? person.id } } }
    return {
      status: 200,
      json: {
        errors: [
          {
            title: 'Not Found Error',
            detail: `Could not find user with id: [${id}].`,
            type: 'https://api.twitter.com/2/problems/resource-not-found',
          },
        ],
      },
    }
  }
  return problem(404, 'Not Found', 'Not Found')
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

function listDirect(stage: Stage, channel: SandboxChannel, personId: string): unknown {
  const events = stage.world
    .between(channel.external_id, personId)
    .filter((said) => said.kind === 'message' || said.kind === 'reply' || said.kind === 'private_reply')
    .slice(-100)
    .reverse()
    .map((said) => ({
      id: said.external_id,
      event_type: 'MessageCreate',
      text: said.text,
      sender_id: said.direction === 'outbound' ? channel.external_id : personId,
      created_at: said.at,
    }))
  return events.length === 0 ? { meta: { result_count: 0 } } : { data: events, meta: { result_count: events.length } }
}

function listOwnPosts(stage: Stage, channel: SandboxChannel, userId: string): unknown {
  const posts = stage.world.ledger
    .filter(
      (said) =>
        said.channel === userId &&
        said.channel === channel.external_id &&
        said.direction === 'outbound' &&
        (said.kind === 'post' || said.kind === 'comment'),
    )
    .slice(-100)
    .reverse()
    .map((said) => ({
      id: said.external_id,
      text: said.text,
      author_id: userId,
      created_at: said.at,
      ...(said.in_reply_to === undefined ? {} : { referenced_tweets: [{ type: 'replied_to', id: said.in_reply_to }] }),
    }))
  return posts.length === 0 ? { meta: { result_count: 0 } } : { data: posts, meta: { result_count: posts.length } }
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

function limitHeaders(status: number): Record<string, string> {
  const remaining = status === 429 ? '0' : '99'
  return {
    'x-rate-limit-limit': '100',
    'x-rate-limit-remaining': remaining,
    'x-rate-limit-reset': String(Math.ceil(Date.now() / 1000) + (status === 429 ? 3 : 900)),
  }
}

const problem = (status: number, title: string, detail: string, type = 'about:blank'): Answer => ({
  status,
  json: { title, detail, type, status },
})
