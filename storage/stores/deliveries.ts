/** The fate of outbound messages, of each part its own, and each try at sending one. */
import { newId } from '../../infra/ids.ts'
import type { Writer } from '../database.ts'
import { deliveryFinds } from './delivery-finds.ts'
import type { Change, Delivery, NewDelivery } from './delivery-rows.ts'
import { inList } from './in-list.ts'

export const deliveries = {
  ...deliveryFinds,

  /** The parts of one answer. */
  async insert(tx: Writer, news: readonly NewDelivery[]): Promise<void> {
    const now = new Date()
    await tx.insertMany(
      'deliveries',
      [
        'id',
        'account_id',
        'channel_id',
        'conversation_id',
        'message_id',
        'part',
        'part_count',
        'text',
        'files',
        'seq',
        'state',
        'created_at',
        'updated_at',
      ],
      news.map((d) => [
        d.id, d.accountId, d.channelId, d.conversationId, d.messageId, d.part, d.partCount, d.text, d.files && JSON.stringify(d.files), d.seq, 'queued',
        now, now,
      ]), // prettier-ignore
    )
  },

  /** The network's own id of a part has become known. */
  async setExternalId(tx: Writer, accountId: string, id: string, externalId: string): Promise<void> {
    await tx.run('update deliveries set external_id = ? where account_id = ? and id = ?', [externalId, accountId, id])
  },

  /** A part was taken back on the network. */
  async markDeleted(tx: Writer, accountId: string, id: string, at: Date): Promise<void> {
    await tx.run('update deliveries set deleted_at = ?, text = null where account_id = ? and id = ?', [
      at,
      accountId,
      id,
    ])
  },

  async change(tx: Writer, accountId: string, id: string, change: Change): Promise<void> {
    await tx.run(
      `update deliveries set state = ?, reason_code = ?, reason_class = ?, reason = ?, next_attempt_at = date_add(utc_timestamp(3), interval ? microsecond), updated_at = utc_timestamp(3)
       where account_id = ? and id = ?`,
      [
        change.state,
        change.reasonCode?.slice(0, 100) ?? null,
        change.reasonClass ?? null,
        change.reason?.slice(0, 500) ?? null,
        change.dueInMs === undefined ? null : Math.round(change.dueInMs * 1000),
        accountId,
        id,
      ],
    )
  },

  /** Begins the next attempt of a locked delivery; its number. */
  async beginAttempt(tx: Writer, delivery: Delivery, node: string): Promise<number> {
    const number = delivery.attemptCount + 1
    await tx.run(
      "update deliveries set state = 'sending', attempt_count = ?, next_attempt_at = null, reason_code = null, reason_class = null, reason = null, updated_at = utc_timestamp(3) where account_id = ? and id = ?",
      [number, delivery.accountId, delivery.id],
    )
    await tx.run(
      'insert into attempts (id, account_id, delivery_id, number, node, started_at) values (?, ?, ?, ?, ?, utc_timestamp(3))',
      [newId(), delivery.accountId, delivery.id, number, node],
    )
    return number
  },

  /** Its time has come: it gets a place in the order of sending. */
  async place(tx: Writer, accountId: string, id: string, seq: number): Promise<void> {
    await tx.run(
      "update deliveries set seq = ?, state = 'queued', reason_code = null, reason_class = null, reason = null, next_attempt_at = null, updated_at = utc_timestamp(3) where account_id = ? and id = ?",
      [seq, accountId, id],
    )
  },

  /** A message that has never been tried is divided in another way. */
  async replace(tx: Writer, old: readonly Delivery[], news: readonly NewDelivery[]): Promise<void> {
    for (const { accountId, id } of old)
      await tx.run('delete from deliveries where account_id = ? and id = ? and attempt_count = 0', [accountId, id])
    await deliveries.insert(tx, news)
  },

  /** What an app's channels wait for under these codes is there again. */
  async release(tx: Writer, accountId: string, appId: string, codes: readonly string[]): Promise<void> {
    const list = inList(codes)
    await tx.run(
      `update deliveries d join channels c on c.account_id = d.account_id and c.id = d.channel_id and c.app_id = ?
       set d.next_attempt_at = utc_timestamp(3) where d.account_id = ? and d.state = 'retrying' and d.reason_code in ${list.sql} and d.next_attempt_at > utc_timestamp(3)`,
      [appId, accountId, ...list.values],
    )
  },

  /** What became of an attempt; one that has been concluded stays as it is. */
  async endAttempt(
    tx: Writer,
    delivery: Pick<Delivery, 'id' | 'accountId'>,
    number: number,
    outcome: { readonly type: string; readonly code?: string; readonly reason?: string },
  ): Promise<void> {
    await tx.run('update attempts set finished_at = utc_timestamp(3), outcome = ?, code = ?, reason = ? where account_id = ? and delivery_id = ? and number = ? and finished_at is null', [
      outcome.type, outcome.code?.slice(0, 100) ?? null, outcome.reason?.slice(0, 500) ?? null, delivery.accountId, delivery.id, number,
    ]) // prettier-ignore
  },
}
