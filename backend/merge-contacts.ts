/** Two contacts that are one person: merged with a survivor, and taken apart again; and who might be one. */
import { conflict, invalid, notFound } from '../infra/errors.ts'
import { isId } from '../infra/ids.ts'
import type { Merge, Writer } from '../storage/index.ts'
import type { AttributeValue } from '../storage/model/contact-filter.ts'
import { lockContact } from './contacts.ts'
import type { ContactAct } from './contacts.ts'

/** So many facts about conversations of one merge; lists are read anew anyway. */
const mostTold = 200

/**
 * All addresses, conversations and notes of `otherId` are with `survivorId` afterwards, and the attributes that it has not itself;
 * it is blocked if one of them was. Conversations stay as they are, each with its own line. @throws Problem 404, 422
 */
export async function mergeContacts(act: ContactAct, id: string, survivorId: string, otherId: string): Promise<void> {
  const { storage, actor, asker } = act
  const { accountId, userId } = asker
  if (survivorId === otherId) throw invalid([{ field: 'other_id', message: 'A contact cannot be merged into itself.' }])
  await storage.write(async (tx) => {
    if ((await storage.contactMerges.get(tx, accountId, id)) !== undefined) return
    // In the order of the ids, so that two who merge the same two do not wait for each other for ever.
    const locked = new Map(
      [survivorId, otherId].sort().map((each) => [each, undefined as Awaited<ReturnType<typeof lockContact>> | undefined]), // prettier-ignore
    )
    for (const each of locked.keys()) locked.set(each, await lockContact(act, tx, each))
    const [survivor, other] = [locked.get(survivorId), locked.get(otherId)]
    if (survivor === undefined || other === undefined) throw notFound('contact')
    const belongings = await storage.contactMerges.belongings(tx, accountId, otherId)
    const own = survivor.attributes ?? {}
    const filled = Object.fromEntries(Object.entries(other.attributes ?? {}).filter(([key]) => !(key in own)))
    const blocked = other.blockedAt !== null && survivor.blockedAt === null
    await storage.contactMerges.merge(tx, accountId, {
      ...{ id, survivorId, mergedId: otherId, mergedBy: userId },
      snapshot: { merged: { name: other.name }, survivor: { name: survivor.name }, ...belongings, filled, blocked },
    })
    await storage.contactCare.set(tx, accountId, survivorId, {
      attributes: { ...own, ...filled },
      ...(blocked && { blockedBy: userId }),
    })
    await storage.contactKeys.renewNow(tx, accountId, [survivorId, otherId])
    await storage.outbox.append(tx, {
      type: 'contact.merged',
      accountId,
      data: { contact_id: survivorId, merged_id: otherId, merge_id: id, by: userId },
    })
    await tellConversations(act, tx, belongings.conversation_ids)
    await storage.audit.append(tx, {
      ...{ accountId, by: actor, action: 'contact.merged' },
      subject: { type: 'contact', id: survivorId, name: survivor.name },
      before: {},
      after: { merged_id: otherId, merged_name: other.name, merge_id: id },
    })
  })
}

/** What went over goes back; what was changed by people since stays with the survivor. @throws Problem 404, 409 `undone`, `merged_since` */
export async function undoMerge(act: ContactAct, id: string): Promise<Merge> {
  const { storage, actor, asker } = act
  const { accountId, userId } = asker
  return storage.write(async (tx) => {
    const merge = isId(id) ? await storage.contactMerges.lock(tx, accountId, id) : undefined
    if (merge === undefined) throw notFound('merge')
    const seen = await storage.contacts.get(tx, accountId, merge.survivorId, asker.scope)
    if (seen === undefined) throw notFound('merge')
    if (merge.undoneAt !== null) throw conflict('undone', 'This merge has been undone already.')
    const locked = await storage.contactCare.lock(tx, accountId, [merge.survivorId, merge.mergedId])
    const survivor = locked.get(merge.survivorId)
    if (survivor === undefined || survivor.mergedIntoId !== null || !locked.has(merge.mergedId))
      throw conflict('merged_since', 'The survivor has been merged into another contact since: undo that first.')
    const conversationIds = await storage.contactMerges.undo(tx, accountId, merge, userId)
    const { filled, blocked } = merge.snapshot
    const isAsFilled = ([key, value]: [string, AttributeValue]): boolean => key in filled && filled[key] === value
    await storage.contactCare.set(tx, accountId, merge.survivorId, {
      attributes: Object.fromEntries(Object.entries(survivor.attributes ?? {}).filter((each) => !isAsFilled(each))),
      ...(blocked && { blockedBy: null }),
    })
    await storage.contactKeys.renewNow(tx, accountId, [merge.survivorId, merge.mergedId])
    for (const contactId of [merge.survivorId, merge.mergedId])
      await storage.outbox.append(tx, {
        type: 'contact.changed',
        accountId,
        data: { contact_id: contactId, changed: ['merge_undone'], by: userId },
      })
    await tellConversations(act, tx, conversationIds)
    await storage.audit.append(tx, {
      ...{ accountId, by: actor, action: 'contact.merge_undone' },
      subject: { type: 'contact', id: merge.survivorId, name: survivor.name },
      before: { merged_id: merge.mergedId, merged_name: merge.snapshot.merged.name, merge_id: id },
      after: {},
    })
    return merge
  })
}

const tellConversations = ({ storage, asker }: ContactAct, tx: Writer, ids: readonly string[]): Promise<void> =>
  storage.outbox.appendMany(
    tx,
    ids.slice(0, mostTold).map((id) => ({
      type: 'conversation.changed',
      accountId: asker.accountId,
      data: { conversation_id: id, changed: ['contact'], by: asker.userId },
    })),
  )
