/** When somebody is there: of an account, and of its teams. */
import type { Reader, Writer } from '../database.ts'
import type { BusinessHours } from '../model/rules.ts'

/** `ownerId`: the account's own id, or a team's. */
export interface OwnedHours extends BusinessHours {
  readonly accountId: string
  readonly ownerId: string
}

const columns = 'account_id accountId, owner_id ownerId, time_zone timeZone, weekly, holidays'

export const businessHours = {
  list(reader: Reader, accountId: string): Promise<OwnedHours[]> {
    return reader.query<OwnedHours>(`select ${columns} from business_hours where account_id = ?`, [accountId])
  },

  async put(tx: Writer, hours: OwnedHours): Promise<void> {
    await tx.run(
      `insert into business_hours (account_id, owner_id, time_zone, weekly, holidays, updated_at) values (?, ?, ?, ?, ?, utc_timestamp(3))
       on duplicate key update time_zone = values(time_zone), weekly = values(weekly), holidays = values(holidays), updated_at = utc_timestamp(3)`,
      [hours.accountId, hours.ownerId, hours.timeZone, JSON.stringify(hours.weekly), JSON.stringify(hours.holidays)],
    )
  },

  async remove(tx: Writer, accountId: string, ownerId: string): Promise<void> {
    await tx.run('delete from business_hours where account_id = ? and owner_id = ?', [accountId, ownerId])
  },
}
