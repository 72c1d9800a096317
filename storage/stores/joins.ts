/** Two that turn out to be one: what was said under a person's new id joins what was said under the old one. */
import type { Writer } from '../database.ts'
import { anyOf } from './in-list.ts'
import { markKinds, marks } from './marks.ts'

interface Line {
  readonly id: string
  readonly deliverySeq: number
}

export const joins = {
  /**
   * Joins the direct conversation `threadKeys.is` of a channel into `threadKeys.was`, and everything of contact `fromId` into
   * `intoId`; a contact without any address left goes. The conversation that stays, if both were there.
   */
  async joinPerson(
    tx: Writer,
    place: { readonly accountId: string; readonly channelId: string },
    threadKeys: { readonly was: string; readonly is: string },
    contacts: { readonly fromId: string; readonly intoId: string },
  ): Promise<string | undefined> {
    const { accountId, channelId } = place
    const lines = await tx.query<Line & { threadKey: string }>(
      `select id, delivery_seq deliverySeq, thread_key threadKey from conversations
       where account_id = ? and channel_id = ? and thread_key in (?, ?) order by id for update`,
      [accountId, channelId, threadKeys.was, threadKeys.is],
    )
    const into = lines.find(({ threadKey }) => threadKey === threadKeys.was)
    const from = lines.find(({ threadKey }) => threadKey === threadKeys.is)
    const joined = into !== undefined && from !== undefined
    if (joined) {
      await joinLines(tx, accountId, from, into)
      await tx.run('update conversations set thread_key = ? where account_id = ? and id = ?', [
        threadKeys.is,
        accountId,
        into.id,
      ])
    }
    for (const table of ['messages', 'conversations', 'contact_addresses', 'contact_notes'])
      await tx.run(`update ${table} set contact_id = ? where account_id = ? and contact_id = ?`, [
        contacts.intoId,
        accountId,
        contacts.fromId,
      ])
    await tx.run('delete from contact_keys where account_id = ? and contact_id = ?', [accountId, contacts.fromId])
    await tx.run('delete from contacts where account_id = ? and id = ?', [accountId, contacts.fromId])
    await tx.run(
      `update contacts set merged_into_id = if(merged_into_id = ?, ?, merged_into_id), is_stale = true
       where account_id = ? and (id = ? or merged_into_id = ?)`,
      [contacts.fromId, contacts.intoId, accountId, contacts.intoId, contacts.fromId],
    )
    await tx.run('update contact_merges set survivor_id = ? where account_id = ? and survivor_id = ?', [
      contacts.intoId,
      accountId,
      contacts.fromId,
    ])
    return joined ? into.id : undefined
  },

  /**
   * Conversations that one person began below these public messages before it was known where the messages themselves belong,
   * and the conversation of the same person that each belongs into.
   */
  async strays(
    tx: Writer,
    messages: readonly {
      readonly id: string
      readonly accountId: string
      readonly channelId: string
      readonly externalId: string | null
      readonly conversationId: string
    }[],
  ): Promise<{ readonly accountId: string; readonly fromId: string; readonly intoId: string }[]> {
    if (messages.length === 0) return []
    const ids = anyOf(
      ['c.account_id', 'c.id'],
      messages.map(({ accountId, conversationId }) => [accountId, conversationId]),
    )
    const homes = await tx.query<{ id: string; person: string; threadKey: string }>(
      `select c.id, a.external_id person, c.thread_key threadKey from conversations c
       join contact_addresses a on a.account_id = c.account_id and a.id = c.contact_address_id where ${ids.sql}`,
      ids.values,
    )
    const homeOf = new Map(homes.map((home) => [home.id, home]))
    const wanted = messages.flatMap(({ accountId, channelId, externalId, conversationId }) => {
      const home = homeOf.get(conversationId)
      if (externalId === null || home === undefined) return []
      const threadKey = `public:${externalId}:${home.person}`
      return threadKey === home.threadKey ? [] : [{ accountId, channelId, threadKey, intoId: conversationId }]
    })
    if (wanted.length === 0) return []
    const keys = anyOf(
      ['account_id', 'channel_id', 'thread_key'],
      wanted.map(({ accountId, channelId, threadKey }) => [accountId, channelId, threadKey]),
    )
    // What another node is about to insert is waited for.
    const found = await tx.query<{ id: string; channelId: string; threadKey: string }>(
      `select id, channel_id channelId, thread_key threadKey from conversations where ${keys.sql} order by id for update`,
      keys.values,
    )
    return found.flatMap(({ id, channelId, threadKey }) => {
      const into = wanted.find((one) => one.channelId === channelId && one.threadKey === threadKey)
      return into === undefined || into.intoId === id
        ? []
        : [{ accountId: into.accountId, fromId: id, intoId: into.intoId }]
    })
  },

  /** Everything of one conversation goes into another of the same person; the first goes. */
  async joinConversations(tx: Writer, accountId: string, fromId: string, intoId: string): Promise<void> {
    const lines = await tx.query<Line>(
      'select id, delivery_seq deliverySeq from conversations where account_id = ? and id in (?, ?) order by id for update',
      [accountId, fromId, intoId],
    )
    const [from, into] = [fromId, intoId].map((id) => lines.find((line) => line.id === id))
    if (from !== undefined && into !== undefined) await joinLines(tx, accountId, from, into)
  },
}

