/** One utterance to a Page's or an Instagram account's person or comment: both answer with an id of the same two names. */
import type { ChannelAccess, Outcome } from '../connector.ts'
import { fieldsOf, idOf } from '../reading.ts'
import { callGraph } from './graph.ts'
import type { GraphCall } from './graph.ts'

/** Makes the call, unless the message was refused before any. Send API: `message_id`; comments edge: `id`. Never throws. */
export async function sendCall(
  channel: ChannelAccess,
  call: GraphCall | Outcome,
  signal: AbortSignal,
): Promise<Outcome> {
  if ('type' in call) return call
  const result = await callGraph(channel, call, signal)
  // An attachment that is not there any more is uploaded anew.
  if (!result.ok && result.outcome.code === '100/2018074')
    return { ...result.outcome, type: 'retry', code: 'upload_gone' }
  if (!result.ok) return result.outcome
  const answer = fieldsOf(result.json)
  const externalId = idOf(answer.message_id) ?? idOf(answer.id)
  return externalId === undefined
    ? { type: 'unknown', code: 'no_id', reason: 'Meta accepted the message and gave no id.' }
    : { type: 'sent', externalId }
}
