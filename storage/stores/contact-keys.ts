/** What contacts are found by: words of their names, handles, addresses, attributes; made anew when one has changed. */
import type { Reader, Writer } from '../database.ts'
import { emailKey, fold, phoneKey, termsOf } from '../model/search-terms.ts'
import { inList } from './in-list.ts'
import { withinContact } from './scope.ts'
import type { Scope } from './scope.ts'

interface Stale {
  readonly id: string
  readonly accountId: string
  readonly name: string
  readonly attributes: Readonly<Record<string, unknown>> | null
  readonly mergedIntoId: string | null
}

interface Address {
  readonly contactId: string
  readonly channelType: string
  readonly externalId: string
  readonly name: string | null
  readonly handle: string | null
}

const longest = 190

export const contactKeys = {
  /** Makes the keys of up to `count` contacts that have changed, whoever else does the same meanwhile; how many. */
  async renew(tx: Writer, count: number): Promise<number> {
    const stale = await tx.query<Stale>(
      `select id, account_id accountId, name, attributes, merged_into_id mergedIntoId from contacts where is_stale = true
       order by id limit ${String(Math.trunc(count))} for update skip locked`,
    )
    await remake(tx, stale)
    return stale.length
  },

  /** Makes the keys of these at once. */
  async renewNow(tx: Writer, accountId: string, ids: readonly string[]): Promise<void> {
    const list = inList(ids)
    const stale = await tx.query<Stale>(
      `select id, account_id accountId, name, attributes, merged_into_id mergedIntoId from contacts where account_id = ? and id in ${list.sql} for update`,
      [accountId, ...list.values],
    )
    await remake(tx, stale)
  },

  /**
   * Ids of contacts that these words are about: a phone number in any writing, an e-mail address, a handle, or beginnings of the
   * words of a name. At most `most`, the last active first.
   */
  async find(reader: Reader, accountId: string, words: string, most: number, scope: Scope): Promise<string[]> {
    const asked = asKeys(words)
    const [first, ...more] = asked
    if (first === undefined) return []
    const limit = withinContact(scope, 'p')
    const also = more.map(
      ({ kinds }) =>
        ` and exists (select 1 from contact_keys o where o.account_id = p.account_id and o.contact_id = p.id and o.kind in (${kinds.map(() => '?').join(', ')}) and o.value like ?)`,
    )
    const rows = await reader.query<{ id: string }>(
      `select p.id from (select distinct contact_id from contact_keys where account_id = ?
         and kind in (${first.kinds.map(() => '?').join(', ')}) and value like ? limit 2000) k
       join contacts p on p.account_id = ? and p.id = k.contact_id and p.merged_into_id is null
       where true${also.join('')}${limit.sql} order by p.last_activity_at desc, p.id limit ${String(Math.trunc(most))}`,
      [
        accountId,
        ...first.kinds,
        `${escaped(first.value)}%`,
        accountId,
        ...more.flatMap(({ kinds, value }) => [...kinds, `${escaped(value)}%`]),
        ...limit.values,
      ],
    )
    return rows.map(({ id }) => id)
  },

  /** Others who share a key with this contact, with what they share; the rarest first. */
  async sharing(
    reader: Reader,
    accountId: string,
    contactId: string,
    scope: Scope,
    most: number,
  ): Promise<{ readonly id: string; readonly kind: string; readonly value: string }[]> {
    const limit = withinContact(scope, 'p')
    return reader.query(
      `select p.id, k.kind, k.value from contact_keys mine
       join contact_keys k on k.account_id = mine.account_id and k.kind = mine.kind and k.value = mine.value and k.contact_id <> mine.contact_id
       join contacts p on p.account_id = k.account_id and p.id = k.contact_id and p.merged_into_id is null
       where mine.account_id = ? and mine.contact_id = ? and mine.kind in ('phone', 'email', 'handle', 'whole')${limit.sql}
       order by field(k.kind, 'phone', 'email', 'handle', 'whole'), p.id limit ${String(Math.trunc(most))}`,
      [accountId, contactId, ...limit.values],
    )
  },
}