/** What was queued in the one comes after what was queued in the other. */
async function joinLines(tx: Writer, accountId: string, from: Line, into: Line): Promise<void> {
  await tx.run('update messages set conversation_id = ? where account_id = ? and conversation_id = ?', [
    into.id,
    accountId,
    from.id,
  ])
  await tx.run('update message_search set conversation_id = ? where account_id = ? and conversation_id = ?', [
    into.id,
    accountId,
    from.id,
  ])
  await tx.run(
    'update deliveries set conversation_id = ?, seq = seq + ? where account_id = ? and conversation_id = ? order by seq desc',
    [into.id, into.deliverySeq, accountId, from.id],
  )
  await tx.run(
    `update conversations i join conversations f on f.account_id = i.account_id and f.id = ?
     set i.delivery_seq = i.delivery_seq + f.delivery_seq, i.contact_address_id = f.contact_address_id,
       i.status = if('open' in (i.status, f.status), 'open', i.status),
       i.preview = if(f.last_activity_at > i.last_activity_at, f.preview, i.preview),
       i.waiting_since = coalesce(least(i.waiting_since, f.waiting_since), i.waiting_since, f.waiting_since),
       i.last_inbound_at = coalesce(greatest(i.last_inbound_at, f.last_inbound_at), i.last_inbound_at, f.last_inbound_at),
       i.last_activity_at = greatest(i.last_activity_at, f.last_activity_at), i.updated_at = utc_timestamp(3)
     where i.account_id = ? and i.id = ?`,
    [from.id, accountId, into.id],
  )
  // Its priority goes with it.
  await tx.run(
    `delete from conversation_marks where account_id = ? and conversation_id = ? and kind = ${String(markKinds.priority)}`,
    [accountId, from.id],
  )
  for (const table of ['conversation_marks', 'mentions'])
    await tx.run(`update ignore ${table} set conversation_id = ? where account_id = ? and conversation_id = ?`, [
      into.id,
      accountId,
      from.id,
    ])
  await tx.run('delete from conversation_marks where account_id = ? and conversation_id = ?', [accountId, from.id])
  await tx.run(
    `update conversations c set c.is_marked = exists (select 1 from conversation_marks m where m.account_id = c.account_id and m.conversation_id = c.id)
     where c.account_id = ? and c.id = ?`,
    [accountId, into.id],
  )
  await marks.follow(tx, [into.id])
  await tx.run('delete from conversations where account_id = ? and id = ?', [accountId, from.id])
}
