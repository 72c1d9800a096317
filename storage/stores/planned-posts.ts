/** Posts that are composed here: what they say, where they stand, who did what with them, and what an account asks of approvals. */
import { newId } from '../../infra/ids.ts'
import type { Reader, SqlValue, Writer } from '../database.ts'
import type { ApprovalSettings, LatePolicy, PlannedState } from '../model/posts.ts'
import { inList } from './in-list.ts'
import { everything, within } from './scope.ts'
import type { Condition, Scope } from './scope.ts'

export interface PlannedPost {
  readonly id: string
  readonly accountId: string
  readonly state: PlannedState
  readonly text: string
  readonly link: string | null
  readonly publishAt: Date | null
  readonly latePolicy: LatePolicy
  readonly reasonCode: string | null
  readonly reason: string | null
  /** Rises with every change that a person makes. */
  readonly version: number
  readonly createdBy: string | null
  /** Who changed it last. */
  readonly editedBy: string | null
  readonly approvedBy: string | null
  readonly approvedAt: Date | null
  readonly createdAt: Date
  readonly updatedAt: Date
}

/** A post on its way in, with the state that it begins in. */
export type NewPlannedPost = Pick<
  PlannedPost,
  'id' | 'accountId' | 'state' | 'text' | 'link' | 'publishAt' | 'latePolicy' | 'createdBy'
>

/** What can be changed; what is not given stays. */
export type PlannedPostChange = Partial<
  Pick<
    PlannedPost,
    | 'state'
    | 'text'
    | 'link'
    | 'publishAt'
    | 'latePolicy'
    | 'reasonCode'
    | 'reason'
    | 'editedBy'
    | 'approvedBy'
    | 'approvedAt'
  >
>

export interface PlannedPostFilter {
  readonly scope: Scope
  readonly state?: PlannedState | undefined
  readonly channelId?: string | undefined
  /** With either of these: by their time, the earliest first. Else the newest first. */
  readonly from?: Date | undefined
  readonly to?: Date | undefined
  /** The last one of the page before. */
  readonly beyond?: { readonly at: Date; readonly id: string } | undefined
  readonly limit: number
}

/** One line of a post's history. */
export interface PostStepTaken {
  readonly id: string
  readonly step: string
  readonly userId: string | null
  readonly fromState: PlannedState | null
  readonly toState: PlannedState
  readonly detail: string | null
  readonly at: Date
}

/** A file of a post, or of one publication of its own. */
export interface PostFile {
  readonly ownerId: string
  readonly documentId: string
  readonly altText: string | null
}

const columns = `p.id, p.account_id accountId, p.state, p.text, p.link, p.publish_at publishAt, p.late_policy latePolicy, p.reason_code reasonCode, p.reason,
  p.version, p.created_by createdBy, p.edited_by editedBy, p.approved_by approvedBy, p.approved_at approvedAt, p.created_at createdAt, p.updated_at updatedAt`

const columnOf: Readonly<Record<keyof PlannedPostChange, string>> = {
  state: 'state',
  text: 'text',
  link: 'link',
  publishAt: 'publish_at',
  latePolicy: 'late_policy',
  reasonCode: 'reason_code',
  reason: 'reason',
  editedBy: 'edited_by',
  approvedBy: 'approved_by',
  approvedAt: 'approved_at',
}

/** Posts on at least one channel of the scope, and those on none at all yet. */
function withinPost(scope: Scope): Condition {
  if (scope.channelIds === null) return { sql: '', values: [] }
  const of = within({ ...scope, teamIds: null }, { channel: 'u.channel_id' })
  const place = 'select 1 from publications u where u.account_id = p.account_id and u.planned_post_id = p.id'
  return { sql: ` and (exists (${place}${of.sql}) or not exists (${place}))`, values: of.values }
}

