/** Rights that expire, by the clock of the database; the epoch fences a holder that was paused. */
import type { Reader, Writer } from '../database.ts'

/** A right that was granted: `epoch` rises with every new holder. */
export interface Lease {
  readonly name: string
  readonly holder: string
  readonly epoch: number
}

/** The work was done under a lease that another holder has by now; nothing of it is kept. */
export class LeaseLost extends Error {
  constructor(name: string) {
    super(`The lease ${name} is no longer held.`)
    this.name = 'LeaseLost'
  }
}

interface Row {
  holder: string
  epoch: number
  is_expired: number
}

const lock = (tx: Writer, name: string) =>
  tx.first<Row>(
    'select holder, epoch, expires_at <= utc_timestamp(3) as is_expired from leases where name = ? for update',
    [name],
  )

export const leases = {
  /** Takes the lease when it is free, has expired or is `holder`'s own; undefined when another one holds it. */
  async acquire(tx: Writer, name: string, holder: string, ttlMs: number): Promise<Lease | undefined> {
    await tx.run("insert ignore into leases (name, holder, epoch, expires_at) values (?, '', 0, utc_timestamp(3))", [
      name,
    ])
    const row = await lock(tx, name)
    if (row === undefined || (row.is_expired === 0 && row.holder !== holder)) return undefined
    const epoch = row.epoch + 1
    await tx.run(
      `update leases set holder = ?, epoch = ?, expires_at = utc_timestamp(3) + interval ? microsecond where name = ?`,
      [holder, epoch, ttlMs * 1000, name],
    )
    return { name, holder, epoch }
  },

  /** Holds it for longer; false when it was lost: stop at once. An expired lease that nobody took is still this holder's. */
  async renew(tx: Writer, lease: Lease, ttlMs: number): Promise<boolean> {
    const { affectedRows } = await tx.run(
      'update leases set expires_at = utc_timestamp(3) + interval ? microsecond where name = ? and holder = ? and epoch = ?',
      [ttlMs * 1000, lease.name, lease.holder, lease.epoch],
    )
    return affectedRows === 1
  },

  /** Gives it back; does nothing when it was lost. */
  async release(tx: Writer, lease: Lease): Promise<void> {
    await tx.run('update leases set expires_at = utc_timestamp(3) where name = ? and holder = ? and epoch = ?', [
      lease.name,
      lease.holder,
      lease.epoch,
    ])
  },

  /**
   * Fences a transaction: locks the lease until its end and refuses when another holder has had it since.
   * @throws LeaseLost
   */
  async assertHeld(tx: Writer, name: string, epoch: number): Promise<void> {
    const row = await lock(tx, name)
    if (row?.epoch !== epoch) throw new LeaseLost(name)
  },

  /** Who holds it now, by the clock of the database. */
  async holder(reader: Reader, name: string): Promise<string | undefined> {
    return (
      await reader.first<{ holder: string }>(
        'select holder from leases where name = ? and expires_at > utc_timestamp(3)',
        [name],
      )
    )?.holder
  },
}
