/** People help themselves: the oldest that waits, for whoever asks first; and what someone cannot see to goes back. */
import { invalid, notFound } from '../infra/errors.ts'
import { isId } from '../infra/ids.ts'
import { covers } from '../storage/index.ts'
import type { Scope, Storage } from '../storage/index.ts'
import type { ConversationStatus } from '../storage/model/words.ts'
import type { Act } from './act.ts'

export interface TakeWish {
  /** null: of no team; undefined: of any that they see. */
  readonly teamId?: string | null | undefined
  readonly channelId?: string | undefined
}

export interface TakeAct extends Pick<Act, 'storage'> {
  readonly asker: Act['asker'] & { readonly scope: Scope }
}

const pageSize = 20
const mostPages = 50

/**
 * Gives the asker the conversation that has waited longest and that nobody has; its id. undefined: nothing waits.
 * Two who ask at once never get the same. @throws Problem 422
 */
export async function takeOldest({ storage, asker }: TakeAct, wish: TakeWish): Promise<string | undefined> {
  const { accountId, userId, scope } = asker
  const teamIds = await teamsOf(storage, asker, wish)
  const channelIds = channelsOf(scope, wish)
  let after: { readonly id: string; readonly waitingSince: Date } | undefined
  for (let page = 0; page < mostPages; page++) {
    const filter = { teamIds, channelIds, after, limit: pageSize }
    const oldest = await storage.assignments.waiting(storage.primary, accountId, filter)
    const taken = await storage.write(async (tx) => {
      for (const { id } of oldest) {
        // One by one: what is held here and not taken would be hidden from others who ask.
        const [held] = await storage.assignments.hold(tx, accountId, [id])
        if (held === undefined || !covers(scope, held)) continue
        await storage.assignments.give(tx, accountId, [id], userId)
        await storage.outbox.append(tx, {
          type: 'conversation.changed',
          accountId,
          data: { conversation_id: id, changed: ['assignee'], by: userId },
        })
        return id
      }
      return undefined
    })
    if (taken !== undefined) return taken
    after = oldest.at(-1)
    if (oldest.length < pageSize) return undefined
  }
  return undefined
}

async function teamsOf(storage: Storage, { accountId, scope }: TakeAct['asker'], { teamId }: TakeWish) {
  if (teamId === null) return [null]
  const known = (await storage.teams.list(storage.primary, accountId)).map(({ id }) => id)
  const seen = scope.teamIds === null ? known : known.filter((id) => scope.teamIds?.includes(id))
  if (teamId === undefined) return [null, ...seen]
  if (!seen.includes(teamId)) throw invalid([{ field: 'team', message: 'There is no such team.' }])
  return [teamId]
}

function channelsOf({ channelIds }: Scope, { channelId }: TakeWish): readonly string[] | undefined {
  if (channelId === undefined) return channelIds ?? undefined
  if (!isId(channelId) || channelIds?.includes(channelId) === false)
    throw invalid([{ field: 'channel_id', message: 'There is no such channel.' }])
  return [channelId]
}

/**
 * What someone has in these states, as far as the asker sees it, belongs to nobody again and waits for whoever has a place;
 * how many. @throws Problem 404
 */
export async function giveBack(
  { storage, asker }: TakeAct,
  ofUser: string,
  statuses: readonly ConversationStatus[],
): Promise<number> {
  const { accountId, userId, scope } = asker
  return storage.write(async (tx) => {
    const user = isId(ofUser) ? await storage.users.get(tx, accountId, ofUser) : undefined
    if (user === undefined) throw notFound('user')
    const held = await storage.assignments.held(tx, accountId, ofUser, statuses)
    const seen = held.filter((each) => covers(scope, each)).map(({ id }) => id)
    await storage.assignments.free(tx, accountId, seen)
    await storage.outbox.appendMany(
      tx,
      seen.map((id) => ({
        type: 'conversation.changed',
        accountId,
        data: { conversation_id: id, changed: ['assignee'], by: userId },
      })),
    )
    return seen.length
  })
}
