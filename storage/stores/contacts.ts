/** People outside, and where they are on a network. */
import { newId } from '../../infra/ids.ts'
import type { Reader, Writer } from '../database.ts'
import type { ChannelType } from '../model/words.ts'
import { anyOf, inList } from './in-list.ts'
import { everything, withinContact } from './scope.ts'
import type { Scope } from './scope.ts'

export interface Contact {
  readonly id: string
  readonly accountId: string
  readonly name: string
  /** By key; what an account has defined. */
  readonly attributes: Readonly<Record<string, string | number | boolean>> | null
  readonly blockedAt: Date | null
  /** Then it is in no list; what it had is with the survivor. */
  readonly mergedIntoId: string | null
  readonly lastActivityAt: Date | null
  readonly createdAt: Date
  readonly updatedAt: Date
}

/** `name` null: the network has not told it, and the contact bears a substitute. */
export interface ContactAddress {
  readonly id: string
  readonly accountId: string
  readonly contactId: string
  readonly channelType: ChannelType
  readonly scope: string
  readonly externalId: string
  readonly name: string | null
  readonly handle: string | null
}

/** Someone as a network names them, with the scope in which their id holds. */
export interface Person {
  readonly accountId: string
  readonly channelType: ChannelType
  readonly scope: string
  readonly externalId: string
  readonly name: string | undefined
  readonly handle: string | undefined
  readonly pictureUrl: string | undefined
}

const personKey = (person: Pick<Person, 'accountId' | 'scope' | 'externalId'>): string =>
  `${person.accountId} ${person.scope} ${person.externalId}`

const contactColumns = `id, account_id accountId, name, attributes, blocked_at blockedAt, merged_into_id mergedIntoId,
  last_activity_at lastActivityAt, created_at createdAt, updated_at updatedAt`
const addressColumns =
  'id, account_id accountId, contact_id contactId, channel_type channelType, scope, external_id externalId, name, handle'

export const contacts = {
  /** What makes an address one, as one text. */
  key: (person: Pick<Person, 'accountId' | 'scope' | 'externalId'>): string => personKey(person),

  async get(reader: Reader, accountId: string, id: string, scope: Scope = everything): Promise<Contact | undefined> {
    const limit = withinContact(scope, 'contacts')
    return reader.first<Contact>(`select ${contactColumns} from contacts where account_id = ? and id = ?${limit.sql}`, [
      accountId,
      id,
      ...limit.values,
    ])
  },

  async getMany(reader: Reader, accountId: string, ids: readonly string[]): Promise<Contact[]> {
    if (ids.length === 0) return []
    const list = inList(ids)
    return reader.query<Contact>(`select ${contactColumns} from contacts where account_id = ? and id in ${list.sql}`, [
      accountId,
      ...list.values,
    ])
  },

  /** Someone wrote these messages: how recently their contacts were active. */
  async touch(tx: Writer, messageIds: readonly string[]): Promise<void> {
    if (messageIds.length === 0) return
    const list = inList(messageIds)
    await tx.run(
      `update contacts c join (select account_id, contact_id, max(occurred_at) at from messages
         where id in ${list.sql} and contact_id is not null group by account_id, contact_id) m
       on m.account_id = c.account_id and m.contact_id = c.id
       set c.last_activity_at = greatest(coalesce(c.last_activity_at, m.at), m.at)`,
      list.values,
    )
  },

  /** Those of these contacts from whom nothing is to be answered. */
  async blockedOf(reader: Reader, ids: readonly string[]): Promise<Set<string>> {
    if (ids.length === 0) return new Set()
    const list = inList(ids)
    const rows = await reader.query<{ id: string }>(
      `select id from contacts where id in ${list.sql} and blocked_at is not null`,
      list.values,
    )
    return new Set(rows.map(({ id }) => id))
  },

  /** Every address of these contacts. */
  async addressesOf(reader: Reader, accountId: string, contactIds: readonly string[]): Promise<ContactAddress[]> {
    if (contactIds.length === 0) return []
    const list = inList(contactIds)
    return reader.query<ContactAddress>(
      `select ${addressColumns} from contact_addresses where account_id = ? and contact_id in ${list.sql} order by id`,
      [accountId, ...list.values],
    )
  },

  async address(reader: Reader, accountId: string, id: string): Promise<ContactAddress | undefined> {
    return reader.first<ContactAddress>(
      `select ${addressColumns} from contact_addresses where account_id = ? and id = ?`,
      [accountId, id],
    )
  },

  /**
   * The addresses of these people by `key`; who is not known becomes a contact. Two nodes that meet a person at the
   * same time agree on one: the address is inserted first and read back, and the contact made only by whose row it is.
   */
  async resolve(tx: Writer, people: readonly Person[]): Promise<Map<string, ContactAddress>> {
    const wanted = new Map<string, Person>()
    for (const person of people) {
      const key = personKey(person)
      const before = wanted.get(key)
      if (before?.name === undefined || person.name !== undefined) wanted.set(key, person)
    }
    const sorted = [...wanted].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, person]) => person)
    const found = await findAddresses(tx, sorted, '')
    const missing = sorted.filter((person) => !found.has(personKey(person)))
    if (missing.length > 0) await insertPeople(tx, missing, found)
    for (const person of sorted) {
      const address = found.get(personKey(person))
      if (address !== undefined && isNews(person, address)) await this.rename(tx, address, person)
    }
    return found
  },

  /** Holds these addresses until the transaction ends, in the order of their ids. */
  async lockAddresses(tx: Writer, ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return
    const list = inList([...ids].sort())
    await tx.query(`select id from contact_addresses where id in ${list.sql} order by id for update`, list.values)
  },

  /**
   * This person goes by another id from now on; the address as it is then, `undefined` when the old id is not known. When
   * the new id has written already, `strangerId` is the contact that was made for it, to be joined with the one we know.
   */
  async move(
    tx: Writer,
    was: Person,
    is: Person,
  ): Promise<(ContactAddress & { readonly strangerId?: string }) | undefined> {
    const found = await findAddresses(tx, [was, is], 'for update')
    const before = found.get(personKey(was))
    const already = found.get(personKey(is))
    if (before === undefined) return undefined
    if (already === undefined) {
      await tx.run('update contact_addresses set external_id = ? where account_id = ? and id = ?', [
        is.externalId,
        before.accountId,
        before.id,
      ])
      await tx.run('update contacts set is_stale = true where account_id = ? and id = ?', [
        before.accountId,
        before.contactId,
      ])
      return { ...before, externalId: is.externalId }
    }
    if (already.contactId === before.contactId) return already
    return { ...already, contactId: before.contactId, strangerId: already.contactId }
  },

  /** Keeps what the network newly tells of an address; the contact's own name follows while it is a substitute or the old one. */
  async rename(
    tx: Writer,
    address: ContactAddress,
    told: {
      readonly name?: string | undefined
      readonly handle?: string | undefined
      readonly pictureUrl?: string | undefined
    },
  ): Promise<void> {
    await tx.run(
      `update contact_addresses set name = coalesce(?, name), handle = coalesce(?, handle), picture_url = coalesce(?, picture_url)
       where account_id = ? and id = ?`,
      [
        cut(told.name, 200),
        cut(told.handle, 100),
        told.pictureUrl !== undefined && told.pictureUrl.length <= 1000 ? told.pictureUrl : null,
        address.accountId,
        address.id,
      ],
    )
    if (told.name === undefined && told.handle === undefined) return
    await tx.run(
      `update contacts set name = if(name = ?, ?, name), is_stale = true, updated_at = utc_timestamp(3)
       where account_id = ? and id = ?`,
      [
        nameOf({ ...address, name: address.name ?? undefined, handle: address.handle ?? undefined }),
        nameOf({
          ...address,
          name: told.name ?? address.name ?? undefined,
          handle: told.handle ?? address.handle ?? undefined,
        }),
        address.accountId,
        address.contactId,
      ],
    )
  },
}

