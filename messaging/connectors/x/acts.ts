/** What can be done to a post or a message without saying anything. Each may be repeated: X answers the same again. */
import type { ActName, ChannelAccess, OutboundAct } from '../connector.ts'
import { callX } from './api.ts'
import type { XCall, XFailure } from './api.ts'
import { refuse } from './fit.ts'
import { byPlan } from './outcomes.ts'

/** Never throws. */
export async function actX(
  channel: ChannelAccess,
  act: OutboundAct,
  signal: AbortSignal,
): Promise<{ readonly type: 'done' } | XFailure> {
  const { targetExternalId: target, what } = act
  if (target === undefined) return refuse('recipient', 'nothing', 'There is nothing on X to do this to.')
  const call = callOf(channel, act.thread, what, target)
  if (call === undefined) return refuse('content', 'act_not_possible', `X has no way to ${what} this.`)
  const result = await callX(channel, call, signal)
  if (result.ok) return { type: 'done' }
  // What is not there any more is deleted.
  if (what === 'delete' && (result.outcome.code === 'http_404' || result.outcome.code === 'resource-not-found'))
    return { type: 'done' }
  return byPlan(result.outcome)
}

function callOf(
  channel: ChannelAccess,
  thread: OutboundAct['thread'],
  what: ActName,
  target: string,
): XCall | undefined {
  const id = encodeURIComponent(target)
  const likes = `/2/users/${encodeURIComponent(channel.externalId)}/likes`
  if (thread === 'direct') return what === 'delete' ? { method: 'DELETE', path: `/2/dm_events/${id}` } : undefined
  switch (what) {
    case 'hide':
    case 'unhide':
      return { method: 'PUT', path: `/2/tweets/${id}/hidden`, body: { hidden: what === 'hide' } }
    case 'like':
      return { method: 'POST', path: likes, body: { tweet_id: target } }
    case 'unlike':
      return { method: 'DELETE', path: `${likes}/${id}` }
    case 'delete':
      return { method: 'DELETE', path: `/2/tweets/${id}` }
    default:
      return undefined
  }
}
