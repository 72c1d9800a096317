/** Two contacts that are one person: what went over, so that it can come back; and segments. */
import type { Reader, Writer } from '../database.ts'
import type { Attributes } from './contact-care.ts'
import { inList } from './in-list.ts'

/** What went over to the survivor. `filled`: attributes it did not have; `blocked`: it was not before. */
export interface MergeSnapshot {
  readonly merged: { readonly name: string }
  readonly survivor: { readonly name: string }
  readonly address_ids: readonly string[]
  readonly conversation_ids: readonly string[]
  readonly note_ids: readonly string[]
  readonly filled: Attributes
  readonly blocked: boolean
}

export interface Merge {
  readonly id: string
  readonly survivorId: string
  readonly mergedId: string
  readonly snapshot: MergeSnapshot
  readonly mergedBy: string
  readonly mergedAt: Date
  readonly undoneAt: Date | null
}

export interface Segment {
  readonly id: string
  readonly name: string
  /** As the API takes it. */
  readonly filter: Readonly<Record<string, unknown>>
}

const columns = `id, survivor_id survivorId, merged_id mergedId, snapshot, merged_by mergedBy, merged_at mergedAt, undone_at undoneAt`
const moving = [
  ['contact_addresses', 'address_ids'],
  ['conversations', 'conversation_ids'],
  ['contact_notes', 'note_ids'],
] as const

export const contactMerges = {
  /** Ids of all that goes over with this contact, locked. */
  async belongings(tx: Writer, accountId: string, contactId: string) {
    const ids = async (table: string): Promise<string[]> =>
      (
        await tx.query<{ id: string }>(
          `select id from ${table} where account_id = ? and contact_id = ? order by id for update`,
          [accountId, contactId],
        )
      ).map(({ id }) => id)
    return {
      address_ids: await ids('contact_addresses'),
      conversation_ids: await ids('conversations'),
      note_ids: await ids('contact_notes'),
    }
  },

  /** Everything of the one is with the other; what the one has said stays under its own name. Both are locked. */
  async merge(tx: Writer, accountId: string, merge: Omit<Merge, 'mergedAt' | 'undoneAt'>): Promise<void> {
    const { survivorId, mergedId } = merge
    for (const [table] of moving)
      await tx.run(`update ${table} set contact_id = ? where account_id = ? and contact_id = ?`, [survivorId, accountId, mergedId]) // prettier-ignore
    // Who was merged into the one before is now with the other.
    await tx.run('update contacts set merged_into_id = ? where account_id = ? and merged_into_id = ?', [survivorId, accountId, mergedId]) // prettier-ignore
    await tx.run('update contacts set merged_into_id = ?, updated_at = utc_timestamp(3) where account_id = ? and id = ?', [survivorId, accountId, mergedId]) // prettier-ignore
    await tx.run(
      `insert into contact_merges (id, account_id, survivor_id, merged_id, snapshot, merged_by, merged_at)
       values (?, ?, ?, ?, ?, ?, utc_timestamp(3))`,
      [merge.id, accountId, survivorId, mergedId, JSON.stringify(merge.snapshot), merge.mergedBy],
    )
  },

  /** What went over and is still there goes back, with what has been begun on its addresses since. Both are locked. */
  async undo(tx: Writer, accountId: string, merge: Merge, by: string): Promise<string[]> {
    const { survivorId, mergedId, snapshot } = merge
    const addresses = inList(snapshot.address_ids)
    const since = await tx.query<{ id: string }>(
      `select id from conversations where account_id = ? and contact_id = ? and contact_address_id in ${addresses.sql} for update`,
      [accountId, survivorId, ...addresses.values],
    )
    const back = {
      ...snapshot,
      conversation_ids: [...new Set([...snapshot.conversation_ids, ...since.map(({ id }) => id)])],
    }
    for (const [table, field] of moving) {
      const list = inList(back[field])
      await tx.run(`update ${table} set contact_id = ? where account_id = ? and contact_id = ? and id in ${list.sql}`, [
        ...[mergedId, accountId, survivorId],
        ...list.values,
      ])
    }
    await tx.run('update contacts set merged_into_id = null, updated_at = utc_timestamp(3) where account_id = ? and id = ?', [accountId, mergedId]) // prettier-ignore
    // Who had been merged into it before belongs to it again.
    await tx.run(
      `update contacts c join contact_merges m on m.account_id = c.account_id and m.merged_id = c.id and m.survivor_id = ? and m.undone_at is null
       set c.merged_into_id = ? where c.account_id = ? and c.merged_into_id = ?`,
      [mergedId, mergedId, accountId, survivorId],
    )
    await tx.run('update contact_merges set undone_by = ?, undone_at = utc_timestamp(3) where account_id = ? and id = ?', [by, accountId, merge.id]) // prettier-ignore
    return back.conversation_ids
  },

  get(reader: Reader, accountId: string, id: string): Promise<Merge | undefined> {
    return reader.first<Merge>(`select ${columns} from contact_merges where account_id = ? and id = ?`, [accountId, id])
  },

  lock(tx: Writer, accountId: string, id: string): Promise<Merge | undefined> {
    return tx.first<Merge>(`select ${columns} from contact_merges where account_id = ? and id = ? for update`, [
      accountId,
      id,
    ])
  },

  /** Those that hold still, the newest first. */
  ofContact(reader: Reader, accountId: string, survivorId: string): Promise<Merge[]> {
    return reader.query<Merge>(
      `select ${columns} from contact_merges where account_id = ? and survivor_id = ? and undone_at is null order by merged_at desc limit 50`,
      [accountId, survivorId],
    )
  },
}

export const segments = {
  list(reader: Reader, accountId: string): Promise<Segment[]> {
    return reader.query<Segment>('select id, name, filter from segments where account_id = ? order by name limit 500', [
      accountId,
    ])
  },

  get(reader: Reader, accountId: string, id: string): Promise<Segment | undefined> {
    return reader.first<Segment>('select id, name, filter from segments where account_id = ? and id = ?', [
      accountId,
      id,
    ])
  },

  /** The name is unique in the account. */
  async save(tx: Writer, accountId: string, segment: Segment, by: string): Promise<void> {
    await tx.run(
      `insert into segments (id, account_id, name, filter, created_by, created_at, updated_at)
       values (?, ?, ?, ?, ?, utc_timestamp(3), utc_timestamp(3))`,
      [segment.id, accountId, segment.name, JSON.stringify(segment.filter), by],
    )
  },

  async change(tx: Writer, accountId: string, segment: Segment): Promise<void> {
    await tx.run(
      'update segments set name = ?, filter = ?, updated_at = utc_timestamp(3) where account_id = ? and id = ?',
      [segment.name, JSON.stringify(segment.filter), accountId, segment.id],
    )
  },

  async remove(tx: Writer, accountId: string, id: string): Promise<void> {
    await tx.run('delete from segments where account_id = ? and id = ?', [accountId, id])
  },
}
