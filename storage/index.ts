/** The one door to what is remembered. */
import type { Config } from '../infra/config.ts'
import type { Logger } from '../infra/logger.ts'
import { openCache } from './cache.ts'
import type { Cache } from './cache.ts'
import { openDatabases } from './database.ts'
import type { Database, Databases, Position } from './database.ts'
import { openDocuments } from './documents.ts'
import type { DocumentFiles } from './documents.ts'
import { openPositions } from './positions.ts'
import type { Positions } from './positions.ts'
import { openPresenceBoards } from './presence.ts'
import type { PresenceBoards } from './presence.ts'
import { openReaders } from './readers.ts'
import type { Readers } from './readers.ts'
import { openSecrets } from './secrets.ts'
import type { Secrets } from './secrets.ts'
import { openSessions } from './sessions.ts'
import type { Sessions } from './sessions.ts'
import { accounts } from './stores/accounts.ts'
import { acts } from './stores/acts.ts'
import { apps } from './stores/apps.ts'
import { assignments } from './stores/assignments.ts'
import { attachments } from './stores/attachments.ts'
import { audit } from './stores/audit.ts'
import { budgets } from './stores/budgets.ts'
import { bulkJobs } from './stores/bulk-jobs.ts'
import { businessHours } from './stores/business-hours.ts'
import { cannedReplies } from './stores/canned-replies.ts'
import { catchUps } from './stores/catch-ups.ts'
import { channels } from './stores/channels.ts'
import { connectAttempts } from './stores/connect-attempts.ts'
import { contactCare } from './stores/contact-care.ts'
import { contactKeys } from './stores/contact-keys.ts'
import { contactMerges, segments } from './stores/contact-merges.ts'
import { contacts } from './stores/contacts.ts'
import { conversations } from './stores/conversations.ts'
import { deliveries } from './stores/deliveries.ts'
import { drafts } from './stores/drafts.ts'
import { earlyChanges } from './stores/early-changes.ts'
import { documents } from './stores/documents.ts'
import { events } from './stores/events.ts'
import { followers } from './stores/followers.ts'
import { health } from './stores/health.ts'
import { invitations } from './stores/invitations.ts'
import { joins } from './stores/joins.ts'
import { labels } from './stores/labels.ts'
import { lanes } from './stores/lanes.ts'
import { idempotency } from './stores/idempotency.ts'
import { leases } from './stores/leases.ts'
import { leftovers } from './stores/leftovers.ts'
import { macros } from './stores/macros.ts'
import { marks } from './stores/marks.ts'
import { mentions } from './stores/mentions.ts'
import { messages } from './stores/messages.ts'
import { names } from './stores/names.ts'
import { nodes } from './stores/nodes.ts'
import { occurrences } from './stores/occurrences.ts'
import { outbox } from './stores/outbox.ts'
import { parked } from './stores/parked.ts'
import { plannedPosts } from './stores/planned-posts.ts'
import { posts } from './stores/posts.ts'
import { publications } from './stores/publications.ts'
import { received } from './stores/received.ts'
import { relay } from './stores/relay.ts'
import { roles } from './stores/roles.ts'
import { rules } from './stores/rules.ts'
import { search } from './stores/search.ts'
import { spend } from './stores/spend.ts'
import { standing } from './stores/standing.ts'
import { teams } from './stores/teams.ts'
import { tokens } from './stores/tokens.ts'
import { uploads } from './stores/uploads.ts'
import { users } from './stores/users.ts'
import { views } from './stores/views.ts'

/** Every store, written out. */
const stores = {
  accounts,
  acts,
  apps,
  assignments,
  attachments,
  audit,
  budgets,
  bulkJobs,
  businessHours,
  cannedReplies,
  catchUps,
  channels,
  connectAttempts,
  contactCare,
  contactKeys,
  contactMerges,
  contacts,
  conversations,
  deliveries,
  drafts,
  earlyChanges,
  events,
  followers,
  health,
  idempotency,
  invitations,
  joins,
  labels,
  lanes,
  leases,
  leftovers,
  macros,
  marks,
  mentions,
  messages,
  names,
  nodes,
  occurrences,
  outbox,
  parked,
  plannedPosts,
  posts,
  publications,
  received,
  relay,
  roles,
  rules,
  search,
  segments,
  spend,
  standing,
  teams,
  tokens,
  uploads,
  users,
  views,
}

type Stores = typeof stores & { documents: typeof documents & DocumentFiles }

/** What is remembered, as one reader and writer sees it. */
export interface Storage extends Database, Stores {
  /** The same storage for the reader whose position this is: `fresh` sees its writes, `write` moves it. */
  as(position: Position): Storage
  readonly cache: Cache
  readonly secrets: Secrets
  readonly sessions: Sessions
  /** Positions of sessions and tokens, known to all nodes. */
  readonly positions: Positions
  /** Who is there just now, as the web nodes tell each other. */
  readonly presence: PresenceBoards
  /** Whether people read just now. */
  readonly readers: Readers
  /** How the replicas are, for people and metrics. */
  replicas(): ReturnType<Databases['replicas']>
  close(): Promise<void>
}