async function findAddresses(
  reader: Reader,
  people: readonly Person[],
  lock: '' | 'lock in share mode' | 'for update',
): Promise<Map<string, ContactAddress>> {
  if (people.length === 0) return new Map()
  const named = anyOf(
    ['account_id', 'scope', 'external_id'],
    people.map((person) => [person.accountId, person.scope, person.externalId]),
  )
  const rows = await reader.query<ContactAddress>(
    `select ${addressColumns} from contact_addresses where ${named.sql} ${lock}`,
    named.values,
  )
  return new Map(rows.map((row) => [personKey(row), row]))
}

async function insertPeople(tx: Writer, people: readonly Person[], found: Map<string, ContactAddress>): Promise<void> {
  const now = new Date()
  const ours = new Map(people.map((person) => [newId(), person]))
  await tx.insertMany(
    'contact_addresses',
    [
      'id',
      'account_id',
      'contact_id',
      'channel_type',
      'scope',
      'external_id',
      'name',
      'handle',
      'picture_url',
      'created_at',
    ],
    [...ours].map(([contactId, p]) => [
      newId(), p.accountId, contactId, p.channelType, p.scope, p.externalId, cut(p.name, 200), cut(p.handle, 100),
      p.pictureUrl !== undefined && p.pictureUrl.length <= 1000 ? p.pictureUrl : null, now,
    ]), // prettier-ignore
    'on duplicate key update id = id',
  )
  const stored = await findAddresses(tx, people, 'lock in share mode')
  for (const [key, address] of stored) found.set(key, address)
  await tx.insertMany(
    'contacts',
    ['id', 'account_id', 'name', 'last_activity_at', 'created_at', 'updated_at'],
    [...stored.values()].flatMap((address) => {
      const person = ours.get(address.contactId)
      return person === undefined ? [] : [[address.contactId, person.accountId, nameOf(person), now, now, now]]
    }),
  )
}

const isNews = (person: Person, address: ContactAddress): boolean =>
  (person.name !== undefined && cut(person.name, 200) !== address.name) ||
  (person.handle !== undefined && cut(person.handle, 100) !== address.handle)

/** The name, else the handle, else what the network calls them. */
const nameOf = (person: {
  readonly name: string | undefined
  readonly handle: string | undefined
  readonly externalId: string
}): string => (person.name ?? (person.handle === undefined ? person.externalId : `@${person.handle}`)).slice(0, 200)

const cut = (text: string | undefined, length: number): string | null => text?.slice(0, length) ?? null
