/** Users who are named in a note, as `@[Name](id)`: they are told, and take part in the conversation from then on. */
import { isId } from '../infra/ids.ts'
import { markKinds } from '../storage/index.ts'
import type { Message, Storage, Writer } from '../storage/index.ts'

const named = /@\[[^\]\n]{1,200}\]\(([0-9a-f-]{36})\)/g
/** More in one note are not told. */
const mostNamed = 50

/** In the transaction that keeps the note; its conversation is locked. Ids of no user here name nobody. */
export async function noteMentions(storage: Storage, tx: Writer, note: Message): Promise<void> {
  const ids = [...new Set([...(note.text ?? '').matchAll(named)].map(([, id]) => id ?? ''))].filter(isId)
  if (ids.length === 0) return
  const { accountId, conversationId, id: messageId, authorId, occurredAt: at } = note
  const users = await storage.names.find(tx, accountId, {
    ...{ channels: [], teams: [], labels: [] },
    users: ids.slice(0, mostNamed),
  })
  const userIds = ids.filter((id) => users.has(id))
  await storage.mentions.add(
    tx,
    userIds.map((userId) => ({ accountId, userId, messageId, conversationId, at })),
  )
  await storage.marks.put(
    tx,
    accountId,
    userIds.flatMap((mark) => [
      { conversationId, kind: markKinds.mention, mark },
      { conversationId, kind: markKinds.participant, mark },
    ]),
  )
  await storage.outbox.appendMany(
    tx,
    userIds.map((userId) => ({
      type: 'user.mentioned' as const,
      accountId,
      data: { user_id: userId, conversation_id: conversationId, message_id: messageId, by: authorId },
    })),
  )
}
