/** What X gives to read: direct messages, the account's own posts, who names it, people; newest first, in pages. */
import type { Stage } from './customers.ts'
import { rootOf } from './tellings.ts'
import { postV2 } from './wire-x.ts'
import { keyOf, mediaUrls, mediaV2, shownMedia, textWithLinks } from './wire-x-media.ts'
import type { SandboxChannel, Utterance, World } from './world.ts'

const isDirect = ({ kind }: Utterance): boolean => kind === 'message' || kind === 'reply' || kind === 'private_reply'

/** One conversation, or all of the last 30 days. */
export function listDirect(
  { world }: Stage,
  channel: SandboxChannel,
  personId: string | undefined,
  query: URLSearchParams,
): unknown {
  const from = Date.now() - 30 * 24 * 60 * 60 * 1000
  const all = (personId === undefined ? world.ledger : world.between(channel.external_id, personId)).filter(
    (said) => said.channel === channel.external_id && isDirect(said) && Date.parse(said.at) >= from,
  )
  return page(world, all, query, (said) => {
    const shown = shownMedia(said)
    const urls = mediaUrls(said, `https://x.com/messages/media/${said.external_id}`)
    return {
      id: said.external_id,
      event_type: 'MessageCreate',
      text: textWithLinks(said),
      sender_id: said.direction === 'outbound' ? channel.external_id : said.person,
      dm_conversation_id: [channel.external_id, said.person].sort((a, b) => (BigInt(a) < BigInt(b) ? -1 : 1)).join('-'),
      created_at: said.at,
      ...(shown.length === 0 ? {} : { attachments: { media_keys: shown.map(keyOf) }, entities: { urls } }),
    }
  })
}

export function listOwnPosts(
  { world }: Stage,
  channel: SandboxChannel,
  userId: string,
  query: URLSearchParams,
): unknown {
  const posts = world.ledger.filter(
    (said) =>
      said.channel === userId &&
      said.channel === channel.external_id &&
      said.direction === 'outbound' &&
      (said.kind === 'post' || said.kind === 'comment'),
  )
  return page(world, posts, query, (said) => post(world, said))
}

/** Everything that names the account, answers deep in a thread too. */
export function listMentions({ world }: Stage, channel: SandboxChannel, query: URLSearchParams): unknown {
  const start = Date.parse(query.get('start_time') ?? '') || 0
  const sinceId = BigInt(query.get('since_id') ?? '0')
  const found = world.ledger.filter(
    (said) =>
      said.channel === channel.external_id &&
      said.direction === 'inbound' &&
      (said.kind === 'mention' || said.kind === 'comment') &&
      Date.parse(said.at) >= start &&
      BigInt(said.external_id) > sinceId,
  )
  return page(world, found, query, (said) => post(world, said))
}

function post(world: World, said: Utterance): unknown {
  const parent = said.in_reply_to === undefined ? undefined : world.byId.get(said.in_reply_to)
  const repliedToUser =
    parent === undefined ? undefined : parent.direction === 'outbound' ? parent.channel : parent.person
  return postV2({ said, repliedToUser, rootId: rootOf(world, said) })
}

/** Pages by the place in the list; `next_token` where there is more. */
function page(
  world: World,
  all: readonly Utterance[],
  query: URLSearchParams,
  show: (said: Utterance) => unknown,
): unknown {
  const size = Math.min(100, Math.max(1, Number(query.get('max_results')) || 100))
  const newestFirst = all
    .filter(({ external_id }) => world.marks.get(external_id)?.is_deleted !== true)
    .sort((a, b) => Date.parse(b.at) - Date.parse(a.at) || b.seq - a.seq)
  const start = Number(query.get('pagination_token')?.replace(/^p/, '') ?? 0) || 0
  const part = newestFirst.slice(start, start + size)
  if (part.length === 0) return { meta: { result_count: 0 } }
  const people = new Map(part.map((said) => [said.person, world.people.get(said.person)]))
  const users = [...people].flatMap(([id, person]) =>
    person === undefined ? [] : [{ id, name: person.name, username: person.handle ?? id }],
  )
  const media = part.flatMap(shownMedia).map(mediaV2)
  const next = start + size < newestFirst.length ? { next_token: `p${String(start + size)}` } : {}
  return {
    data: part.map(show),
    includes: { users, ...(media.length === 0 ? {} : { media }) },
    meta: { result_count: part.length, ...next },
  }
}
