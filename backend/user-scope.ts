/** To which channels and teams a user is limited. */
import { everything } from '../storage/index.ts'
import type { Scope, Storage, User } from '../storage/index.ts'

export async function scopeOf(
  storage: Storage,
  user: Pick<User, 'id' | 'accountId' | 'channelIds' | 'isTeamLimited'>,
): Promise<Scope> {
  if (user.channelIds === null && !user.isTeamLimited) return everything
  return {
    channelIds: user.channelIds,
    teamIds: user.isTeamLimited ? await storage.teams.ofUser(storage.primary, user.accountId, user.id) : null,
  }
}
