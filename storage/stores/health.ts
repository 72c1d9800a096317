/** How channels are: what is wrong with each and where it was noticed, when it was looked at, what is left of its quotas. */
import { z } from 'zod'
import type { Reader, Writer } from '../database.ts'
import { channelStates } from '../model/words.ts'
import type { ChannelState } from '../model/words.ts'
import { channelColumns } from './channels.ts'
import type { Channel, Quota, SubscriptionState } from './channels.ts'

/** Who notices that something is wrong; each can only take back what it said itself. */
export const troubleSources = [
  'token',
  'expiry',
  'subscription',
  'notice',
  'silence',
  'catch_up',
  'disconnected',
] as const
export type TroubleSource = (typeof troubleSources)[number]

/** `reason`: one sentence for a person. `cure`: the one step that mends it; null: it mends itself, or the reason says it. */
export interface Trouble {
  readonly state: Exclude<ChannelState, 'connected'>
  readonly code: string
  readonly reason: string
  readonly cure: string | null
}

/** The worst of all troubles, as it is shown. */
export interface Standing {
  readonly state: ChannelState
  readonly code: string | null
  readonly reason: string | null
  readonly cure: string | null
}

const kept = z.partialRecord(
  z.enum(troubleSources),
  z.object({
    state: z.enum(['degraded', 'reconnect_needed']),
    code: z.string(),
    reason: z.string(),
    cure: z.string().nullable(),
    at: z.iso.datetime(),
  }),
)

const sound: Standing = { state: 'connected', code: null, reason: null, cure: null }

