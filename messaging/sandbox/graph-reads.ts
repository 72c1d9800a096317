/** What can be read back from the Graph API, and how it refuses. */
import { textOf } from '../connectors/reading.ts'
import type { Fields } from '../connectors/reading.ts'
import type { Stage } from './customers.ts'
import { missing } from './graph-error.ts'
import type { Answer } from './http.ts'
import type { SandboxChannel, Utterance } from './world.ts'

/** One object by its id: the channel, a person, or a comment and what it answers. */
export function readObject(stage: Stage, channel: SandboxChannel, id: string): Answer {
  if (id === channel.external_id)
    return {
      status: 200,
      json: {
        id,
        name: channel.name,
        ...(channel.type === 'instagram' ? { username: channel.handle ?? channel.name } : {}),
      },
    }
  const said = stage.world.byId.get(id)
  if (said?.kind === 'comment' && said.channel === channel.external_id) {
    const parent = said.in_reply_to
    const isInstagram = channel.type === 'instagram'
    const above = parent === undefined ? {} : isInstagram ? { parent_id: parent } : { parent: { id: parent } }
    return {
      status: 200,
      json: { id, ...(isInstagram ? { text: textNow(stage, said) } : { message: textNow(stage, said) }), ...above },
    }
  }
  const person = stage.world.people.get(id)
  if (person === undefined) return missing(id)
  const [firstName, ...rest] = person.name.split(' ')
  const names = { name: person.name, first_name: firstName, last_name: rest.join(' ') }
  return { status: 200, json: { id, ...names, ...(person.handle === undefined ? {} : { username: person.handle }) } }
}

/** A page of a list, with the cursor to the next where there is one. */
export function paged(all: readonly unknown[], parameters: Fields, most = 100, usual = 25): Fields {
  const limit = Math.min(Math.max(1, Number(parameters.limit) || usual), most)
  const from = Math.max(0, Number(parameters.after) || 0)
  const cursors = { before: String(from), after: String(from + limit) }
  const isMore = from + limit < all.length
  return {
    data: all.slice(from, from + limit),
    ...(all.length === 0
      ? {}
      : { paging: { cursors, ...(isMore ? { next: 'https://graph.facebook.com/next' } : {}) } }),
  }
}

/** The text as it is now. */
export const textNow = (stage: Stage, said: Utterance): string =>
  stage.world.marks.get(said.external_id)?.text ?? said.text
export const isGone = (stage: Stage, said: Utterance): boolean =>
  stage.world.marks.get(said.external_id)?.is_deleted === true

/** Comments below a post (all levels with `filter=stream`) or a comment. */
export function listComments(stage: Stage, channel: SandboxChannel, id: string, parameters: Fields): Fields {
  const isStream = parameters.filter === 'stream'
  const below = stage.world.ledger.filter(
    (said) =>
      said.channel === channel.external_id &&
      said.kind === 'comment' &&
      !isGone(stage, said) &&
      (said.in_reply_to === id || (said.post_id === id && (isStream || said.in_reply_to === undefined))),
  )
  if (parameters.order === 'reverse_chronological') below.reverse()
  return paged(
    below.map((said) => ({
      id: said.external_id,
      message: textNow(stage, said),
      created_time: graphTime(said.at),
      from: authorOf(stage, channel, said),
      is_hidden: stage.world.marks.get(said.external_id)?.is_hidden === true,
      ...(said.files?.[0] === undefined
        ? {}
        : { attachment: { type: 'photo', media: { image: { src: said.files[0].url } } } }),
      ...(said.in_reply_to === undefined ? {} : { parent: { id: said.in_reply_to } }),
    })),
    parameters,
  )
}

function authorOf(stage: Stage, channel: SandboxChannel, said: Utterance): Fields {
  return said.direction === 'outbound'
    ? { id: channel.external_id, name: channel.name }
    : { id: said.person, name: stage.world.people.get(said.person)?.name }
}

