/** Failed messages kept in the database. */
import type { Storage } from '../../storage/index.ts'
import type { Parking } from './park.ts'
import { queueNames } from './queues.ts'

export function openParking(storage: Pick<Storage, 'write' | 'parked'>): Parking {
  const { write, parked } = storage
  return {
    keep: ({ isDead, ...message }) =>
      write((tx) => parked.keep(tx, { ...message, state: isDead ? 'dead' : 'waiting' })),
    async takeDue(limit, leaseMs) {
      const rows = await write((tx) => parked.takeDue(tx, limit, leaseMs))
      // A queue that is no more has nobody to try it; it stays for people to see.
      return rows.flatMap((row) => {
        const queue = queueNames.find((name) => name === row.queue)
        return queue === undefined ? [] : [{ ...row, queue }]
      })
    },
    forget: ({ id, tries }) => write((tx) => parked.forget(tx, id, tries)),
    revive: (id) => write((tx) => parked.revive(tx, id)),
  }
}
