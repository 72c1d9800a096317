/** Rules of an account, where they pause, and each of their runs. */
import { codeOf } from '../../infra/errors.ts'
import { newId } from '../../infra/ids.ts'
import type { Reader, SqlValue, Writer } from '../database.ts'
import type { Conditions, RuleOutcome, RuleTrigger, RuleTriggerType } from '../model/rules.ts'
import { inList } from './in-list.ts'

export interface Rule {
  readonly id: string
  readonly accountId: string
  readonly name: string
  readonly position: number
  readonly isActive: boolean
  /** Nothing older is looked at. */
  readonly activeSince: Date | null
  readonly trigger: RuleTrigger
  readonly conditions: Conditions
  /** As `actShape` has them. */
  readonly acts: readonly Readonly<Record<string, unknown>>[]
  /** No later rule runs for the same event. */
  readonly stopsAfter: boolean
  /** Not again for the same conversation within that time. */
  readonly pauseMinutes: number | null
}

/** What started a run: a numbered fact, or a time (`since`: when the waiting began). */
export type RunCause = { readonly eventNumber: number } | { readonly since: Date }

export interface RuleRun {
  readonly id: string
  readonly accountId: string
  readonly ruleId: string
  readonly conversationId: string
  readonly eventNumber: number | null
  readonly since: Date | null
  readonly outcome: RuleOutcome
  /** What was done, or why it was not: sentences are made of it where it is shown. */
  readonly did: Readonly<Record<string, unknown>> | null
  readonly at: Date
}

/** So many an account can have. */
export const mostRules = 200

const columns = `id, account_id accountId, name, position, is_active isActive, active_since activeSince, trigger_data \`trigger\`, conditions, acts,
  stops_after stopsAfter, pause_minutes pauseMinutes`
const runColumns =
  'id, account_id accountId, rule_id ruleId, conversation_id conversationId, event_number eventNumber, since, outcome, did, at'

type Row = Omit<Rule, 'isActive' | 'stopsAfter'> & { readonly isActive: number; readonly stopsAfter: number }

/** The driver tells booleans as numbers. */
const present = (row: Row): Rule => ({ ...row, isActive: row.isActive !== 0, stopsAfter: row.stopsAfter !== 0 })

