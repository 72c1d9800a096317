/** What people do with contacts: attributes, notes, blocking, definitions, segments. */
import { codeOf, conflict, invalid, notFound } from '../infra/errors.ts'
import { isId } from '../infra/ids.ts'
import type { Attributes, ContactNote, LockedContact, Scope, Segment, Writer } from '../storage/index.ts'
import { asAttribute } from '../storage/model/contact-filter.ts'
import type { AttributeDefinition } from '../storage/model/contact-filter.ts'
import type { Act } from './act.ts'

/** Someone who sees only what their scope holds. */
export type ContactAct = Act & { readonly asker: Act['asker'] & { readonly scope: Scope } }

export interface ContactChange {
  readonly name?: string | undefined
  /** By key; null takes away; what is not named stays. */
  readonly attributes?: Readonly<Record<string, unknown>> | undefined
  readonly isBlocked?: boolean | undefined
}

const mostDefinitions = 100
const mostSegments = 200
const mostNotes = 200

/** @throws Problem 404, 422 that names the attribute */
export async function changeContact(act: ContactAct, id: string, change: ContactChange): Promise<void> {
  const { storage, actor, asker } = act
  const { accountId, userId } = asker
  await storage.write(async (tx) => {
    const contact = await lockContact(act, tx, id)
    const changed: string[] = []
    if (change.name !== undefined && change.name !== contact.name) {
      await storage.contactCare.set(tx, accountId, id, { name: change.name })
      changed.push('name')
    }
    if (change.attributes !== undefined) {
      const definitions = await storage.contactCare.definitions(tx, accountId)
      const attributes = withAttributes(definitions, contact.attributes ?? {}, change.attributes)
      await storage.contactCare.set(tx, accountId, id, { attributes })
      changed.push('attributes')
    }
    if (change.isBlocked !== undefined && change.isBlocked !== (contact.blockedAt !== null)) {
      await storage.contactCare.set(tx, accountId, id, { blockedBy: change.isBlocked ? userId : null })
      changed.push('is_blocked')
    }
    if (changed.length === 0) return
    await storage.contactKeys.renewNow(tx, accountId, [id])
    await storage.outbox.append(tx, {
      type: 'contact.changed',
      accountId,
      data: { contact_id: id, changed, by: userId },
    })
    if (changed.includes('is_blocked'))
      await storage.audit.append(tx, {
        ...{ accountId, by: actor, action: change.isBlocked === true ? 'contact.blocked' : 'contact.unblocked' },
        subject: { type: 'contact', id, name: contact.name },
      })
  })
}

/** The contact, locked, if it may be seen and is not merged into another. @throws Problem 404 */
export async function lockContact({ storage, asker }: ContactAct, tx: Writer, id: string): Promise<LockedContact> {
  const seen = isId(id) ? await storage.contacts.get(tx, asker.accountId, id, asker.scope) : undefined
  const contact = seen && (await storage.contactCare.lock(tx, asker.accountId, [id])).get(id)
  if (contact === undefined || contact.mergedIntoId !== null) throw notFound('contact')
  return contact
}

function withAttributes(
  definitions: readonly AttributeDefinition[],
  before: Attributes,
  wanted: Readonly<Record<string, unknown>>,
): Attributes {
  const after = new Map(Object.entries(before))
  for (const [key, value] of Object.entries(wanted)) {
    const definition = definitions.find((each) => each.key === key)
    const field = `attributes.${key.slice(0, 60)}`
    if (definition === undefined) throw invalid([{ field, message: 'There is no such attribute.' }])
    const kept = value === null ? undefined : asAttribute(definition, value)
    if (value !== null && kept === undefined) throw invalid([{ field, message: `Expected ${expectedOf(definition)}.` }])
    if (kept === undefined) after.delete(key)
    else after.set(key, kept)
  }
  return Object.fromEntries(after)
}

const expectedOf = ({ type, choices }: AttributeDefinition): string =>
  ({
    text: 'a text of up to 500 characters',
    number: 'a number',
    date: 'a day such as 2026-03-09',
    choice: `one of ${(choices ?? []).join(', ')}`,
    boolean: 'true or false',
  })[type]

// ------------------------------------------------------------------------------------------------------------- notes

/** @throws Problem 404, 409 `too_many_notes` */
export async function addContactNote(act: ContactAct, id: string, contactId: string, text: string): Promise<void> {
  const { storage, asker } = act
  await storage.write(async (tx) => {
    await lockContact(act, tx, contactId)
    if ((await storage.contactCare.notes(tx, asker.accountId, contactId)).length >= mostNotes)
      throw conflict('too_many_notes', `A contact has at most ${String(mostNotes)} notes.`)
    await storage.contactCare.addNote(tx, asker.accountId, { id, contactId, authorId: asker.userId, text })
    await tellNotes(act, tx, contactId)
  })
}

