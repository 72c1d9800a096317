/** Whether what we said is there: looking up sends with an unknown outcome among the newest utterances. */
import type { ChannelAccess, Lookup, OutboundMessage } from '../connector.ts'
import { fieldsOf, idOf, instantOf, listOf } from '../reading.ts'
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
  const fields = `messages.limit(${String(newestMessages)}){id,created_time,from,to,message}`
  const query = { platform, user_id: personId, fields }
  const result = await callGraph(channel, { method: 'GET', path: 'me/conversations', query }, signal)
  if (!result.ok) return { type: 'undecided', reason: result.outcome.reason }
  const said = listOf(fieldsOf(result.json).data).flatMap((one) => listOf(fieldsOf(fieldsOf(one).messages).data))
  return findOwn(said.map(fieldsOf), channel.externalId, message.text, since, newestMessages)
}

/** The newest utterance of ours with this text. A full list that does not reach back to `since` decides nothing. */
export function findOwn(list: readonly Fields[], ownId: string, text: string, since: Date, fullAt: number): Lookup {
  // Graph tells whole seconds.
  const from = Math.floor(since.getTime() / 1000) * 1000
  for (const item of list) {
    const at = timeOf(item)
    const externalId = idOf(item.id)
    const said = item.message ?? item.text
    if (at >= from && idOf(fieldsOf(item.from).id) === ownId && said === text && externalId !== undefined)
      return { type: 'found', externalId }
  }
  const oldest = Math.min(...list.map(timeOf))
  return list.length >= fullAt && oldest >= from
    ? { type: 'undecided', reason: 'Too much was said since to find it.' }
    : { type: 'absent' }
}

const timeOf = (item: Fields): number => (instantOf(item.created_time) ?? instantOf(item.timestamp))?.getTime() ?? 0
