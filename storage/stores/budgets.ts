/** How much of the networks' allowances is used up: counted by all nodes together, corrected by what the networks say. */
import type { Reader, Writer } from '../database.ts'

/** Whose allowance: a channel's or an app's. */
export interface BudgetKey {
  readonly accountId: string
  readonly scopeId: string
  readonly name: string
}

export interface Budget extends BudgetKey {
  /** What it is for, such as `direct,private_reply`. */
  readonly uses: string
  /** Of what is not counted, 0 to 1, as the network said last. */
  readonly share: number
  readonly limitCount: number | null
  readonly usedCount: number
  readonly windowEndsAt: Date | null
  readonly heldUntil: Date | null
  readonly nextCallAt: Date | null
  readonly reason: string | null
  readonly notedAt: Date
}

/** A limit that is documented: the row begins with it. */
export interface Counted extends BudgetKey {
  readonly uses: string
  readonly limit: number
  readonly windowMs: number
}

/** What an answer of the network says. */
export interface Noted extends BudgetKey {
  readonly uses: string
  readonly share: number
  readonly limit: number | undefined
  readonly resetsAt: Date | undefined
  /** From this share on nobody calls, until it resets or for this long. */
  readonly holdFrom: number
  readonly holdMs: number
}

const columns = `account_id accountId, scope_id scopeId, name, uses, share, limit_count limitCount, used_count usedCount,
  window_ends_at windowEndsAt, held_until heldUntil, next_call_at nextCallAt, reason, noted_at notedAt`

