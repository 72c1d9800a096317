/** One utterance: inbound, outbound, or a private note. */
import type { Reader, SqlValue, Writer } from '../database.ts'
import type { ChannelType, Direction, MessageKind, Visibility } from '../model/words.ts'
import { codeOf } from '../../infra/errors.ts'
import { anyOf, inList } from './in-list.ts'
import { everything, withinConversation } from './scope.ts'
import type { Scope } from './scope.ts'

/** A person's last word; `emoji` null: taken back, kept so that an older reaction that comes late does not revive. `at`: ISO 8601. */
export interface Reaction {
  readonly by: string
  readonly emoji: string | null
  readonly at?: string
}

/** `externalId` null: not yet known to the network, or a note. `authorId` null: a contact, or sent elsewhere. */
export interface Message {
  readonly id: string
  readonly accountId: string
  readonly channelId: string
  readonly conversationId: string
  readonly contactId: string | null
  readonly direction: Direction
  readonly kind: MessageKind
  readonly visibility: Visibility
  readonly externalId: string | null
  readonly authorId: string | null
  readonly text: string | null
  readonly inReplyTo: string | null
  readonly extra: Readonly<Record<string, unknown>> | null
  readonly reactions: readonly Reaction[] | null
  readonly isHidden: boolean
  readonly occurredAt: Date
  readonly receivedAt: Date
  readonly editedAt: Date | null
  readonly deletedAt: Date | null
}

/** What can be said of a message afterwards. */
export type Appearance = Pick<Message, 'text' | 'reactions' | 'isHidden' | 'editedAt' | 'deletedAt'>

export interface MessageFilter {
  readonly channelId?: string
  readonly conversationId?: string
  readonly direction?: Direction
  readonly kind?: MessageKind
  readonly externalId?: string
  readonly before?: { readonly occurredAt: Date; readonly id: string }
  readonly limit: number
}

/** What a network's id names: the same id may stand for a direct and a public message. */
export type ExternalKey = Pick<Message, 'accountId' | 'channelId' | 'visibility'> & { readonly externalId: string }
const externalKey = (key: Pick<Message, 'channelId' | 'visibility' | 'externalId'>): string =>
  `${key.channelId} ${key.visibility} ${key.externalId ?? ''}`

const columns = `m.id, m.account_id accountId, m.channel_id channelId, m.conversation_id conversationId, m.contact_id contactId, m.direction,
  m.kind, m.visibility, m.external_id externalId, m.author_id authorId, m.text, m.in_reply_to inReplyTo, m.extra, m.reactions,
  m.is_hidden isHidden, m.occurred_at occurredAt, m.received_at receivedAt, m.edited_at editedAt, m.deleted_at deletedAt`

