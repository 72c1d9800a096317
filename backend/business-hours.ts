/** Business hours: of the account, and of teams that keep others. */
import { invalid, notFound } from '../infra/errors.ts'
import { isId } from '../infra/ids.ts'
import type { BusinessHours } from '../storage/model/rules.ts'
import type { Act } from './act.ts'
import { isTimeZone } from './open-hours.ts'

/** @param teamId null: of the account @throws Problem 404, 422 */
export async function setBusinessHours(act: Act, teamId: string | null, hours: BusinessHours | null): Promise<void> {
  const { storage, actor, asker } = act
  const { accountId } = asker
  if (hours !== null && !isTimeZone(hours.timeZone))
    throw invalid([{ field: 'time_zone', message: 'There is no such time zone.' }])
  await storage.write(async (tx) => {
    const team =
      teamId === null ? undefined : isId(teamId) ? await storage.teams.lock(tx, accountId, teamId) : undefined
    if (teamId !== null && team === undefined) throw notFound('team')
    const ownerId = teamId ?? accountId
    const before = (await storage.businessHours.list(tx, accountId)).find((each) => each.ownerId === ownerId)
    if (hours === null) await storage.businessHours.remove(tx, accountId, ownerId)
    else await storage.businessHours.put(tx, { ...hours, accountId, ownerId })
    await storage.audit.append(tx, {
      ...{ accountId, by: actor, action: 'business_hours.changed' },
      subject: { type: team === undefined ? 'account' : 'team', id: ownerId, name: team?.name },
      before: before === undefined ? {} : fieldsOf(before),
      after: hours === null ? {} : fieldsOf(hours),
    })
  })
}

const fieldsOf = ({ timeZone, weekly, holidays }: BusinessHours) => ({ time_zone: timeZone, weekly, holidays })