export const health = {
  /**
   * Puts what one source says of a channel; `undefined` takes it back. Locks the channel.
   * @returns how the channel stands now, only if that is news
   */
  async setTrouble(
    tx: Writer,
    accountId: string,
    id: string,
    source: TroubleSource,
    trouble: Trouble | undefined,
  ): Promise<Standing | undefined> {
    const row = await tx.first<{ state: ChannelState; code: string | null; reason: string | null; troubles: unknown }>(
      'select state, state_code code, state_reason reason, troubles from channels where account_id = ? and id = ? for update',
      [accountId, id],
    )
    if (row === undefined) return undefined
    const { [source]: before, ...others } = readTroubles(row.troubles)
    const own = trouble && {
      ...trouble,
      code: trouble.code.slice(0, 100),
      reason: trouble.reason.slice(0, 500),
      cure: trouble.cure?.slice(0, 500) ?? null,
    }
    const isSame = own !== undefined && before?.state === own.state && before.code === own.code
    const at = isSame ? before.at : new Date().toISOString()
    const all = own === undefined ? others : { ...others, [source]: { ...own, at } }
    const now = worstOf(Object.values(all))
    const isNews = now.state !== row.state || now.code !== row.code || now.reason !== row.reason
    if (!isNews && (isSame ? before.reason === own.reason : own === before)) return undefined
    await tx.run(
      `update channels set state = ?, state_code = ?, state_reason = ?, state_cure = ?, troubles = ?, updated_at = utc_timestamp(3)
       where account_id = ? and id = ?`,
      [now.state, now.code, now.reason, now.cure, JSON.stringify(all), accountId, id],
    )
    return isNews ? now : undefined
  },

  /** Whatever was wrong is over, as after a reconnection; to be looked at at once. */
  async clearTroubles(tx: Writer, accountId: string, id: string): Promise<void> {
    await tx.run(
      `update channels set state = 'connected', state_code = null, state_reason = null, state_cure = null, troubles = null, check_due_at = null,
         updated_at = utc_timestamp(3) where account_id = ? and id = ?`,
      [accountId, id],
    )
  },

  /** What every source says, with when it began. */
  async troubles(reader: Reader, accountId: string, id: string): Promise<z.infer<typeof kept>> {
    const row = await reader.first<{ troubles: unknown }>(
      'select troubles from channels where account_id = ? and id = ?',
      [accountId, id],
    )
    return readTroubles(row?.troubles)
  },

  /** Connected channels whose time to be looked at has come, the longest waiting first. */
  findDue(reader: Reader, limit: number): Promise<Channel[]> {
    return reader.query<Channel>(
      `select ${channelColumns} from channels where disconnected_at is null and (check_due_at is null or check_due_at <= utc_timestamp(3))
       order by check_due_at limit ?`,
      [limit],
    )
  },

  /** Channels of all accounts that are not disconnected. */
  listConnected(reader: Reader, limit: number): Promise<Channel[]> {
    return reader.query<Channel>(
      `select ${channelColumns} from channels where disconnected_at is null order by id limit ?`,
      [limit],
    )
  },

  /** It is being looked at; should that break off, it is due again after `retryInMs`. */
  async beginCheck(tx: Writer, accountId: string, id: string, retryInMs: number): Promise<void> {
    await tx.run(
      'update channels set check_due_at = utc_timestamp(3) + interval ? microsecond where account_id = ? and id = ?',
      [retryInMs * 1000, accountId, id],
    )
  },

  /** To be looked at again at once. */
  async hurry(tx: Writer, accountId: string, id: string): Promise<void> {
    await tx.run('update channels set check_due_at = null where account_id = ? and id = ?', [accountId, id])
  },

  /** What was seen; left out: as it was. Whoever wanted another look meanwhile gets it. */
  async noteCheck(
    tx: Writer,
    accountId: string,
    id: string,
    seen: {
      readonly nextInMs: number
      /** Whether the network could be asked: only then it counts as looked at. */
      readonly isAnswered: boolean
      readonly tokenExpiresAt?: Date | undefined
      readonly subscription?: { readonly state: SubscriptionState; readonly missing: readonly string[] } | undefined
    },
  ): Promise<void> {
    await tx.run(
      `update channels set checked_at = if(?, utc_timestamp(3), checked_at), check_due_at = if(check_due_at is null, null, utc_timestamp(3) + interval ? microsecond),
         token_expires_at = coalesce(?, token_expires_at), subscription_state = coalesce(?, subscription_state),
         subscription_missing = coalesce(?, subscription_missing) where account_id = ? and id = ?`,
      [
        seen.isAnswered,
        Math.round(seen.nextInMs * 1000),
        seen.tokenExpiresAt ?? null,
        seen.subscription?.state ?? null,
        seen.subscription === undefined ? null : JSON.stringify(seen.subscription.missing),
        accountId,
        id,
      ],
    )
  },

  async noteQuotas(tx: Writer, accountId: string, id: string, quotas: readonly Quota[]): Promise<void> {
    await tx.run('update channels set quotas = ? where account_id = ? and id = ?', [
      JSON.stringify(quotas),
      accountId,
      id,
    ])
  },

  /** Nothing before `to` is missing; never goes back. */
  async advance(tx: Writer, accountId: string, id: string, to: Date): Promise<void> {
    await tx.run(
      'update channels set caught_up_to = greatest(coalesce(caught_up_to, ?), ?) where account_id = ? and id = ?',
      [to, to, accountId, id],
    )
  },

  /** How many channels are in each state; disconnected ones do not count. */
  async countByState(reader: Reader): Promise<ReadonlyMap<ChannelState, number>> {
    const rows = await reader.query<{ state: ChannelState; n: number }>(
      'select state, count(*) n from channels where disconnected_at is null group by state',
    )
    const counts = new Map(rows.map(({ state, n }) => [state, n]))
    return new Map(channelStates.map((state) => [state, counts.get(state) ?? 0]))
  },
}

function readTroubles(json: unknown): z.infer<typeof kept> {
  const parsed = kept.safeParse(typeof json === 'string' ? JSON.parse(json) : json)
  return parsed.success ? parsed.data : {}
}

/** What stops the channel before what hinders it; of the same weight what was noticed first. */
function worstOf(troubles: readonly (Trouble & { readonly at: string })[]): Standing {
  const weight = (one: Trouble): number => (one.state === 'reconnect_needed' ? 1 : 0)
  const [worst] = [...troubles].sort((a, b) => weight(b) - weight(a) || (a.at < b.at ? -1 : 1))
  return worst === undefined ? sound : { state: worst.state, code: worst.code, reason: worst.reason, cure: worst.cure }
}
