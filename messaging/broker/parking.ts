/** Failed messages kept in the database. */
import type { Database, Writer } from '../../storage/index.ts'
import type { Parking } from './park.ts'
import { queueNames } from './queues.ts'

interface Row {
  readonly id: string
  readonly queue: string
  readonly messageId: string
  readonly body: Buffer
  readonly properties: Readonly<Record<string, string>>
  readonly tries: number
}

/** What is asked of the store of parked messages. */
interface ParkedStore {
  keep(tx: Writer, message: Omit<Row, 'id'> & { readonly state: 'waiting' | 'dead'; readonly delayMs: number; readonly lastError: string }): Promise<void>
  takeDue(tx: Writer, limit: number, leaseMs: number): Promise<Row[]>
  forget(tx: Writer, id: string, tries: number): Promise<void>
  revive(tx: Writer, id: string): Promise<boolean>
}

export function openParking(storage: Pick<Database, 'write'> & { readonly parked: ParkedStore }): Parking {
  const { write, parked } = storage
  return {
    keep: ({ isDead, ...message }) => write((tx) => parked.keep(tx, { ...message, state: isDead ? 'dead' : 'waiting' })),
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