export const plannedPosts = {
  async insert(tx: Writer, post: NewPlannedPost): Promise<void> {
    await tx.run(
      `insert into planned_posts (id, account_id, state, text, link, publish_at, late_policy, created_by, edited_by, created_at, updated_at)
       values (?, ?, ?, ?, ?, ?, ?, ?, ?, utc_timestamp(3), utc_timestamp(3))`,
      [post.id, post.accountId, post.state, post.text, post.link, post.publishAt, post.latePolicy, post.createdBy, post.createdBy],
    ) // prettier-ignore
  },

  /** @param scope posts on none of its channels are not there */
  async get(reader: Reader, accountId: string, id: string, scope = everything): Promise<PlannedPost | undefined> {
    const visible = withinPost(scope)
    return reader.first<PlannedPost>(
      `select ${columns} from planned_posts p where p.account_id = ? and p.id = ?${visible.sql}`,
      [accountId, id, ...visible.values],
    )
  },

  /** Held until the transaction ends; whoever changes a post or its publications holds it first. `now` by the database's clock. */
  async lock(tx: Writer, accountId: string, id: string): Promise<(PlannedPost & { readonly now: Date }) | undefined> {
    return tx.first<PlannedPost & { now: Date }>(
      `select ${columns}, utc_timestamp(3) now from planned_posts p where p.account_id = ? and p.id = ? for update`,
      [accountId, id],
    )
  },

  async list(reader: Reader, accountId: string, filter: PlannedPostFilter): Promise<PlannedPost[]> {
    const visible = withinPost(filter.scope)
    const where = [`p.account_id = ?${visible.sql}`]
    const values: SqlValue[] = [accountId, ...visible.values]
    const narrow = (sql: string, ...more: readonly SqlValue[]): void => {
      where.push(sql)
      values.push(...more)
    }
    const isByTime = filter.from !== undefined || filter.to !== undefined
    if (filter.state !== undefined) narrow('p.state = ?', filter.state)
    if (filter.from !== undefined) narrow('p.publish_at >= ?', filter.from)
    if (filter.to !== undefined) narrow('p.publish_at < ?', filter.to)
    if (filter.channelId !== undefined)
      narrow(
        'exists (select 1 from publications u where u.account_id = p.account_id and u.channel_id = ? and u.planned_post_id = p.id)',
        filter.channelId,
      )
    if (filter.beyond !== undefined && isByTime)
      narrow('(p.publish_at, p.id) > (?, ?)', filter.beyond.at, filter.beyond.id)
    else if (filter.beyond !== undefined) narrow('p.id < ?', filter.beyond.id)
    return reader.query<PlannedPost>(
      `select ${columns} from planned_posts p where ${where.join(' and ')}
       order by ${isByTime ? 'p.publish_at, p.id' : 'p.id desc'} limit ${String(Math.trunc(filter.limit))}`,
      values,
    )
  },

  /** @param isByPerson raises the version */
  async change(
    tx: Writer,
    post: Pick<PlannedPost, 'accountId' | 'id'>,
    change: PlannedPostChange,
    isByPerson: boolean,
  ): Promise<void> {
    const sets: string[] = ['updated_at = utc_timestamp(3)']
    const values: SqlValue[] = []
    for (const [name, value] of Object.entries(change)) {
      if (!Object.hasOwn(columnOf, name)) continue
      sets.push(`${columnOf[name as keyof PlannedPostChange]} = ?`)
      values.push(value)
    }
    if (isByPerson) sets.push('version = version + 1')
    await tx.run(`update planned_posts set ${sets.join(', ')} where account_id = ? and id = ?`, [
      ...values,
      post.accountId,
      post.id,
    ])
  },

  /** All that belongs to it goes as well, save its history. */
  async remove(tx: Writer, accountId: string, id: string): Promise<void> {
    await tx.run('delete from post_files where account_id = ? and planned_post_id = ?', [accountId, id])
    await tx.run('delete from publications where account_id = ? and planned_post_id = ?', [accountId, id])
    await tx.run('delete from planned_posts where account_id = ? and id = ?', [accountId, id])
  },

  /** Posts whose time has come, the earliest first. */
  async findDue(reader: Reader, limit: number): Promise<Pick<PlannedPost, 'id' | 'accountId'>[]> {
    return reader.query<Pick<PlannedPost, 'id' | 'accountId'>>(
      `select id, account_id accountId from planned_posts where state = 'scheduled' and publish_at <= utc_timestamp(3) order by publish_at limit ${String(Math.trunc(limit))}`,
    )
  },

  async noteStep(
    tx: Writer,
    post: Pick<PlannedPost, 'accountId' | 'id'>,
    step: Pick<PostStepTaken, 'step' | 'userId' | 'fromState' | 'toState'> & { readonly detail?: string | null },
  ): Promise<void> {
    await tx.run(
      'insert into post_history (id, account_id, planned_post_id, step, user_id, from_state, to_state, detail, at) values (?, ?, ?, ?, ?, ?, ?, ?, utc_timestamp(3))',
      [newId(), post.accountId, post.id, step.step, step.userId, step.fromState, step.toState, step.detail?.slice(0, 500) ?? null],
    ) // prettier-ignore
  },

  /** The oldest first. */
  async historyOf(reader: Reader, accountId: string, id: string): Promise<PostStepTaken[]> {
    return reader.query<PostStepTaken>(
      `select id, step, user_id userId, from_state fromState, to_state toState, detail, at from post_history
       where account_id = ? and planned_post_id = ? order by id limit 1000`,
      [accountId, id],
    )
  },

  /** Everybody whose words may be in it: who made it, and who edited it. */
  async writersOf(reader: Reader, accountId: string, id: string): Promise<string[]> {
    const rows = await reader.query<{ userId: string }>(
      `select distinct user_id userId from post_history where account_id = ? and planned_post_id = ? and step in ('create', 'edit') and user_id is not null`,
      [accountId, id],
    )
    return rows.map(({ userId }) => userId)
  },

  /** The files of a post (`ownerId` is its id) or of one of its publications, in place of those before. */
  async setFiles(
    tx: Writer,
    post: Pick<PlannedPost, 'accountId' | 'id'>,
    ownerId: string,
    files: readonly Omit<PostFile, 'ownerId'>[],
  ): Promise<void> {
    await tx.run('delete from post_files where account_id = ? and owner_id = ?', [post.accountId, ownerId])
    await tx.insertMany(
      'post_files',
      ['account_id', 'owner_id', 'position', 'planned_post_id', 'document_id', 'alt_text'],
      files.map(({ documentId, altText }, index) => [post.accountId, ownerId, index, post.id, documentId, altText]),
    )
  },

  /** Files of these posts and of their publications, in their order. */
  async filesOf(reader: Reader, accountId: string, ids: readonly string[]): Promise<PostFile[]> {
    if (ids.length === 0) return []
    const list = inList(ids)
    return reader.query<PostFile>(
      `select owner_id ownerId, document_id documentId, alt_text altText from post_files where account_id = ? and planned_post_id in ${list.sql} order by owner_id, position`,
      [accountId, ...list.values],
    )
  },

  async settings(reader: Reader, accountId: string): Promise<ApprovalSettings> {
    const row = await reader.first<{ approval: ApprovalSettings['approval']; fourEyes: number }>(
      'select approval, four_eyes fourEyes from post_settings where account_id = ?',
      [accountId],
    )
    return row === undefined ? { approval: 'by_role', fourEyes: false } : { ...row, fourEyes: row.fourEyes !== 0 }
  },

  async setSettings(tx: Writer, accountId: string, { approval, fourEyes }: ApprovalSettings): Promise<void> {
    await tx.run(
      'insert into post_settings (account_id, approval, four_eyes) values (?, ?, ?) on duplicate key update approval = values(approval), four_eyes = values(four_eyes)',
      [accountId, approval, fourEyes],
    )
  },
}
