/** The first answer to each Idempotency-Key, given again to whoever repeats the request. */
import { createHash } from 'node:crypto'
import { newId } from '../../infra/ids.ts'
import type { Writer } from '../database.ts'

/** Who repeats what. */
export interface IdempotentRequest {
  readonly accountId: string
  readonly userId: string
  readonly key: string
  /** Method, path and body: the same key with another request is refused. */
  readonly request: string | Buffer
}

export type Begun =
  /** `effectId` is the id for what the request makes: the same at every try under this key. */
  | { readonly state: 'new'; readonly effectId: string }
  | { readonly state: 'running' }
  | { readonly state: 'different' }
  | { readonly state: 'done'; readonly status: number; readonly response: string }

interface Row {
  request_hash: Buffer
  effect_id: string
  status: number | null
  response: string | null
  is_abandoned: number
}

const hash = (value: string | Buffer): Buffer => createHash('sha256').update(value).digest()
const where = 'account_id = ? and user_id = ? and key_hash = ?'

export const idempotency = {
  /** `new`: go on, then `finish`. A request that was begun and has not finished for seconds died with its node, and whatever it made has its `effectId`: it is `new` again. */
  async begin(tx: Writer, request: IdempotentRequest): Promise<Begun> {
    const identity = [request.accountId, request.userId, hash(request.key)]
    const requestHash = hash(request.request)
    const effectId = newId()
    const { affectedRows } = await tx.run(
      'insert ignore into idempotency_keys (account_id, user_id, key_hash, request_hash, effect_id, created_at) values (?, ?, ?, ?, ?, utc_timestamp(3))',
      [...identity, requestHash, effectId],
    )
    if (affectedRows === 1) return { state: 'new', effectId }
    const row = await tx.first<Row>(
      `select request_hash, effect_id, status, response, created_at < utc_timestamp(3) - interval 5 second as is_abandoned from idempotency_keys where ${where} for update`,
      identity,
    )
    if (row === undefined) return { state: 'running' }
    if (!row.request_hash.equals(requestHash)) return { state: 'different' }
    if (row.status !== null) return { state: 'done', status: row.status, response: row.response ?? '' }
    if (row.is_abandoned === 0) return { state: 'running' }
    await tx.run(`update idempotency_keys set created_at = utc_timestamp(3) where ${where}`, identity)
    return { state: 'new', effectId: row.effect_id }
  },

  /** Keeps the answer; in the transaction of the work itself where that is possible. */
  async finish(tx: Writer, request: IdempotentRequest, status: number, response: string): Promise<void> {
    await tx.run(`update idempotency_keys set status = ?, response = ? where ${where}`, [
      status,
      response,
      request.accountId,
      request.userId,
      hash(request.key),
    ])
  },

  /** The request failed in a way that a repetition may mend: the key is free again. */
  async forget(tx: Writer, request: IdempotentRequest): Promise<void> {
    await tx.run(`delete from idempotency_keys where ${where} and status is null`, [
      request.accountId,
      request.userId,
      hash(request.key),
    ])
  },

  /** Deletes old keys, at most `limit`; returns how many. */
  async removeBefore(tx: Writer, at: Date, limit: number): Promise<number> {
    return (await tx.run('delete from idempotency_keys where created_at < ? limit ?', [at, limit])).affectedRows
  },
}
