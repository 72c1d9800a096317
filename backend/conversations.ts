/** The care for a conversation: who has it, and whether it is done. */
import { notFound } from '../infra/errors.ts'
import type { Storage } from '../storage/index.ts'
import type { ConversationStatus } from '../storage/model/words.ts'

export interface CareChange {
  readonly status?: ConversationStatus | undefined
  /** null: nobody. */
  readonly assigneeId?: string | null | undefined
}

/** Sets status and assignee; what is so already is no fact. @throws Problem 404 */
export async function changeConversation(
  storage: Storage,
  accountId: string,
  id: string,
  change: CareChange,
  by: string,
): Promise<void> {
  await storage.write(async (tx) => {
    const conversation = await storage.conversations.lock(tx, accountId, id)
    if (conversation === undefined) throw notFound('conversation')
    const changed: string[] = []
    if (change.status !== undefined && change.status !== conversation.status) {
      await storage.conversations.setStatus(tx, accountId, id, change.status)
      changed.push('status')
    }
    if (change.assigneeId !== undefined && change.assigneeId !== conversation.assigneeId) {
      await storage.conversations.assign(tx, accountId, id, change.assigneeId)
      changed.push('assignee')
    }
    if (changed.length > 0)
      await storage.outbox.append(tx, {
        type: 'conversation.changed',
        accountId,
        data: { conversation_id: id, changed, by },
      })
  })
}
