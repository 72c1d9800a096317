/** Acts done to one conversation within a transaction: for rules and macros. */
import { notFound } from '../infra/errors.ts'
import { addNote, sendReply } from '../messaging/send.ts'
import { covers } from '../storage/index.ts'
import type { Conversation, Storage, Writer } from '../storage/index.ts'
import { foldActs, resolveWish } from './conversation-acts.ts'
import type { ConversationAct } from './conversation-acts.ts'
import { changeConversations } from './conversations.ts'
import type { Cause } from './conversations.ts'
import { fillIn } from './fill-in.ts'
import type { Values } from './fill-in.ts'

export interface Done {
  /** As the fact names them. */
  readonly changed: readonly string[]
  readonly said: readonly { readonly kind: 'note' | 'reply'; readonly message_id: string }[]
}

/**
 * What is said first, then the care in one change.
 * @param message what a public answer answers, by our id
 * @throws Problem as `resolveWish`, `changeConversations` and `sendReply` do; what was written is to be rolled back then
 */
export async function doActs(
  storage: Storage,
  tx: Writer,
  conversation: Pick<Conversation, 'id' | 'accountId' | 'visibility'>,
  acts: readonly ConversationAct[],
  cause: Cause,
  { values, message }: { readonly values: Values; readonly message?: string | undefined },
): Promise<Done> {
  const { id, accountId, visibility } = conversation
  const { wish, said } = foldActs(acts)
  const { change, assigneeScope } = await resolveWish(storage, tx, accountId, wish, cause.by)
  const inside = joining(storage, tx)
  const done: { kind: 'note' | 'reply'; message_id: string }[] = []
  for (const { kind, text } of said) {
    const utterance = { accountId, conversationId: id, userId: cause.by, text: fillIn(text, values) }
    const isPublic = visibility === 'public'
    const made =
      kind === 'note'
        ? await addNote(inside, utterance)
        : await sendReply(inside, {
            ...{ ...utterance, kind: isPublic ? 'comment' : 'reply' },
            ...(isPublic && message !== undefined && { inReplyTo: message }),
          })
    if (cause.byRule !== undefined)
      await storage.rules.sign(tx, accountId, made.id, { by_rule: cause.byRule, after_rules: cause.afterRules ?? [] })
    done.push({ kind, message_id: made.id })
  }
  if (assigneeScope !== undefined) {
    const locked = await storage.conversations.lock(tx, accountId, id)
    if (locked === undefined || !covers(assigneeScope, locked)) throw notFound('conversation for this assignee')
  }
  const [changed] = await changeConversations(storage, tx, accountId, [id], change, cause, assigneeScope)
  return { changed: changed?.changed ?? [], said: done }
}

/** The same storage, whose writes join this transaction. */
export const joining = (storage: Storage, tx: Writer): Storage => ({ ...storage, write: (work) => work(tx) })