/** Posts of the page and on it, newest first, with their newest comments. */
export function listFeed(stage: Stage, channel: SandboxChannel, parameters: Fields): Answer {
  const posts = stage.world.ledger
    .filter((said) => said.channel === channel.external_id && said.kind === 'post' && !isGone(stage, said))
    .reverse()
  const inner = {
    order: 'reverse_chronological',
    filter: 'stream',
    limit: /comments[^{]*limit\((\d+)\)/.exec(textOf(parameters.fields) ?? '')?.[1] ?? '25',
  }
  return {
    status: 200,
    json: paged(
      posts.map((said) => ({
        id: said.external_id,
        message: textNow(stage, said),
        created_time: graphTime(said.at),
        from: authorOf(stage, channel, said),
        permalink_url: `https://www.facebook.com/${said.external_id}`,
        ...hangingOn(said),
        comments: listComments(stage, channel, said.external_id, inner),
      })),
      parameters,
    ),
  }
}

/** Pictures, films and the link of a post. */
function hangingOn(said: Utterance): Fields {
  const media = (said.files ?? []).map(({ kind, url }) => ({
    media_type: kind === 'video' ? 'video' : 'photo',
    media: { image: { src: url } },
  }))
  const link = textOf(said.wire?.link)
  const links = link === undefined ? [] : [{ media_type: 'link', unshimmed_url: link }]
  const data = [...media, ...links]
  return data.length === 0 ? {} : { attachments: { data } }
}

/** Conversations, the one spoken in last first; of each only the 20 newest messages have details. */
export function listConversations(stage: Stage, channel: SandboxChannel, parameters: Fields): Answer {
  const wanted = textOf(parameters.user_id)
  const last = new Map<string, number>()
  for (const said of stage.world.ledger)
    if (said.channel === channel.external_id && isDirect(said) && (wanted === undefined || said.person === wanted))
      last.set(said.person, said.seq)
  const people = [...last].sort((a, b) => b[1] - a[1]).map(([id]) => id)
  return {
    status: 200,
    json: paged(
      people.map((id) => conversation(stage, channel, id)),
      parameters,
    ),
  }
}

const isDirect = (said: Utterance): boolean =>
  said.kind === 'message' || said.kind === 'reply' || said.kind === 'private_reply'

function conversation(stage: Stage, channel: SandboxChannel, personId: string): Fields {
  const direct = stage.world
    .between(channel.external_id, personId)
    .filter((said) => isDirect(said) && !isGone(stage, said))
  const known = stage.world.people.get(personId)
  const own =
    channel.type === 'instagram'
      ? { id: channel.external_id, username: channel.handle ?? channel.name }
      : { id: channel.external_id, name: channel.name }
  const person =
    channel.type === 'instagram'
      ? { id: personId, username: known?.handle ?? known?.name }
      : { id: personId, name: known?.name }
  const data = direct
    .slice(-20)
    .reverse()
    .map((said) => ({
      id: said.external_id,
      created_time: graphTime(said.at),
      message: textNow(stage, said),
      from: said.direction === 'outbound' ? own : person,
      to: { data: [said.direction === 'outbound' ? person : own] },
      ...filesOf(said),
    }))
  return {
    id: `t_${channel.external_id}_${personId}`,
    updated_time: graphTime(direct.at(-1)?.at ?? ''),
    participants: { data: [own, person] },
    messages: { data },
  }
}

function filesOf(said: Utterance): Fields {
  const pictures = said.picture === undefined ? [] : [{ kind: 'image', url: said.picture }]
  const data = [...pictures, ...(said.files ?? [])].map(({ kind, url }, index) => ({
    id: `${said.external_id}_${String(index)}`,
    mime_type: `${kind === 'file' ? 'application' : kind}/octet-stream`,
    ...(kind === 'image' || kind === 'sticker'
      ? { image_data: { url } }
      : kind === 'video'
        ? { video_data: { url } }
        : { file_url: url }),
  }))
  return data.length === 0 ? {} : { attachments: { data } }
}

export const graphTime = (iso: string): string => `${iso.slice(0, 19)}+0000`