export const rules = {
  async list(reader: Reader, accountId: string): Promise<Rule[]> {
    const rows = await reader.query<Row>(
      `select ${columns} from rules where account_id = ? order by position, id limit ${String(mostRules)}`,
      [accountId],
    )
    return rows.map(present)
  },

  /** Those that these accounts let run, in their order. */
  async active(reader: Reader, accountIds: readonly string[]): Promise<Rule[]> {
    const list = inList(accountIds)
    const rows = await reader.query<Row>(
      `select ${columns} from rules where account_id in ${list.sql} and is_active = 1 order by position, id`,
      list.values,
    )
    return rows.map(present)
  },

  /** All active ones that a time starts, of every account. */
  async timed(reader: Reader, types: readonly RuleTriggerType[]): Promise<Rule[]> {
    const list = inList(types)
    const rows = await reader.query<Row>(
      `select ${columns} from rules where is_active = 1 and trigger_type in ${list.sql} order by account_id, position, id`,
      list.values,
    )
    return rows.map(present)
  },

  async get(reader: Reader, accountId: string, id: string): Promise<Rule | undefined> {
    const row = await reader.first<Row>(`select ${columns} from rules where account_id = ? and id = ?`, [accountId, id])
    return row && present(row)
  },

  async lock(tx: Writer, accountId: string, id: string): Promise<Rule | undefined> {
    const row = await tx.first<Row>(`select ${columns} from rules where account_id = ? and id = ? for update`, [
      accountId,
      id,
    ])
    return row && present(row)
  },

  async put(tx: Writer, rule: Rule): Promise<void> {
    await tx.run(
      `insert into rules (id, account_id, name, position, is_active, active_since, trigger_type, trigger_data, conditions, acts, stops_after, pause_minutes,
         created_at, updated_at) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, utc_timestamp(3), utc_timestamp(3))
       on duplicate key update name = values(name), position = values(position), is_active = values(is_active), active_since = values(active_since),
         trigger_type = values(trigger_type), trigger_data = values(trigger_data), conditions = values(conditions), acts = values(acts),
         stops_after = values(stops_after), pause_minutes = values(pause_minutes), updated_at = utc_timestamp(3)`,
      [
        ...[rule.id, rule.accountId, rule.name, rule.position, rule.isActive, rule.activeSince, rule.trigger.type],
        ...[JSON.stringify(rule.trigger), JSON.stringify(rule.conditions), JSON.stringify(rule.acts)],
        ...[rule.stopsAfter, rule.pauseMinutes],
      ],
    )
  },

  /** The order in which they run. */
  async arrange(tx: Writer, accountId: string, ids: readonly string[]): Promise<void> {
    for (const [position, id] of ids.entries())
      await tx.run('update rules set position = ? where account_id = ? and id = ?', [position, accountId, id])
  },

  /** With its pauses; its runs stay to be read. */
  async remove(tx: Writer, accountId: string, id: string): Promise<void> {
    await rules.resume(tx, accountId, id)
    await tx.run('delete from rules where account_id = ? and id = ?', [accountId, id])
  },

  /** Begins a run; undefined when there was one for this event or period already. */
  async begin(
    tx: Writer,
    rule: Pick<Rule, 'id' | 'accountId'>,
    conversationId: string,
    cause: RunCause,
    outcome: RuleOutcome,
  ): Promise<string | undefined> {
    const id = newId()
    const [number, since] = 'since' in cause ? [null, cause.since] : [cause.eventNumber, null]
    const { affectedRows } = await tx.run(
      `insert ignore into rule_runs (id, account_id, rule_id, conversation_id, event_number, since, outcome, did, at)
       values (?, ?, ?, ?, ?, ?, ?, null, utc_timestamp(3))`,
      [id, rule.accountId, rule.id, conversationId, number, since, outcome],
    )
    return affectedRows === 1 ? id : undefined
  },

  async end(
    tx: Writer,
    accountId: string,
    runId: string,
    outcome: RuleOutcome,
    did: Readonly<Record<string, unknown>>,
  ): Promise<void> {
    await tx.run('update rule_runs set outcome = ?, did = ? where account_id = ? and id = ?', [
      ...[outcome, JSON.stringify(did), accountId, runId],
    ])
  },

  /** Runs that did something for this conversation since then: how many, and when the last was. */
  async recent(
    reader: Reader,
    rule: Pick<Rule, 'id' | 'accountId'>,
    conversationId: string,
    since: Date,
  ): Promise<{ readonly count: number; readonly lastAt: Date | null }> {
    const row = await reader.first<{ n: number; lastAt: Date | null }>(
      `select count(*) n, max(at) lastAt from rule_runs
       where account_id = ? and conversation_id = ? and outcome in ('done', 'failed') and rule_id = ? and at >= ?`,
      [rule.accountId, conversationId, rule.id, since],
    )
    return { count: row?.n ?? 0, lastAt: row?.lastAt ?? null }
  },

  /** The newest first; those that came to nothing by their conditions are left out. */
  async runs(
    reader: Reader,
    accountId: string,
    of: { readonly ruleId: string } | { readonly conversationId: string },
    page: { readonly before?: string | undefined; readonly limit: number },
  ): Promise<RuleRun[]> {
    const [column, id] = 'ruleId' in of ? ['rule_id', of.ruleId] : ['conversation_id', of.conversationId]
    const values: SqlValue[] = [accountId, id]
    if (page.before !== undefined) values.push(page.before)
    return reader.query<RuleRun>(
      `select ${runColumns} from rule_runs where account_id = ? and ${column} = ? and outcome in ('done', 'failed', 'resting', 'loop', 'paused')
       ${page.before === undefined ? '' : 'and id < ?'} order by id desc limit ${String(Math.trunc(page.limit))}`,
      values,
    )
  },

  async isPaused(reader: Reader, rule: Pick<Rule, 'id' | 'accountId'>, conversationId: string): Promise<boolean> {
    const row = await reader.first<{ n: number }>(
      'select 1 n from rule_pauses where account_id = ? and rule_id = ? and conversation_id = ?',
      [rule.accountId, rule.id, conversationId],
    )
    return row !== undefined
  },

  async pause(tx: Writer, rule: Pick<Rule, 'id' | 'accountId'>, conversationId: string): Promise<void> {
    await tx.run(
      'insert into rule_pauses (account_id, rule_id, conversation_id, at) values (?, ?, ?, utc_timestamp(3)) on duplicate key update at = at',
      [rule.accountId, rule.id, conversationId],
    )
  },

  /** It runs again wherever it was paused. */
  async resume(tx: Writer, accountId: string, ruleId: string): Promise<void> {
    await tx.run('delete from rule_pauses where account_id = ? and rule_id = ?', [accountId, ruleId])
  },

  /** For how many conversations each is paused. */
  async pauses(reader: Reader, accountId: string): Promise<Map<string, number>> {
    const rows = await reader.query<{ ruleId: string; n: number }>(
      'select rule_id ruleId, count(*) n from rule_pauses where account_id = ? group by rule_id',
      [accountId],
    )
    return new Map(rows.map(({ ruleId, n }) => [ruleId, n]))
  },

  /**
   * Conversations for which the time of this rule has come between these instants, and has not been seen to; the longest due first.
   * @param column when the waiting began
   */
  async due(
    reader: Reader,
    rule: Pick<Rule, 'id' | 'accountId'>,
    of: 'unanswered' | 'idle' | 'snoozed',
    between: { readonly from: Date; readonly until: Date },
    limit: number,
  ): Promise<{ readonly id: string; readonly since: Date }[]> {
    const column = of === 'unanswered' ? 'waiting_since' : 'last_activity_at'
    const statuses = { unanswered: "('open', 'pending')", idle: "('open', 'pending')", snoozed: "('snoozed')" }[of]
    return reader.query<{ id: string; since: Date }>(
      `select c.id, c.${column} since from conversations c where c.account_id = ? and c.status in ${statuses} and c.${column} between ? and ?
         and not exists (select 1 from rule_runs r where r.rule_id = ? and r.conversation_id = c.id and r.since = c.${column})
       order by c.${column} limit ${String(Math.trunc(limit))}`,
      [rule.accountId, between.from, between.until, rule.id],
    )
  },

  /** The newest message of the contact in each of these conversations: its id by that of the conversation. */
  async newestInbound(reader: Reader, accountId: string, ids: readonly string[]): Promise<Map<string, string>> {
    if (ids.length === 0) return new Map()
    const list = inList(ids)
    const rows = await reader.query<{ id: string; messageId: string | null }>(
      `select c.id, (select m.id from messages m where m.account_id = c.account_id and m.conversation_id = c.id and m.direction = 'inbound'
         and m.deleted_at is null order by m.occurred_at desc, m.id desc limit 1) messageId
       from conversations c where c.account_id = ? and c.id in ${list.sql}`,
      [accountId, ...list.values],
    )
    return new Map(rows.flatMap(({ id, messageId }) => (messageId === null ? [] : [[id, messageId] as const])))
  },

  /** Marks what a rule has said: `after_rules` led to it. */
  async sign(tx: Writer, accountId: string, messageId: string, mark: Readonly<Record<string, unknown>>): Promise<void> {
    await tx.run(
      "update messages set extra = json_merge_patch(coalesce(extra, '{}'), ?) where account_id = ? and id = ?",
      [JSON.stringify(mark), accountId, messageId],
    )
  },

  /**
   * All that `work` writes, or nothing of it, within a transaction that goes on after a failure.
   * @throws what `work` throws; also where the database has given up the whole transaction
   */
  async whole<T>(tx: Writer, work: () => Promise<T>): Promise<T> {
    await tx.run('savepoint one_rule')
    try {
      const result = await work()
      await tx.run('release savepoint one_rule')
      return result
    } catch (error) {
      // After a deadlock there is no savepoint any more: the whole transaction is to be tried again.
      if (codeOf(error) !== 'ER_LOCK_DEADLOCK') await tx.run('rollback to savepoint one_rule')
      throw error
    }
  },

  /** Forgets old runs; how many. */
  async removeBefore(tx: Writer, at: Date, limit: number): Promise<number> {
    const { affectedRows } = await tx.run('delete from rule_runs where at < ? order by at limit ?', [at, limit])
    return affectedRows
  },
}