export const messages = {
  key: (key: Pick<Message, 'channelId' | 'visibility' | 'externalId'>): string => externalKey(key),

  async get(reader: Reader, accountId: string, id: string, scope: Scope = everything): Promise<Message | undefined> {
    const limit = withinConversation(scope, 'm')
    const row = await reader.first<Row>(
      `select ${columns} from messages m where m.account_id = ? and m.id = ?${limit.sql}`,
      [accountId, id, ...limit.values],
    )
    return row && present(row)
  },

  async getMany(reader: Reader, accountId: string, ids: readonly string[]): Promise<Message[]> {
    if (ids.length === 0) return []
    const list = inList(ids)
    const rows = await reader.query<Row>(
      `select ${columns} from messages m where m.account_id = ? and m.id in ${list.sql}`,
      [accountId, ...list.values],
    )
    return rows.map(present)
  },

  async lock(tx: Writer, accountId: string, id: string): Promise<Message | undefined> {
    const row = await tx.first<Row>(
      `select ${columns} from messages m where m.account_id = ? and m.id = ? for update`,
      [accountId, id],
    )
    return row && present(row)
  },

  /** Newest first, in the order of the payload's time. */
  async list(reader: Reader, accountId: string, filter: MessageFilter, scope: Scope = everything): Promise<Message[]> {
    const limit = withinConversation(scope, 'm')
    const where: string[] = [`m.account_id = ?${limit.sql}`]
    const values: SqlValue[] = [accountId, ...limit.values]
    const narrow = (sql: string, ...more: SqlValue[]): void => {
      where.push(sql)
      values.push(...more)
    }
    if (filter.channelId !== undefined) narrow('m.channel_id = ?', filter.channelId)
    if (filter.conversationId !== undefined) narrow('m.conversation_id = ?', filter.conversationId)
    if (filter.direction !== undefined) narrow('m.direction = ?', filter.direction)
    if (filter.kind !== undefined) narrow('m.kind = ?', filter.kind)
    if (filter.externalId !== undefined) narrow('m.external_id = ?', filter.externalId)
    if (filter.before !== undefined)
      narrow(
        'm.occurred_at <= ? and (m.occurred_at < ? or m.id < ?)',
        filter.before.occurredAt,
        filter.before.occurredAt,
        filter.before.id,
      )
    const rows = await reader.query<Row>(
      `select ${columns} from messages m where ${where.join(' and ')} order by m.occurred_at desc, m.id desc limit ${String(Math.trunc(filter.limit))}`,
      values,
    )
    return rows.map(present)
  },

  /** The messages that these ids of networks name, by `key`; with a lock, also what has been committed since the transaction began. */
  async findByExternal(
    reader: Reader,
    keys: readonly ExternalKey[],
    lock: '' | 'for update' = '',
  ): Promise<Map<string, Message>> {
    if (keys.length === 0) return new Map()
    const sorted = [...new Map(keys.map((key) => [externalKey(key), key])).entries()]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, key]) => key)
    const named = anyOf(
      ['m.account_id', 'm.channel_id', 'm.visibility', 'm.external_id'],
      sorted.map((key) => [key.accountId, key.channelId, key.visibility, key.externalId]),
    )
    const rows = await reader.query<Row>(`select ${columns} from messages m where ${named.sql} ${lock}`, named.values)
    return new Map(rows.map((row) => [externalKey(row), present(row)]))
  },

  /** The inbound direct messages with these ids in any channel of the account and type. */
  async inboundAnywhere(
    reader: Reader,
    keys: readonly (readonly [accountId: string, type: ChannelType, externalId: string])[],
  ): Promise<Pick<ExternalKey & Message, 'id' | 'accountId' | 'channelId' | 'externalId'>[]> {
    if (keys.length === 0) return []
    const named = anyOf(['h.account_id', 'h.type', 'm.external_id'], keys)
    return reader.query(
      `select m.id, m.account_id accountId, m.channel_id channelId, m.external_id externalId from channels h
       join messages m on m.account_id = h.account_id and m.channel_id = h.id and m.visibility = 'direct'
       where ${named.sql} and m.direction = 'inbound' order by m.id desc`,
      named.values,
    )
  },

  /** Inserts what is not there yet under its network's id; answers the ids of those that are new. */
  async insertNew(tx: Writer, news: readonly Message[]): Promise<Set<string>> {
    if (news.length === 0) return new Set()
    try {
      // As a rule the caller has looked and all are new; the statement that fails leaves the transaction as it was.
      await this.insert(tx, news)
      return new Set(news.map(({ id }) => id))
    } catch (error) {
      if (codeOf(error) !== 'ER_DUP_ENTRY') throw error
    }
    await this.insert(tx, news, 'on duplicate key update id = id')
    const list = inList(news.map((message) => message.id))
    const rows = await tx.query<{ id: string }>(`select id from messages where id in ${list.sql}`, list.values)
    return new Set(rows.map((row) => row.id))
  },

  async insert(tx: Writer, news: readonly Message[], tail?: string): Promise<void> {
    await tx.insertMany(
      'messages',
      [
        'id',
        'account_id',
        'channel_id',
        'conversation_id',
        'contact_id',
        'direction',
        'kind',
        'visibility',
        'external_id',
        'author_id',
        'text',
        'in_reply_to',
        'extra',
        'reactions',
        'is_hidden',
        'occurred_at',
        'received_at',
        'edited_at',
        'deleted_at',
      ],
      [...news]
        .sort((a, b) => (externalKey(a) < externalKey(b) ? -1 : 1))
        .map((m) => [
          m.id, m.accountId, m.channelId, m.conversationId, m.contactId, m.direction, m.kind, m.visibility, m.externalId, m.authorId, m.text, m.inReplyTo,
          m.extra && JSON.stringify(m.extra), m.reactions && JSON.stringify(m.reactions), m.isHidden, m.occurredAt, m.receivedAt, m.editedAt, m.deletedAt,
        ]), // prettier-ignore
      ...(tail === undefined ? [] : [tail]),
    )
  },

  async setAppearance(tx: Writer, accountId: string, id: string, appearance: Appearance): Promise<void> {
    await tx.run('update messages set text = ?, reactions = ?, is_hidden = ?, edited_at = ?, deleted_at = ? where account_id = ? and id = ?', [
      appearance.text, appearance.reactions && JSON.stringify(appearance.reactions), appearance.isHidden, appearance.editedAt, appearance.deletedAt, accountId, id,
    ]) // prettier-ignore
  },

  /** An answer that was planned is said at another time. */
  async setTime(tx: Writer, accountId: string, id: string, occurredAt: Date): Promise<void> {
    await tx.run('update messages set occurred_at = ? where account_id = ? and id = ?', [occurredAt, accountId, id])
  },

  /** Whether anything of the contact has arrived in the conversation since then. */
  async hasInboundSince(reader: Reader, accountId: string, conversationId: string, since: Date): Promise<boolean> {
    const row = await reader.first(
      `select m.id from messages m where m.account_id = ? and m.conversation_id = ? and m.occurred_at > date_sub(?, interval 7 day)
         and m.direction = 'inbound' and m.received_at > ? limit 1`,
      [accountId, conversationId, since, since],
    )
    return row !== undefined
  },

  /** The network's id of an outbound message has become known. */
  async setExternalId(tx: Writer, accountId: string, id: string, externalId: string): Promise<void> {
    await tx.run('update messages set external_id = ? where account_id = ? and id = ?', [externalId, accountId, id])
  },

  /** Takes out a copy that has been merged into another message. */
  async remove(tx: Writer, accountId: string, id: string): Promise<void> {
    await tx.run('delete from messages where account_id = ? and id = ?', [accountId, id])
  },

  /** The newest inbound public message of a conversation: what a public answer answers. */
  async latestInbound(reader: Reader, accountId: string, conversationId: string): Promise<Message | undefined> {
    const row = await reader.first<Row>(
      `select ${columns} from messages m where m.account_id = ? and m.conversation_id = ? and m.direction = 'inbound' and m.deleted_at is null
       order by m.occurred_at desc, m.id desc limit 1`,
      [accountId, conversationId],
    )
    return row && present(row)
  },
}

type Row = Omit<Message, 'isHidden'> & { readonly isHidden: number }

/** The driver tells booleans as numbers. */
const present = (row: Row): Message => ({ ...row, isHidden: row.isHidden !== 0 })
