/** The Graph API of an Instagram account: its media, comments below them and answers to comments. */
import { textOf } from '../connectors/reading.ts'
import type { Fields } from '../connectors/reading.ts'
import type { Stage } from './customers.ts'
import { makeContainer, publishContainer, publishingLimit, readContainer } from './graph-containers.ts'
import { graphError, missing } from './graph-error.ts'
import { lacks } from './graph-permissions.ts'
import type { GraphRequest } from './graph-request.ts'
import { graphTime, isGone, paged, readObject, textNow } from './graph-reads.ts'
import { accept } from './graph-says.ts'
import type { Refuse } from './graph-says.ts'
import type { Answer } from './http.ts'
import type { SandboxChannel, Utterance } from './world.ts'

export async function routeInstagram(
  stage: Stage,
  channel: SandboxChannel,
  call: GraphRequest,
  refuse: Refuse,
): Promise<Answer> {
  const { method, id, edge, parameters } = call
  if (id === channel.external_id && edge !== '')
    switch (`${method} ${edge}`) {
      case 'POST media':
        return makeContainer(stage, channel, call)
      case 'POST media_publish':
        return publishContainer(stage, channel, call, refuse)
      case 'GET content_publishing_limit':
        return publishingLimit(stage, channel)
      case 'GET media':
        return listMedia(stage, channel, parameters)
    }
  if (method === 'POST' && edge === 'replies') return answerComment(stage, channel, id, parameters, refuse)
  if (method === 'GET' && edge === 'replies')
    return { status: 200, json: paged(below(stage, channel, id), parameters, 50) }
  if (method === 'GET' && edge === 'comments')
    return { status: 200, json: paged(topOf(stage, channel, id), parameters, 50) }
  if (method !== 'GET' || edge !== '') return missing(id)
  const post = stage.world.byId.get(id)
  if (post?.kind === 'post' && post.channel === channel.external_id && !isGone(stage, post))
    return { status: 200, json: describeMedia(stage, channel, post) }
  const mention = /^mentioned_(comment|media)\.\w+\((\w+)\)/.exec(textOf(parameters.fields) ?? '')
  return mention === null
    ? (readContainer(stage, channel, id) ?? readObject(stage, channel, id))
    : readMention(stage, mention[1] ?? '', mention[2] ?? '')
}

/** An answer to an answer lands on the first comment; there are no answers to what is gone. */
function answerComment(stage: Stage, channel: SandboxChannel, id: string, parameters: Fields, refuse: Refuse): Answer {
  const target = stage.world.byId.get(id)
  if (target?.channel !== channel.external_id || target.kind !== 'comment' || isGone(stage, target)) return missing(id)
  const denied = lacks(stage, channel, 'instagram_manage_comments')
  if (denied !== undefined) return denied
  if (stage.world.marks.get(id)?.is_hidden === true)
    return graphError(100, undefined, 'A hidden comment cannot be answered')
  const text = textOf(parameters.message)
  if (text === undefined) return graphError(100, undefined, 'The parameter message is required')
  if (text.length > 2200) return graphError(100, undefined, 'The comment is too long')
  const refused = refuse()
  if (refused !== undefined) return graphError(refused.code, refused.subcode, 'Refused by a fault of the sandbox')
  const said = stage.world.say({
    type: 'instagram',
    channel: channel.external_id,
    person: target.direction === 'inbound' ? target.person : '',
    direction: 'outbound',
    kind: 'comment',
    text,
    post_id: target.post_id,
    in_reply_to: target.in_reply_to ?? id,
  })
  return accept(stage, said, { id: said.external_id })
}

const commentsOf = (stage: Stage, channel: SandboxChannel): Utterance[] =>
  stage.world.ledger
    .filter((said) => said.channel === channel.external_id && said.kind === 'comment' && !isGone(stage, said))
    .reverse()

const below = (stage: Stage, channel: SandboxChannel, id: string): Fields[] =>
  commentsOf(stage, channel)
    .filter((said) => said.in_reply_to === id)
    .map((said) => describe(stage, channel, said))

const topOf = (stage: Stage, channel: SandboxChannel, mediaId: string): Fields[] =>
  commentsOf(stage, channel)
    .filter((said) => said.post_id === mediaId && said.in_reply_to === undefined)
    .map((said) => ({ ...describe(stage, channel, said), replies: { data: below(stage, channel, said.external_id) } }))

function describe(stage: Stage, channel: SandboxChannel, said: Utterance): Fields {
  const person = stage.world.people.get(said.person)
  const from =
    said.direction === 'outbound'
      ? { id: channel.external_id, username: channel.handle ?? channel.name }
      : { id: said.person, username: person?.handle ?? person?.name }
  return {
    id: said.external_id,
    text: textNow(stage, said),
    timestamp: graphTime(said.at),
    from,
    username: from.username,
    ...(said.in_reply_to === undefined ? {} : { parent_id: said.in_reply_to }),
  }
}

function listMedia(stage: Stage, channel: SandboxChannel, parameters: Fields): Answer {
  const media = stage.world.ledger
    .filter(
      (said) =>
        said.channel === channel.external_id &&
        said.kind === 'post' &&
        said.direction === 'outbound' &&
        !isGone(stage, said),
    )
    .reverse()
  return {
    status: 200,
    json: paged(
      media.map((said) => describeMedia(stage, channel, said)),
      parameters,
    ),
  }
}

const describeMedia = (stage: Stage, channel: SandboxChannel, said: Utterance): Fields => ({
  id: said.external_id,
  caption: said.text,
  media_type: mediaTypeOf(said),
  media_url: said.files?.[0]?.url,
  timestamp: graphTime(said.at),
  permalink: `https://www.instagram.com/p/${said.external_id}/`,
  comments: paged(topOf(stage, channel, said.external_id), { limit: '50' }, 50),
})

const mediaTypeOf = ({ files = [] }: Utterance): string =>
  files.length > 1 ? 'CAROUSEL_ALBUM' : files[0]?.kind === 'video' ? 'VIDEO' : 'IMAGE'

function readMention(stage: Stage, kind: string, id: string): Answer {
  const said = stage.world.byId.get(id)
  if (said?.kind !== 'mention') return missing(id)
  const person = stage.world.people.get(said.person)
  const found = {
    id,
    username: person?.handle ?? person?.name,
    ...(kind === 'comment' ? { text: said.text } : { caption: said.text }),
  }
  return { status: 200, json: { id: said.channel, [`mentioned_${kind}`]: found } }
}
