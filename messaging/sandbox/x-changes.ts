/** What is done through the X API to what was said: deleting one's own, hiding answers, liking. Asked again, it is so already. */
import { flagOf } from '../connectors/reading.ts'
import { xHappening } from './x-acts.ts'
import type { Answer } from './http.ts'
import { silently } from './x-media.ts'
import { forbidden, numbered, otherPlan, problem, refused } from './x-problems.ts'
import { visible } from './x-says.ts'
import type { Saying } from './x-says.ts'
import type { Utterance } from './world.ts'

const gone = (): Answer =>
  problem(404, 'Not Found Error', 'Could not find it.', 'https://api.twitter.com/2/problems/resource-not-found')

/** `DELETE /2/tweets/:id` and `DELETE /2/dm_events/:id`. */
export function remove({ stage, channel, refuse }: Saying, id: string, isDirect: boolean): Answer {
  const target = visible(stage, id)
  const isPublic = target?.kind === 'post' || target?.kind === 'comment' || target?.kind === 'mention'
  if (target === undefined || isPublic === isDirect) return gone()
  if (target.channel !== channel.external_id || target.direction !== 'outbound')
    return isDirect
      ? numbered(403, 150, 'You may delete only what you have sent.')
      : forbidden('You are not authorized to delete this Tweet.')
  const fault = refuse()
  if (fault !== undefined) return refused(fault)
  stage.world.act({
    channel: channel.external_id,
    person: target.person,
    by: 'channel',
    what: 'delete',
    external_id: id,
  })
  const echo = (): Promise<void> => (isDirect ? Promise.resolve() : tellDeleted())
  return { status: 200, json: { data: { deleted: true } }, accepted: { ...silently, echo } }

  async function tellDeleted(): Promise<void> {
    await xHappening(stage, channel, { what: 'delete', person: channel.external_id, external_id: id })
  }
}

/** `PUT /2/tweets/:id/hidden`: answers in a conversation that the account began. */
export function hide({ stage, channel, body, refuse }: Saying, id: string): Answer {
  const target = visible(stage, id)
  if (target === undefined) return gone()
  if (target.in_reply_to === undefined || !isBegunBy(channel.external_id, target))
    return forbidden('You are not allowed to hide this reply.')
  const fault = refuse()
  if (fault !== undefined) return refused(fault)
  const hidden = flagOf(body.hidden)
  const what = hidden ? 'hide' : 'unhide'
  stage.world.act({ channel: channel.external_id, person: target.person, by: 'channel', what, external_id: id })
  return { status: 200, json: { data: { hidden } }, accepted: silently }

  function isBegunBy(us: string, said: Utterance): boolean {
    let top: Utterance | undefined = said
    for (let depth = 0; depth < 1000 && top?.in_reply_to !== undefined; depth += 1)
      top = stage.world.byId.get(top.in_reply_to)
    return top?.channel === us && top.direction === 'outbound'
  }
}

/** `POST /2/users/:id/likes` and `DELETE /2/users/:id/likes/:tweet_id`: gone from self-serve plans since April 2026. */
export function like({ stage, channel, refuse }: Saying, userId: string, id: string, liked: boolean): Answer {
  if (stage.world.notes.get('x.plan') === 'self_serve') return otherPlan()
  if (userId !== channel.external_id) return forbidden('You are not allowed to act for this user.')
  const target = visible(stage, id)
  if (target === undefined) return gone()
  const fault = refuse()
  if (fault !== undefined) return refused(fault)
  const what = liked ? 'like' : 'unlike'
  stage.world.act({ channel: channel.external_id, person: target.person, by: 'channel', what, external_id: id })
  return { status: 200, json: { data: { liked } }, accepted: silently }
}
