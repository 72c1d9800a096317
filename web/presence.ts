/**
 * Who is there, looks at which conversation, and types: told by the browsers every few seconds, shared among the nodes by the
 * cache, and sent to the streams of the account that may see the conversation, at most once a second. It is never written down.
 */
import { every } from '../infra/lifecycle.ts'
import type { Running } from '../infra/lifecycle.ts'
import { messageOf, notFound } from '../infra/errors.ts'
import { isId, newId } from '../infra/ids.ts'
import type { Logger } from '../infra/logger.ts'
import { covers } from '../storage/index.ts'
import type { DraftNote, Place, PresenceView, Scope, Storage } from '../storage/index.ts'
import type { OutboundKind } from '../storage/model/words.ts'
import type { Live } from './live.ts'
import { openLimiter } from './limits.ts'
import type { HereJson } from './presenters/together.ts'
import type { Asker } from './route.ts'

export interface Presence extends Running {
  /** What one tab of the asker's browser shows now. @throws Problem 404, 429 */
  note(asker: Asker, view: View): Promise<void>
  /** The asker's draft has changed, or (version null) is gone: their other tabs are told. */
  noteDraft(asker: Asker, conversationId: string, version: number | null): void
  /** Who is there, as far as the asker may see. */
  here(asker: Asker): Promise<HereJson[]>
}

export interface View {
  readonly tab: string
  /** null: none in particular. */
  readonly conversationId: string | null
  readonly typing: OutboundKind | null
  readonly isAway: boolean
}

/** Without a word for so long, somebody is gone. */
export const presenceMs = 15_000
const tickMs = 1_000
const draftNoteMs = 5_000
const seenMs = 60_000
const placeMs = 10_000
const mostTabs = 10
const mostPlaces = 20_000
/** With more people than this in one account, changes are sent the less often. */
const crowd = 1_000
const slowestMs = 5_000
const accountsAtOnce = 500
const usersAtOnce = 500

/** What this node was told of one account. */
interface Told {
  readonly views: Map<string, PresenceView>
  drafts: DraftNote[]
}

/** What the streams of an account were sent. */
interface Sent {
  users: ReadonlyMap<string, Here>
  drafts: ReadonlySet<string>
  at: number
}

interface Here {
  readonly userId: string
  readonly isAway: boolean
  readonly views: readonly PresenceView[]
  readonly signature: string
}

