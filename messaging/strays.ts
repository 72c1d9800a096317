/**
 * Answers that came before what they answer. Where a network names only the parent (X, Account Activity), such an answer began
 * a conversation below that parent; once the parent is here, whoever wrote both has one conversation.
 */
import type { Intake, Said } from './take-in.ts'

/** Looks once the new messages are inserted. */
export async function joinStrays(intake: Intake, said: readonly Said[]): Promise<void> {
  const { storage, tx, facts, fresh } = intake
  const own = said.filter(({ event: { thread } }) => thread.kind === 'public' && thread.isPerPerson === true)
  if (own.length === 0) return
  const names = new Set(own.map(({ channel, event }) => `${channel.id} ${event.externalId}`))
  const ids = [...fresh.values()].filter(({ channelId, externalId }) => names.has(`${channelId} ${externalId ?? ''}`))
  // A parent may be on its way in on another node: each inserts first and then looks with a lock, so that one sees the other.
  const orphans = own.filter(({ event: { thread } }) => thread.kind === 'public' && thread.parentId === thread.rootId)
  const parents = await storage.messages.findByExternal(
    tx,
    orphans.flatMap(({ channel, event: { thread } }) =>
      thread.kind === 'public' && thread.parentId !== undefined
        ? [
            {
              accountId: channel.accountId,
              channelId: channel.id,
              visibility: 'public' as const,
              externalId: thread.parentId,
            },
          ]
        : [],
    ),
    'for update',
  )
  // What has just gone into another conversation is found there.
  const moved = new Map<string, string>()
  const placeOf = (id: string): string => {
    const next = moved.get(id)
    return next === undefined ? id : placeOf(next)
  }
  for (const { accountId, ...stray } of await storage.joins.strays(tx, [...ids, ...parents.values()])) {
    const [fromId, intoId] = [placeOf(stray.fromId), placeOf(stray.intoId)]
    if (fromId === intoId) continue
    await storage.joins.joinConversations(tx, accountId, fromId, intoId)
    moved.set(fromId, intoId)
    for (const message of fresh.values())
      if (message.conversationId === fromId) fresh.set(message.id, { ...message, conversationId: intoId })
    facts.push({
      accountId,
      type: 'conversation.changed',
      data: { conversation_id: intoId, changed: ['joined'], by: null },
    })
  }
}