/** By who wrote it. @param text null: taken away @throws Problem 404 */
export async function changeContactNote(
  act: ContactAct,
  contactId: string,
  id: string,
  text: string | null,
): Promise<void> {
  const { storage, asker } = act
  await storage.write(async (tx) => {
    await lockContact(act, tx, contactId)
    const note: ContactNote | undefined = isId(id)
      ? await storage.contactCare.note(tx, asker.accountId, contactId, id)
      : undefined
    if (note?.authorId !== asker.userId) throw notFound('note')
    await storage.contactCare.changeNote(tx, asker.accountId, id, text)
    await tellNotes(act, tx, contactId)
  })
}

const tellNotes = ({ storage, asker }: ContactAct, tx: Writer, contactId: string): Promise<void> =>
  storage.outbox.append(tx, {
    type: 'contact.changed',
    accountId: asker.accountId,
    data: { contact_id: contactId, changed: ['notes'], by: asker.userId },
  })

// ------------------------------------------------------------------------------------------- definitions and segments

/** @throws Problem 409 `attribute_exists`, `too_many_attributes` */
export async function defineAttribute({ storage, asker }: Act, definition: AttributeDefinition): Promise<void> {
  await unique(
    'attribute_exists',
    'There is an attribute with this key already.',
    storage.write(async (tx) => {
      if ((await storage.contactCare.definitions(tx, asker.accountId)).length >= mostDefinitions)
        throw conflict('too_many_attributes', `There are at most ${String(mostDefinitions)} attributes.`)
      await storage.contactCare.define(tx, asker.accountId, definition)
    }),
  )
}

/** Its key and type stay. @throws Problem 404 */
export async function redefineAttribute(
  { storage, asker }: Act,
  key: string,
  change: { readonly name?: string | undefined; readonly choices?: readonly string[] | undefined },
): Promise<void> {
  await storage.write(async (tx) => {
    const known = (await storage.contactCare.definitions(tx, asker.accountId)).find((each) => each.key === key)
    if (known === undefined) throw notFound('attribute')
    await storage.contactCare.redefine(tx, asker.accountId, {
      ...known,
      name: change.name ?? known.name,
      choices: known.type === 'choice' ? (change.choices ?? known.choices) : null,
    })
  })
}

/** @throws Problem 404 */
export async function undefineAttribute({ storage, asker }: Act, key: string): Promise<void> {
  await storage.write(async (tx) => {
    const known = (await storage.contactCare.definitions(tx, asker.accountId)).some((each) => each.key === key)
    if (!known) throw notFound('attribute')
    await storage.contactCare.undefine(tx, asker.accountId, key)
  })
}

/** @throws Problem 409 `segment_exists`, `too_many_segments` */
export async function createSegment({ storage, asker }: Act, segment: Segment): Promise<void> {
  await unique(
    'segment_exists',
    'There is a segment of this name already.',
    storage.write(async (tx) => {
      if ((await storage.segments.list(tx, asker.accountId)).length >= mostSegments)
        throw conflict('too_many_segments', `There are at most ${String(mostSegments)} segments.`)
      await storage.segments.save(tx, asker.accountId, segment, asker.userId)
    }),
  )
}

/** @throws Problem 404, 409 `segment_exists` */
export async function changeSegment(
  { storage, asker }: Act,
  id: string,
  change: { readonly name?: string | undefined; readonly filter?: Segment['filter'] | undefined },
): Promise<void> {
  await unique(
    'segment_exists',
    'There is a segment of this name already.',
    storage.write(async (tx) => {
      const segment = isId(id) ? await storage.segments.get(tx, asker.accountId, id) : undefined
      if (segment === undefined) throw notFound('segment')
      await storage.segments.change(tx, asker.accountId, {
        id,
        name: change.name ?? segment.name,
        filter: change.filter ?? segment.filter,
      })
    }),
  )
}

/** @throws Problem 404 */
export async function removeSegment({ storage, asker }: Act, id: string): Promise<void> {
  await storage.write(async (tx) => {
    if (!isId(id) || (await storage.segments.get(tx, asker.accountId, id)) === undefined) throw notFound('segment')
    await storage.segments.remove(tx, asker.accountId, id)
  })
}

async function unique(code: string, words: string, work: Promise<void>): Promise<void> {
  try {
    await work
  } catch (error) {
    if (codeOf(error) === 'ER_DUP_ENTRY') throw conflict(code, words)
    throw error
  }
}