export function openPresence(storage: Storage, live: Live, logger: Logger): Presence {
  const writer = newId()
  const told = new Map<string, Told>()
  const sent = new Map<string, Sent>()
  const places = new Map<string, { readonly place: Place; readonly until: number }>()
  const limiter = openLimiter({ burst: 30, perSecond: 2 })
  let others: readonly string[] = []
  let seenAt = Date.now()

  const of = (accountId: string): Told => {
    const found = told.get(accountId) ?? { views: new Map<string, PresenceView>(), drafts: [] }
    told.set(accountId, found)
    return found
  }

  /** Where the conversation is, if the asker may see it; asked again after some seconds, as it may move to another team. */
  const placeOf = async ({ accountId, scope }: Asker, id: string): Promise<Place> => {
    const key = `${accountId} ${id}`
    const known = places.get(key)
    const place =
      known !== undefined && known.until > Date.now()
        ? known.place
        : isId(id)
          ? await storage.conversations.get(storage.primary, accountId, id)
          : undefined
    if (place === undefined || !covers(scope, place)) throw notFound('conversation')
    if (place !== known?.place) {
      if (places.size >= mostPlaces) places.clear()
      const { channelId, teamId } = place
      places.set(key, { place: { channelId, teamId }, until: Date.now() + placeMs })
    }
    return place
  }

  const boardOf = (accountId: string, now: number) => {
    const mine = told.get(accountId)
    if (mine === undefined) return undefined
    for (const [key, { at }] of mine.views) if (now - at >= presenceMs) mine.views.delete(key)
    mine.drafts = mine.drafts.filter(({ at }) => now - at < draftNoteMs)
    return { views: [...mine.views.values()], drafts: mine.drafts }
  }

  const look = async (accountId: string): Promise<void> => {
    const now = Date.now()
    const mine = boardOf(accountId, now)
    if (mine !== undefined) {
      // The last word is that nobody is there any more; the other nodes would believe the one before for seconds.
      await storage.presence.tell(accountId, writer, mine)
      const left = told.get(accountId)
      if (left?.views.size === 0 && left.drafts.length === 0) told.delete(accountId)
    }
    if (!live.hasStreams(accountId)) {
      sent.delete(accountId)
      return
    }
    const before = sent.get(accountId)
    if (before !== undefined && now - before.at < Math.min(slowestMs, (before.users.size / crowd) * 1_000)) return
    const boards = [...(mine === undefined ? [] : [mine]), ...(await storage.presence.ask(accountId, others))]
    const users = merge(boards.flatMap(({ views }) => views))
    const notes = boards.flatMap(({ drafts }) => drafts)
    sent.set(accountId, { users, drafts: new Set(notes.map(({ id }) => id)), at: now })
    const changed = [...users.values()].filter(
      ({ userId, signature }) => before?.users.get(userId)?.signature !== signature,
    )
    const gone = [...(before?.users.keys() ?? [])].filter((id) => !users.has(id)).map(absent)
    if (changed.length + gone.length > 0)
      live.broadcast(accountId, 'conversations.read', (scope) =>
        frame('presence', { users: [...changed.map((each) => present(each, scope)), ...gone] }),
      )
    for (const { id, userId, conversationId, version } of notes)
      if (before?.drafts.has(id) !== true)
        live.tell(accountId, userId, frame('draft', { conversation_id: conversationId, version }))
  }

  const noteSeen = async (): Promise<void> => {
    if (Date.now() - seenAt < seenMs) return
    seenAt = Date.now()
    for (const accountId of live.accounts()) {
      const userIds = live.users(accountId)
      for (let from = 0; from < userIds.length; from += usersAtOnce)
        await storage.write((tx) => storage.users.touch(tx, accountId, userIds.slice(from, from + usersAtOnce)))
    }
  }

  const ticking = every(
    tickMs,
    async () => {
      others = await storage.presence.join(writer)
      const accounts = [...new Set([...told.keys(), ...live.accounts(), ...sent.keys()])]
      for (let from = 0; from < accounts.length; from += accountsAtOnce)
        await Promise.all(accounts.slice(from, from + accountsAtOnce).map(look))
      await noteSeen()
    },
    (error) => {
      logger.warn({ reason: messageOf(error) }, 'who is there could not be told')
    },
  )

  return {
    async note(asker, { tab, conversationId, typing, isAway }) {
      limiter.take(asker.userId)
      const { channelId = null, teamId = null } = conversationId === null ? {} : await placeOf(asker, conversationId)
      const { userId } = asker
      const { views } = of(asker.accountId)
      const own = [...views].filter(([, view]) => view.userId === userId && view.tab !== tab)
      for (const [key] of own.slice(0, Math.max(0, own.length + 1 - mostTabs))) views.delete(key)
      const key = `${userId} ${tab}`
      // The newest last, so that the oldest tab gives way.
      views.delete(key)
      views.set(key, { userId, tab, conversationId, typing, isAway, channelId, teamId, at: Date.now() })
    },
    noteDraft({ accountId, userId }, conversationId, version) {
      const { drafts } = of(accountId)
      drafts.push({ id: newId(), userId, conversationId, version, at: Date.now() })
    },
    async here({ accountId, scope }) {
      const mine = boardOf(accountId, Date.now())
      const boards = [...(mine === undefined ? [] : [mine]), ...(await storage.presence.ask(accountId, others))]
      return [...merge(boards.flatMap(({ views }) => views)).values()].map((each) => present(each, scope))
    },
    stop: () => ticking.stop(),
  }
}

/** What each has open, by user; of what two nodes say of one tab, the newer. */
function merge(views: readonly PresenceView[]): Map<string, Here> {
  const newest = new Map<string, PresenceView>()
  for (const view of views) {
    const key = `${view.userId} ${view.tab}`
    if ((newest.get(key)?.at ?? 0) <= view.at) newest.set(key, view)
  }
  const byUser = Map.groupBy(newest.values(), ({ userId }) => userId)
  return new Map(
    [...byUser].map(([userId, of]) => {
      const open = of.filter(({ conversationId }) => conversationId !== null)
      const isAway = of.every((view) => view.isAway)
      const signature = [isAway, ...open.map((view) => `${view.conversationId ?? ''} ${view.typing ?? ''}`).sort()]
      return [userId, { userId, isAway, views: open, signature: signature.join() }]
    }),
  )
}

function present({ userId, isAway, views }: Here, scope: Scope): HereJson {
  const viewing = new Map<string, OutboundKind | null>()
  for (const { conversationId, channelId, teamId, typing } of views)
    if (conversationId !== null && channelId !== null && covers(scope, { channelId, teamId }))
      viewing.set(conversationId, typing ?? viewing.get(conversationId) ?? null)
  return {
    user_id: userId,
    is_here: true,
    is_away: isAway,
    viewing: [...viewing].map(([conversation_id, typing]) => ({ conversation_id, typing })),
  }
}

const absent = (userId: string): HereJson => ({ user_id: userId, is_here: false, is_away: false, viewing: [] })

/** Without an id: it is no fact, and nobody resumes behind it. */
const frame = (type: string, data: unknown): string => `event: ${type}\ndata: ${JSON.stringify(data)}\n\n`