export const budgets = {
  /** Everything known of a channel and its app. */
  async of(
    reader: Reader,
    accountId: string,
    [channelId, appId]: readonly [string, string],
    lock: '' | 'for update' = '',
  ): Promise<Budget[]> {
    return reader.query<Budget>(
      `select ${columns} from budgets where account_id = ? and scope_id in (?, ?) order by scope_id, name ${lock}`,
      [accountId, channelId, appId],
    )
  },

  /** One more call is counted; a window that has ended begins anew. */
  async count(tx: Writer, { accountId, scopeId, name, uses, limit, windowMs }: Counted): Promise<void> {
    await tx.run(
      `insert into budgets (account_id, scope_id, name, uses, limit_count, used_count, window_ends_at, noted_at)
       values (?, ?, ?, ?, ?, 1, date_add(utc_timestamp(3), interval ? microsecond), utc_timestamp(3))
       on duplicate key update used_count = if(window_ends_at is null or window_ends_at <= utc_timestamp(3), 1, used_count + 1),
         limit_count = coalesce(limit_count, values(limit_count)),
         window_ends_at = if(window_ends_at is null or window_ends_at <= utc_timestamp(3), values(window_ends_at), window_ends_at)`,
      [accountId, scopeId, name, uses, limit, windowMs * 1000],
    )
  },

  /** The place where calls are spread goes to the next. */
  async spread(tx: Writer, key: BudgetKey, nextCallAt: Date): Promise<void> {
    await tx.run('update budgets set next_call_at = ? where account_id = ? and scope_id = ? and name = ?', [
      nextCallAt,
      key.accountId,
      key.scopeId,
      key.name,
    ])
  },

  /**
   * Takes down what an answer said; a late answer lessens no count of the same window. Whether there is room again where the
   * allowance had been thought to be spent.
   */
  async note(tx: Writer, noted: Noted): Promise<boolean> {
    const { accountId, scopeId, name, uses, share, resetsAt } = noted
    const before = await tx.first<{ isSpent: number | null }>(
      `select held_until > utc_timestamp(3) or (used_count >= limit_count and window_ends_at > utc_timestamp(3)) isSpent
       from budgets where account_id = ? and scope_id = ? and name = ? for update`,
      [accountId, scopeId, name],
    )
    const limit = noted.limit ?? null
    const used = limit === null ? 0 : Math.round(share * limit)
    const isHeld = share >= noted.holdFrom
    await tx.run(
      `insert into budgets (account_id, scope_id, name, uses, share, limit_count, used_count, window_ends_at, held_until, noted_at)
       values (?, ?, ?, ?, ?, ?, ?, ?, if(?, coalesce(?, date_add(utc_timestamp(3), interval ? microsecond)), null), utc_timestamp(3))
       on duplicate key update uses = values(uses), share = values(share), limit_count = coalesce(values(limit_count), limit_count),
         used_count = if(window_ends_at is null or window_ends_at <= utc_timestamp(3), values(used_count), greatest(used_count, values(used_count))),
         window_ends_at = coalesce(values(window_ends_at), window_ends_at), held_until = values(held_until), noted_at = values(noted_at)`,
      [
        accountId,
        scopeId,
        name,
        uses,
        share,
        limit,
        used,
        limit === null ? null : (resetsAt ?? null),
        isHeld,
        resetsAt ?? null,
        noted.holdMs * 1000,
      ],
    )
    const after = await tx.first<{ isSpent: number | null }>(
      `select held_until > utc_timestamp(3) or (used_count >= limit_count and window_ends_at > utc_timestamp(3)) isSpent
       from budgets where account_id = ? and scope_id = ? and name = ?`,
      [accountId, scopeId, name],
    )
    return Number(before?.isSpent) === 1 && Number(after?.isSpent) !== 1
  },

  /** Nobody waits any longer for what an app and its channels are allowed. */
  async lift(tx: Writer, accountId: string, appId: string): Promise<void> {
    await tx.run(
      `update budgets set held_until = null, next_call_at = null, share = 0, used_count = 0, window_ends_at = null
       where account_id = ? and (scope_id = ? or scope_id in (select id from channels where account_id = ? and app_id = ?))`,
      [accountId, appId, accountId, appId],
    )
  },

  /** The network refused a call because the allowance is spent, and says until when: nobody calls for `forMs`. A longer hold stays. */
  async hold(tx: Writer, key: BudgetKey & { readonly uses: string }, forMs: number, reason: string): Promise<void> {
    await tx.run(
      `insert into budgets (account_id, scope_id, name, uses, held_until, reason, noted_at)
       values (?, ?, ?, ?, date_add(utc_timestamp(3), interval ? microsecond), ?, utc_timestamp(3))
       on duplicate key update held_until = greatest(coalesce(held_until, values(held_until)), values(held_until)), reason = values(reason), noted_at = values(noted_at)`,
      [key.accountId, key.scopeId, key.name, key.uses, Math.round(forMs * 1000), reason.slice(0, 500)],
    )
  },

  /** The network takes calls again: its next refusal holds them shortly. */
  async calm(tx: Writer, accountId: string, [channelId, appId]: readonly [string, string]): Promise<void> {
    await tx.run(
      "update budgets set used_count = 0 where account_id = ? and scope_id in (?, ?) and name like 'refused %'",
      [accountId, channelId, appId],
    )
  },

  /**
   * As `hold`, where the network names no time: `firstMs`, and twice as long each time that it refuses again soon after a hold has
   * ended, `mostMs` at most. How long it is from now.
   */
  async holdRising(
    tx: Writer,
    key: BudgetKey & { readonly uses: string },
    { firstMs, mostMs }: { readonly firstMs: number; readonly mostMs: number },
    reason: string,
  ): Promise<number> {
    const { accountId, scopeId, name } = key
    const before = await tx.first<{ times: number; leftUs: number | null; lengthUs: number | null }>(
      `select used_count times, timestampdiff(microsecond, utc_timestamp(3), held_until) leftUs, timestampdiff(microsecond, noted_at, held_until) lengthUs
       from budgets where account_id = ? and scope_id = ? and name = ? for update`,
      [accountId, scopeId, name],
    )
    const leftMs = (before?.leftUs ?? -Infinity) / 1000
    // Refused are also those who were under way when the first one was.
    if (leftMs > 0) return leftMs
    const isSoon = -leftMs < Math.max((before?.lengthUs ?? 0) / 1000, 10_000)
    const times = isSoon ? (before?.times ?? 0) : 0
    const forMs = Math.min(mostMs, firstMs * 2 ** times)
    await budgets.hold(tx, key, forMs, reason)
    await tx.run('update budgets set used_count = ? where account_id = ? and scope_id = ? and name = ?', [
      times + 1,
      accountId,
      scopeId,
      name,
    ])
    return forMs
  },
}
