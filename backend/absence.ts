/** Whoever has no page open for some minutes is offline, where the account wants it so; and available again when they come. */
import type { Storage } from '../storage/index.ts'
import type { Availability } from '../storage/model/words.ts'

/** A web node notes each minute who has a page open. */
export const absentMs = 5 * 60_000
const portion = 200

/** How many were set. */
export async function noteAbsences(storage: Storage, now = new Date()): Promise<number> {
  const since = new Date(now.getTime() - absentMs)
  const { gone, back } = await storage.assignments.absences(storage.primary, since, portion)
  const set = (is: Availability) => async (who: (typeof gone)[number]) =>
    storage.write(async (tx) => {
      if (!(await storage.assignments.setByItself(tx, who, since, is))) return false
      const { accountId, userId } = who
      await storage.outbox.append(tx, {
        type: 'user.changed',
        accountId,
        data: { user_id: userId, changed: ['availability'], by: null },
      })
      return true
    })
  let count = 0
  for (const who of gone) if (await set('offline')(who)) count += 1
  for (const who of back) if (await set('available')(who)) count += 1
  return count
}
