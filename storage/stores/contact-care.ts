/** What is kept of contacts beside their names: attributes, notes, whether they are blocked; and lists of them. */
import type { Reader, SqlValue, Writer } from '../database.ts'
import type { AttributeCondition, AttributeDefinition, AttributeValue, ContactFilter } from '../model/contact-filter.ts'
import { fold } from '../model/search-terms.ts'
import { inList } from './in-list.ts'
import { within, withinContact } from './scope.ts'
import type { Condition, Scope } from './scope.ts'

export interface ContactNote {
  readonly id: string
  readonly contactId: string
  readonly authorId: string
  readonly text: string
  readonly createdAt: Date
  readonly updatedAt: Date
}

export type Attributes = Readonly<Record<string, AttributeValue>>

export interface LockedContact {
  readonly id: string
  readonly name: string
  readonly attributes: Attributes | null
  readonly blockedAt: Date | null
  readonly mergedIntoId: string | null
}

const noteColumns = 'id, contact_id contactId, author_id authorId, text, created_at createdAt, updated_at updatedAt'

export const contactCare = {
  /** Ids of contacts that fit all of `filters`, the last active first, from `before` on. */
  async list(
    reader: Reader,
    accountId: string,
    filters: readonly ContactFilter[],
    page: { readonly before?: { readonly at: Date; readonly id: string } | undefined; readonly limit: number },
    scope: Scope,
  ): Promise<{ readonly id: string; readonly at: Date }[]> {
    const limit = withinContact(scope, 'p')
    const narrowed = filters.flatMap(conditionsOf)
    const { before } = page
    if (before !== undefined)
      narrowed.push({
        sql: 'p.last_activity_at <= ? and (p.last_activity_at < ? or p.id < ?)',
        values: [before.at, before.at, before.id],
      })
    return reader.query(
      `select p.id, coalesce(p.last_activity_at, p.created_at) at from contacts p
       where p.account_id = ? and p.merged_into_id is null${limit.sql}${narrowed.map(({ sql }) => ` and ${sql}`).join('')}
       order by p.last_activity_at desc, p.id desc limit ${String(Math.trunc(page.limit))}`,
      [accountId, ...limit.values, ...narrowed.flatMap(({ values }) => values)],
    )
  },

  /** Locks these contacts in the order of their ids. */
  async lock(tx: Writer, accountId: string, ids: readonly string[]): Promise<Map<string, LockedContact>> {
    const list = inList([...ids].sort())
    const rows = await tx.query<LockedContact>(
      `select id, name, attributes, blocked_at blockedAt, merged_into_id mergedIntoId from contacts
       where account_id = ? and id in ${list.sql} order by id for update`,
      [accountId, ...list.values],
    )
    return new Map(rows.map((row) => [row.id, row]))
  },

  /** `blockedBy` null: not blocked. */
  async set(
    tx: Writer,
    accountId: string,
    id: string,
    change: { readonly name?: string; readonly attributes?: Attributes; readonly blockedBy?: string | null },
  ): Promise<void> {
    const sets: string[] = ['updated_at = utc_timestamp(3)']
    const values: SqlValue[] = []
    if (change.name !== undefined) {
      sets.push('name = ?')
      values.push(change.name)
    }
    if (change.attributes !== undefined) {
      sets.push('attributes = ?')
      values.push(JSON.stringify(change.attributes))
    }
    if (change.blockedBy !== undefined) {
      sets.push('blocked_by = ?, blocked_at = if(? is null, null, utc_timestamp(3))')
      values.push(change.blockedBy, change.blockedBy)
    }
    await tx.run(`update contacts set ${sets.join(', ')} where account_id = ? and id = ?`, [...values, accountId, id])
  },

  /** These contacts and those that were merged into them: under which ids they have written. */
  async withMerged(reader: Reader, accountId: string, ids: readonly string[]): Promise<string[]> {
    if (ids.length === 0) return []
    const list = inList(ids)
    const rows = await reader.query<{ id: string }>(
      `select id from contacts where account_id = ? and merged_into_id in ${list.sql} limit 1000`,
      [accountId, ...list.values],
    )
    return [...ids, ...rows.map(({ id }) => id)]
  },

  notes(reader: Reader, accountId: string, contactId: string): Promise<ContactNote[]> {
    return reader.query<ContactNote>(
      `select ${noteColumns} from contact_notes where account_id = ? and contact_id = ? order by id desc limit 200`,
      [accountId, contactId],
    )
  },

  note(reader: Reader, accountId: string, contactId: string, id: string): Promise<ContactNote | undefined> {
    return reader.first<ContactNote>(
      `select ${noteColumns} from contact_notes where account_id = ? and contact_id = ? and id = ?`,
      [accountId, contactId, id],
    )
  },

  async addNote(
    tx: Writer,
    accountId: string,
    note: Pick<ContactNote, 'id' | 'contactId' | 'authorId' | 'text'>,
  ): Promise<void> {
    await tx.run(
      `insert into contact_notes (id, account_id, contact_id, author_id, text, created_at, updated_at)
       values (?, ?, ?, ?, ?, utc_timestamp(3), utc_timestamp(3)) on duplicate key update id = id`,
      [note.id, accountId, note.contactId, note.authorId, note.text],
    )
  },

  async changeNote(tx: Writer, accountId: string, id: string, text: string | null): Promise<void> {
    if (text === null) await tx.run('delete from contact_notes where account_id = ? and id = ?', [accountId, id])
    else
      await tx.run('update contact_notes set text = ?, updated_at = utc_timestamp(3) where account_id = ? and id = ?', [
        text,
        accountId,
        id,
      ])
  },

  definitions(reader: Reader, accountId: string): Promise<AttributeDefinition[]> {
    return reader.query<AttributeDefinition>(
      'select key_name `key`, name, type, choices from contact_attribute_definitions where account_id = ? order by name, key_name',
      [accountId],
    )
  },

  /** The key is unique in the account. */
  async define(tx: Writer, accountId: string, definition: AttributeDefinition): Promise<void> {
    await tx.run(
      'insert into contact_attribute_definitions (account_id, key_name, name, type, choices, created_at) values (?, ?, ?, ?, ?, utc_timestamp(3))',
      [accountId, definition.key, definition.name, definition.type, definition.choices && JSON.stringify(definition.choices)],
    ) // prettier-ignore
  },

  async redefine(tx: Writer, accountId: string, definition: AttributeDefinition): Promise<void> {
    await tx.run('update contact_attribute_definitions set name = ?, choices = ? where account_id = ? and key_name = ?', [
      definition.name, definition.choices && JSON.stringify(definition.choices), accountId, definition.key,
    ]) // prettier-ignore
  },

  /** What contacts have under it stays with them, unseen, until it is defined again. */
  async undefine(tx: Writer, accountId: string, key: string): Promise<void> {
    await tx.run('delete from contact_attribute_definitions where account_id = ? and key_name = ?', [accountId, key])
  },

  /** The newest messages of these conversations, from `before` on. */
  async timeline(
    reader: Reader,
    accountId: string,
    conversationIds: readonly string[],
    page: { readonly before?: { readonly at: Date; readonly id: string } | undefined; readonly limit: number },
  ): Promise<{ readonly id: string; readonly at: Date }[]> {
    if (conversationIds.length === 0) return []
    const until = page.before === undefined ? '' : ' and occurred_at <= ? and (occurred_at < ? or id < ?)'
    const rest: SqlValue[] = page.before === undefined ? [] : [page.before.at, page.before.at, page.before.id]
    const limit = String(Math.trunc(page.limit))
    return reader.query(
      `select id, at from (${conversationIds
        .map(
          () =>
            `(select id, occurred_at at from messages where account_id = ? and conversation_id = ?${until} order by occurred_at desc, id desc limit ${limit})`,
        ) // prettier-ignore
        .join(' union all ')}) t order by at desc, id desc limit ${limit}`,
      conversationIds.flatMap((id) => [accountId, id, ...rest]),
    )
  },

  /** The 40 last active conversations of a contact. */
  async conversationIds(reader: Reader, accountId: string, contactId: string, scope: Scope): Promise<string[]> {
    const limit = within(scope, { channel: 'c.channel_id', team: 'c.team_id' })
    const rows = await reader.query<{ id: string }>(
      `select c.id from conversations c where c.account_id = ? and c.contact_id = ?${limit.sql} order by c.last_activity_at desc limit 40`,
      [accountId, contactId, ...limit.values],
    )
    return rows.map(({ id }) => id)
  },
}

