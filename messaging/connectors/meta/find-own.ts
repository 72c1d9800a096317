/** Whether what we said is there: looking up sends with an unknown outcome among the newest utterances. */
import type { ChannelAccess, Lookup, OutboundFile, OutboundMessage } from '../connector.ts'
import { fieldsOf, idOf, instantOf, listOf, textOf } from '../reading.ts'
import type { Fields } from '../reading.ts'
import { callGraph } from './graph.ts'

/** Only the 20 newest messages of a conversation have details (Conversations API). */
const newestMessages = 20

/** Looks in the conversation with the person addressed. */
export async function lookUpDirect(
  channel: ChannelAccess,
  platform: 'messenger' | 'instagram',
  message: OutboundMessage,
  since: Date,
  signal: AbortSignal,
): Promise<Lookup> {
  const personId = message.contactExternalId
  if (personId === undefined) return { type: 'undecided', reason: 'The message names nobody to look under.' }
  const details = 'id,created_time,from,to,message,attachments{id,mime_type,image_data,video_data,file_url}'
  const query = { platform, user_id: personId, fields: `messages.limit(${String(newestMessages)}){${details}}` }
  const result = await callGraph(channel, { method: 'GET', path: 'me/conversations', query }, signal)
  if (!result.ok) return { type: 'undecided', reason: result.outcome.reason }
  const said = listOf(fieldsOf(result.json).data).flatMap((one) => listOf(fieldsOf(fieldsOf(one).messages).data))
  return findOwn(said.map(fieldsOf), { since, fullAt: newestMessages }, saidBy(channel, message))
}

/** Whether an utterance is ours and says this: the same text, or for a file alone, none and a file of its kind. */
export const saidBy =
  ({ externalId }: ChannelAccess, { text, files = [] }: Pick<OutboundMessage, 'text' | 'files'>) =>
  (item: Fields): boolean => {
    if (idOf(fieldsOf(item.from).id) !== externalId) return false
    const said = textOf(item.message) ?? textOf(item.text) ?? ''
    if (text.trim() !== '' || files.length === 0) return said === text
    const things = [...listOf(fieldsOf(item.attachments).data), ...listOf(item.attachment)].map(fieldsOf)
    return said === '' && things.some((thing) => isOfKind(thing, files[0]))
  }

/** What the network says of a file's type; when it says nothing, it may be any. */
function isOfKind(thing: Fields, file: OutboundFile | undefined): boolean {
  const [family] = (textOf(thing.mime_type) ?? '').split('/')
  const isPicture = thing.image_data !== undefined || thing.type === 'photo' || family === 'image'
  if (file?.kind === 'image' || isPicture) return file?.kind === 'image' && isPicture
  return family === undefined || family === '' || family === 'application' || family === file?.kind
}

/** The newest utterance that fits. A full list that does not reach back to `since` decides nothing. */
export function findOwn(
  list: readonly Fields[],
  { since, fullAt }: { readonly since: Date; readonly fullAt: number },
  fits: (item: Fields) => boolean,
): Lookup {
  // Graph tells whole seconds.
  const from = Math.floor(since.getTime() / 1000) * 1000
  for (const item of list) {
    const externalId = idOf(item.id)
    if (timeOf(item) >= from && externalId !== undefined && fits(item)) return { type: 'found', externalId }
  }
  const oldest = Math.min(...list.map(timeOf))
  return list.length >= fullAt && oldest >= from
    ? { type: 'undecided', reason: 'Too much was said since to find it.' }
    : { type: 'absent' }
}

const timeOf = (item: Fields): number => (instantOf(item.created_time) ?? instantOf(item.timestamp))?.getTime() ?? 0
