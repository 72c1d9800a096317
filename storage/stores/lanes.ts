/** The right to send for one conversation. It expires by the database's clock; `epoch` and holder fence who was paused. */
import type { Writer } from '../database.ts'

export interface Lane {
  readonly conversationId: string
  readonly holder: string
  readonly epoch: number
}

export const lanes = {
  /** Takes the lane unless someone else holds it; `holder` is unique to this taking. */
  async claim(tx: Writer, conversationId: string, holder: string, ttlMs: number): Promise<Lane | undefined> {
    // The order matters: each assignment sees what the ones before it have set.
    await tx.run(
      `insert into delivery_lanes (conversation_id, holder, epoch, expires_at) values (?, ?, 1, date_add(utc_timestamp(3), interval ? microsecond))
       on duplicate key update epoch = if(expires_at <= utc_timestamp(3), epoch + 1, epoch), holder = if(expires_at <= utc_timestamp(3), values(holder), holder),
         expires_at = if(expires_at <= utc_timestamp(3), values(expires_at), expires_at)`,
      [conversationId, holder, ttlMs * 1000],
    )
    const row = await tx.first<Lane>(
      'select conversation_id conversationId, holder, epoch from delivery_lanes where conversation_id = ? for update',
      [conversationId],
    )
    return row?.holder === holder ? row : undefined
  },

  /** Waits for whoever decides about the lane at this moment, and holds them off until the transaction ends. */
  async lock(tx: Writer, conversationId: string): Promise<void> {
    await tx.first('select epoch from delivery_lanes where conversation_id = ? for update', [conversationId])
  },

  /** Locks the lane and lengthens it, if it is still this one. */
  async hold(tx: Writer, lane: Lane, ttlMs: number): Promise<boolean> {
    const row = await tx.first<Lane>(
      'select conversation_id conversationId, holder, epoch from delivery_lanes where conversation_id = ? for update',
      [lane.conversationId],
    )
    if (row?.holder !== lane.holder || row.epoch !== lane.epoch) return false
    await tx.run(
      'update delivery_lanes set expires_at = date_add(utc_timestamp(3), interval ? microsecond) where conversation_id = ?',
      [ttlMs * 1000, lane.conversationId],
    )
    return true
  },

  /** Gives the lane back; the caller holds its lock. Holders are never reused, so the row may go. */
  async release(tx: Writer, lane: Lane): Promise<void> {
    await tx.run('delete from delivery_lanes where conversation_id = ? and holder = ?', [
      lane.conversationId,
      lane.holder,
    ])
  },
}