const hasKey = `exists (select 1 from contact_keys k where k.account_id = p.account_id and k.contact_id = p.id
  and k.kind = ? and k.value = ?)`
const ofConversation = 'select 1 from conversations v'
const isTheirs = 'v.account_id = p.account_id and v.contact_id = p.id'

function conditionsOf(filter: ContactFilter): Condition[] {
  const found: Condition[] = []
  const narrow = (sql: string, ...values: readonly SqlValue[]): void => {
    found.push({ sql, values })
  }
  if (filter.ids !== undefined) {
    const list = inList(filter.ids)
    narrow(`p.id in ${list.sql}`, ...list.values)
  }
  if (filter.channelId !== undefined)
    narrow(`exists (${ofConversation} where ${isTheirs} and v.channel_id = ?)`, filter.channelId)
  if (filter.channelType !== undefined)
    narrow(
      `exists (select 1 from contact_addresses a where a.account_id = p.account_id and a.contact_id = p.id and a.channel_type = ?)`,
      filter.channelType,
    )
  if (filter.labelId !== undefined)
    narrow(
      `exists (${ofConversation} join conversation_marks k on k.account_id = v.account_id and k.conversation_id = v.id
         and k.kind = 1 and k.mark = ? where ${isTheirs})`,
      filter.labelId,
    )
  if (filter.activeSince !== undefined) narrow('p.last_activity_at >= ?', filter.activeSince)
  if (filter.activeBefore !== undefined) narrow('p.last_activity_at < ?', filter.activeBefore)
  if (filter.isBlocked !== undefined) narrow(`p.blocked_at is ${filter.isBlocked ? 'not ' : ''}null`)
  for (const each of filter.attributes ?? []) found.push(attributeCondition(each))
  return found
}

/** Whether it is so is asked of the keys, an index; all else of the values. */
function attributeCondition({ key, comparison, value }: AttributeCondition): Condition {
  const path = `$.${key}`
  const text = String(value ?? '')
  switch (comparison) {
    case 'is':
    case 'is_not':
      return { sql: `${comparison === 'is' ? '' : 'not '}${hasKey}`, values: [`a:${key}`, fold(text)] }
    case 'set':
      return { sql: 'json_exists(p.attributes, ?)', values: [path] }
    case 'unset':
      return { sql: 'coalesce(json_exists(p.attributes, ?), 0) = 0', values: [path] }
    case 'contains':
      return { sql: 'json_value(p.attributes, ?) like ?', values: [path, `%${text.replace(/[\\%_]/g, '\\$&')}%`] }
    case 'less':
    case 'more': {
      const sign = comparison === 'less' ? '<' : '>'
      return typeof value === 'number'
        ? { sql: `cast(json_value(p.attributes, ?) as double) ${sign} ?`, values: [path, value] }
        : { sql: `json_value(p.attributes, ?) ${sign} ?`, values: [path, text] }
    }
  }
}
