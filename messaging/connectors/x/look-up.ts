/** Whether something of ours is on X: direct messages among the events with that person, answers and posts in our own timeline. */
import type { ChannelAccess, Lookup, OutboundMessage, OutboundPost } from '../connector.ts'
import { fieldsOf, idOf, instantOf, listOf, textOf } from '../reading.ts'
import type { Fields } from '../reading.ts'
import { callX } from './api.ts'
import type { XCall } from './api.ts'
import { nameOf, readText, snowflakeInstant } from './people.ts'

/** What is looked for. `mediaIds`: by their uploads, which X names again in every object that shows them. */
export interface Sought {
  readonly text: string
  readonly mediaIds: readonly string[]
  /** The other side of a direct message; else it is public. */
  readonly person: string | undefined
  readonly inReplyTo: string | undefined
  readonly quoteOf: string | undefined
}

export const soughtOf = ({
  kind,
  text,
  files = [],
  extras,
  contactExternalId,
  inReplyTo,
}: OutboundMessage): Sought => ({
  text,
  mediaIds: files.flatMap(({ uploadedId }) => uploadedId ?? []),
  person: kind === 'comment' ? undefined : (contactExternalId ?? ''),
  inReplyTo: kind === 'comment' ? inReplyTo : undefined,
  quoteOf: kind === 'comment' ? extras?.quoteOf : undefined,
})

export const soughtPost = ({ files, quoteOf }: Pick<OutboundPost, 'files' | 'quoteOf'>, text: string): Sought => ({
  text,
  mediaIds: files.flatMap(({ uploadedId }) => uploadedId ?? []),
  person: undefined,
  inReplyTo: undefined,
  quoteOf,
})

/** Never throws. A full page that does not reach back to `since` decides nothing. */
export async function lookUpX(
  channel: ChannelAccess,
  sought: Sought,
  since: Date,
  signal: AbortSignal,
): Promise<Lookup> {
  if (sought.person === '') return { type: 'undecided', reason: 'The message names nobody to look under.' }
  const result = await callX(channel, callOf(channel, sought), signal)
  if (!result.ok) return { type: 'undecided', reason: result.outcome.reason }
  const { data, meta } = fieldsOf(result.json)
  if (data === undefined && meta === undefined) return { type: 'undecided', reason: 'X gave no list.' }
  const list = listOf(data).map(fieldsOf)
  // X may have cut milliseconds off.
  const from = Math.floor(since.getTime() / 1000) * 1000
  const young = list.filter(
    (item) => timeOf(item) >= from && idOf(item.id) !== undefined && isOurs(item, channel.externalId, sought),
  )
  const found = young.find((item) => isSame(item, sought))
  if (found !== undefined) return { type: 'found', externalId: idOf(found.id) ?? '' }
  if (sought.text.trim() === '' && young.some((item) => mediaOf(item).length > 0 && wordsOf(item) === ''))
    return { type: 'undecided', reason: 'A picture was sent, but X does not say whether it is this one.' }
  return list.length >= 100 && Math.min(...list.map(timeOf)) >= from
    ? { type: 'undecided', reason: 'Too much was said since to find it.' }
    : { type: 'absent' }
}

const callOf = (channel: ChannelAccess, { person }: Sought): XCall =>
  person === undefined
    ? {
        method: 'GET',
        path: `/2/users/${encodeURIComponent(channel.externalId)}/tweets`,
        query: {
          max_results: '100',
          'tweet.fields': 'created_at,referenced_tweets,author_id,note_tweet,entities,attachments',
        },
      }
    : {
        method: 'GET',
        path: `/2/dm_conversations/with/${encodeURIComponent(person)}/dm_events`,
        query: { max_results: '100', 'dm_event.fields': 'created_at,sender_id,text,event_type,entities,attachments' },
      }

const timeOf = (item: Fields): number =>
  (instantOf(item.created_at) ?? snowflakeInstant(idOf(item.id) ?? ''))?.getTime() ?? 0

function isOurs(item: Fields, userId: string, { person, inReplyTo, quoteOf }: Sought): boolean {
  const author = idOf(item.sender_id) ?? idOf(item.author_id) ?? (person === undefined ? userId : undefined)
  if (author !== userId) return false
  if (person !== undefined) return true
  const references = listOf(item.referenced_tweets).map(fieldsOf)
  const of = (type: string): string | undefined => idOf(references.find((one) => one.type === type)?.id)
  return (
    of('replied_to') === inReplyTo &&
    of('retweeted') === undefined &&
    (quoteOf === undefined || of('quoted') === quoteOf)
  )
}

/** Files are known by their uploads, whatever the text; only where X tells others by their number and the text. */
function isSame(item: Fields, { text, mediaIds, quoteOf }: Sought): boolean {
  const own = mediaOf(item)
  if (mediaIds.length > 0 && mediaIds.every((id) => own.includes(id))) return true
  if (own.length !== mediaIds.length) return false
  const words = wordsOf(item)
  const sought = comparable(text)
  const isSameText = words === sought || (quoteOf !== undefined && words === `${sought} \uFFFC`.trim())
  return isSameText && (mediaIds.length === 0 || sought !== '')
}

/** A media key is the upload's id behind the kind of media: 3_1991…. */
const mediaOf = (item: Fields): string[] =>
  listOf(fieldsOf(item.attachments).media_keys).flatMap((key) => nameOf(key)?.replace(/^\d+_/, '') ?? [])

/** Without the link that X puts behind a text for its files. */
function wordsOf(item: Fields): string {
  const note = textOf(fieldsOf(item.note_tweet).text)
  const words = comparable(note ?? readText(item.text, item.entities, []) ?? '')
  const isTold = listOf(fieldsOf(item.entities).urls).some((url) => textOf(fieldsOf(url).media_key) !== undefined)
  return mediaOf(item).length > 0 && !isTold ? words.replace(/ ?\uFFFC$/, '') : words
}

/** Links come back shortened, marks escaped, and an answer starts with the names it was given. */
const comparable = (text: string): string =>
  text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&')
    .normalize('NFC')
    .replace(/^(?:@\w+\s+)+/, '')
    .replace(/https?:\/\/\S+/g, '\uFFFC')
    .replace(/\s+/g, ' ')
    .trim()