/** Opens the pools and the cache; returns at once, whether or not the servers are there. */
export function openStorage(config: Config, logger: Logger): Promise<Storage> {
  const log = logger.child({ part: 'storage' })
  const databases = openDatabases(config, log)
  const cache = openCache(config, log)
  // This process as a reader: it sees what it has written itself.
  const own = databases.as({ gtid: undefined })
  const shared = {
    ...stores,
    cache,
    documents: { ...documents, ...openDocuments(config) },
    secrets: openSecrets(config),
    sessions: openSessions(own, cache),
    positions: openPositions(
      cache,
      () => databases.current(),
      (gtid, limitMs) => databases.settle(gtid, limitMs),
    ),
    presence: openPresenceBoards(cache),
    readers: openReaders(cache),
    replicas: () => databases.replicas(),
    async close() {
      cache.close()
      await databases.close()
    },
  }
  const as = (position: Position): Storage => ({ ...shared, ...databases.as(position), as })
  return Promise.resolve({ ...shared, ...own, as })
}

export { migrate, checkSchema } from './migrate.ts'
export { CommitUnknown } from './database.ts'
export { LeaseLost } from './stores/leases.ts'
export type { Database, Position, Reader, Writer, WriteOptions, SqlValue } from './database.ts'
export type { Act } from './stores/acts.ts'
export type { AssignmentSettings, Queue, Taker, Waiting } from './stores/assignments.ts'
export type { Attachment, ClaimedAttachment, NewAttachment } from './stores/attachments.ts'
export type { Attributes, ContactNote, LockedContact } from './stores/contact-care.ts'
export type { Merge, MergeSnapshot, Segment } from './stores/contact-merges.ts'
export type { Contact, ContactAddress, Person } from './stores/contacts.ts'
export { bulkStates, itemStates } from './stores/bulk-jobs.ts'
export type { BulkItem, BulkJob, BulkState } from './stores/bulk-jobs.ts'
export { conversationSorts } from './stores/conversation-query.ts'
export type { ConversationFilter, ConversationSort } from './stores/conversation-query.ts'
export type { Care, Conversation, NewConversation, ShownConversation } from './stores/conversations.ts'
export { mostLabels } from './stores/labels.ts'
export type { Label } from './stores/labels.ts'
export { markKinds, priorityMark } from './stores/marks.ts'
export type { Mark } from './stores/marks.ts'
export type { Mention } from './stores/mentions.ts'
export type { Named } from './stores/names.ts'
export { mostViews } from './stores/views.ts'
export type { View } from './stores/views.ts'
export type { Draft, DraftKey, DraftMark } from './stores/drafts.ts'
export type { Attempt, Delivery, DeliveryFilter, Due, NewDelivery, PartKey } from './stores/delivery-rows.ts'
export type { Lane } from './stores/lanes.ts'
export type { Appearance, ExternalKey, Message, MessageFilter, Reaction } from './stores/messages.ts'
export type { Occurrence, OccurrenceKind, OccurrenceState } from './stores/occurrences.ts'
export type { PlannedPost, PlannedPostChange, PostFile, PostStepTaken } from './stores/planned-posts.ts'
export type { NewPost, Post } from './stores/posts.ts'
export type { PublicationAttempt, PublicationLease } from './stores/publication-attempts.ts'
export type { LockedPublication, Publication } from './stores/publications.ts'
export type { Received, ReceivedChoice, ReceivedEntry, ReceivedFilter, TraceEntry } from './stores/received.ts'
export type { Unnumbered } from './stores/relay.ts'
export type { App } from './stores/apps.ts'
export type { CatchUp } from './stores/catch-ups.ts'
export type { Channel, Credentials, Quota, SubscriptionState } from './stores/channels.ts'
export type { ConnectAttempt } from './stores/connect-attempts.ts'
export type { Standing, Trouble, TroubleSource } from './stores/health.ts'
export type { Lease } from './stores/leases.ts'
export { hashToken, isTokenValid } from './stores/tokens.ts'
export { parkedStates } from './stores/parked.ts'
export type { ParkedRow } from './stores/parked.ts'
export type { Document, DocumentVariant } from './stores/documents.ts'
export { hashSessionId, longestSessionMs } from './sessions.ts'
export { platformActor } from './stores/audit.ts'
export type { Actor, AuditEntry, AuditFilter, ChainState, Fields, NewAuditEntry } from './stores/audit.ts'
export type { Invitation, NewInvitation } from './stores/invitations.ts'
export type { CustomRole } from './stores/roles.ts'
export { mostRules } from './stores/rules.ts'
export type { Rule, RuleRun, RunCause } from './stores/rules.ts'
export type { OwnedHours } from './stores/business-hours.ts'
export { mostCannedReplies } from './stores/canned-replies.ts'
export type { CannedReply } from './stores/canned-replies.ts'
export { macroScopes, mostMacros } from './stores/macros.ts'
export type { Macro } from './stores/macros.ts'
export { covers, everything, hears, isLimited, placesOf } from './stores/scope.ts'
export type { Place, Scope } from './stores/scope.ts'
export type { DraftNote, PresenceView } from './presence.ts'
export type { Budget } from './stores/budgets.ts'
export { searchFlags } from './stores/search.ts'
export type { Searchable, SearchFilter, SearchHit, SearchPhrase, SearchRow, SearchWish } from './stores/search.ts'
export type { Spent, SpendTerms } from './stores/spend.ts'
export type { Team } from './stores/teams.ts'
export type { Token } from './stores/tokens.ts'
export type { Uploaded, UploadKey } from './stores/uploads.ts'
export type { User, UserChange } from './stores/users.ts'