async function remake(tx: Writer, stale: readonly Stale[]): Promise<void> {
  if (stale.length === 0) return
  const ids = inList(stale.map(({ id }) => id))
  const addresses = await tx.query<Address>(
    `select a.contact_id contactId, a.channel_type channelType, a.external_id externalId, a.name, a.handle from contacts c
     join contact_addresses a on a.account_id = c.account_id and a.contact_id = c.id where c.id in ${ids.sql}`,
    ids.values,
  )
  const of = Map.groupBy(addresses, ({ contactId }) => contactId)
  await tx.run(
    `delete k from contact_keys k join contacts c on c.account_id = k.account_id and c.id = k.contact_id where c.id in ${ids.sql}`,
    ids.values,
  )
  const rows = stale
    .filter(({ mergedIntoId }) => mergedIntoId === null)
    .flatMap((contact) =>
      keysOf(contact, of.get(contact.id) ?? []).map(([kind, value]) => [contact.accountId, kind, value, contact.id]),
    )
  await tx.insertMany('contact_keys', ['account_id', 'kind', 'value', 'contact_id'], rows, 'on duplicate key update kind = values(kind)') // prettier-ignore
  await tx.run(
    `update contacts c set c.is_stale = false, c.last_activity_at = coalesce((select max(v.last_activity_at) from conversations v
       where v.account_id = c.account_id and v.contact_id = c.id), c.last_activity_at, c.created_at) where c.id in ${ids.sql}`,
    ids.values,
  )
}

function keysOf(contact: Stale, addresses: readonly Address[]): [kind: string, value: string][] {
  const keys = new Map<string, [string, string]>()
  const add = (kind: string, value: string | undefined): void => {
    const kept = value?.slice(0, longest)
    if (kept !== undefined && kept !== '') keys.set(`${kind} ${kept}`, [kind, kept])
  }
  for (const name of [contact.name, ...addresses.flatMap((address) => address.name ?? [])]) {
    for (const term of termsOf(name)) add('name', term.text)
    add('phone', phoneKey(name))
    // A single first name is no sign that two are one.
    if (termsOf(name).length > 1) add('whole', fold(name).trim())
  }
  for (const { channelType, externalId, handle } of addresses) {
    add('id', fold(externalId))
    if (channelType === 'whatsapp') add('phone', phoneKey(externalId))
    add('handle', handle === null ? undefined : fold(handle))
  }
  for (const [key, value] of Object.entries(contact.attributes ?? {})) {
    const text = typeof value === 'string' ? value : typeof value === 'number' || typeof value === 'boolean' ? String(value) : '' // prettier-ignore
    add(`a:${key}`, fold(text))
    if (typeof value !== 'string') continue
    add('email', emailKey(value))
    add('phone', phoneKey(value))
  }
  return [...keys.values()]
}

/** What is asked of the keys: each has to be there. */
function asKeys(words: string): { readonly kinds: readonly string[]; readonly value: string }[] {
  const text = words.trim()
  const phone = phoneKey(text)
  if (phone !== undefined) return [{ kinds: ['phone'], value: phone }]
  if (emailKey(text) !== undefined) return [{ kinds: ['email'], value: emailKey(text) ?? '' }]
  if (/^@\S+$/.test(text)) return [{ kinds: ['handle'], value: fold(text.slice(1)) }]
  const single = /^\S+$/.test(text) && /[._-]/.test(text)
  if (single) return [{ kinds: ['handle', 'id', 'email'], value: fold(text) }]
  return termsOf(text)
    .slice(0, 6)
    .map((term) => ({ kinds: ['name', 'handle', 'id', 'email'], value: term.text }))
}

const escaped = (text: string): string => text.replace(/[\\%_]/g, '\\$&')
