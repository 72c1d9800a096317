/** Every fact that Parley announces, past tense, with what it carries. Public: `GET /api/v1/events`, the live stream. */

/** Ids are strings; `data` is snake_case as it leaves. */
export interface EventData {
  'conversation.created': { conversation_id: string; channel_id: string }
  /**
   * `changed`: of status, snoozed_until, assignee, team, priority, labels, participants. `by_rule`, `job_id`: where a rule, or a change
   * of many at once, has done it.
   */
  'conversation.changed': {
    conversation_id: string
    changed: string[]
    by: string | null
    by_rule?: string
    /** The rules whose doing led to it, the first of them first. */
    after_rules?: string[]
    job_id?: string
  }
  /** `is_blocked`: of a blocked contact, kept and shown; nothing is to be answered. */
  'message.received': {
    conversation_id: string
    message_id: string
    channel_id: string
    kind: string
    is_blocked?: true
  }
  /** An own utterance that came back and was not sent by Parley. */
  'message.sent_elsewhere': { conversation_id: string; message_id: string; channel_id: string }
  'message.queued': {
    conversation_id: string
    message_id: string
    channel_id: string
    delivery_id: string
    by: string | null
  }
  /** An answer is planned, or its plan has changed; `message.queued` follows when its time has come. */
  'message.scheduled': {
    conversation_id: string
    message_id: string
    channel_id: string
    send_at: string
    by: string | null
  }
  /** Edited, deleted, hidden or reacted to; `act`: something that was asked for on its network came to an end. */
  'message.changed': {
    conversation_id: string
    message_id: string
    change: 'edited' | 'deleted' | 'hidden' | 'reaction' | 'act'
  }
  /** Somebody wants something done to it on its network. */
  'message.act_queued': {
    conversation_id: string
    message_id: string
    channel_id: string
    act_id: string
    what: string
    by: string | null
  }
  /**
   * Somebody reacted to public content of a channel, or took it back (`emoji` null). `post_id` as conversations name it; `by` as the
   * network names the person.
   */
  'post.reacted': { post_id: string; channel_id: string; by: string; emoji: string | null }
  /** A file was fetched, will not be, or is asked for again. */
  'attachment.changed': { conversation_id: string; message_id: string; attachment_id: string; state: string }
  'note.added': { conversation_id: string; message_id: string; by: string | null }
  /** Named in a note. */
  'user.mentioned': { user_id: string; conversation_id: string; message_id: string; by: string | null }
  'label.changed': { label_id: string; change: 'created' | 'changed' | 'removed'; by: string | null }
  /** So far is a change of many conversations. */
  'bulk.changed': { job_id: string; state: string; done: number; total: number; by: string }
  'rule.changed': { rule_id: string; change: 'created' | 'changed' | 'removed'; by: string | null }
  /** It ran too often for this conversation, and leaves it alone from now on. */
  'rule.paused': { rule_id: string; conversation_id: string }
  /** Of one part of an answer; most have one. */
  'delivery.changed': {
    conversation_id: string
    message_id: string
    delivery_id: string
    part: number
    part_count: number
    state: string
    reason: string | null
  }
  /** Whether they are given conversations, how many, and for what: `changed` names it. */
  'user.changed': { user_id: string; changed: string[]; by: string | null }
  'channel.created': { channel_id: string }
  /** `code` is stable; `cure` the one step that mends it. */
  'channel.changed': {
    channel_id: string
    state: string
    code: string | null
    reason: string | null
    cure: string | null
  }
  /** What was missed has been read back: `found` items, `new` of them not known before. */
  'channel.caught_up': { channel_id: string; found: number; new: number }
  /** `changed`: name, attributes, notes, is_blocked, merge_undone. */
  'contact.changed': { contact_id: string; changed: string[]; by: string | null }
  /** All of `merged_id` is with `contact_id` now. */
  'contact.merged': { contact_id: string; merged_id: string; merge_id: string; by: string | null }
  'app.changed': { app_id: string }
  /** So much of the month's spend cap is used (80 or 100 percent); amounts in dollars. */
  'app.spend_warned': { app_id: string; month: string; percent: number; spent: number; cap: number }
  /** What people do with a post that is planned here; `by` null: its time has come. */
  'post.created': PostStepData
  /** Edited, or its state follows what became of it on its channels. */
  'post.changed': PostStepData
  'post.submitted': PostStepData
  'post.approved': PostStepData
  'post.rejected': PostStepData
  'post.scheduled': PostStepData
  'post.publishing': PostStepData
  /** Its time went by in an outage: a person decides. */
  'post.asked': PostStepData
  'post.cancelled': PostStepData
  'post.removed': PostStepData
  /** It is on one channel. */
  'post.published': {
    post_id: string
    publication_id: string
    channel_id: string
    external_id: string | null
    permalink: string | null
  }
  'post.retrying': PublicationData
  'post.unknown': PublicationData
  'post.failed': PublicationData
}

interface PostStepData {
  post_id: string
  state: string
  by: string | null
}

/** What became of a post on one channel, and why. */
interface PublicationData {
  post_id: string
  publication_id: string
  channel_id: string
  code: string
  reason: string
}

export type EventType = keyof EventData

export const eventTypes = [
  'conversation.created',
  'conversation.changed',
  'message.received',
  'message.sent_elsewhere',
  'message.queued',
  'message.scheduled',
  'message.changed',
  'message.act_queued',
  'attachment.changed',
  'note.added',
  'user.mentioned',
  'label.changed',
  'bulk.changed',
  'rule.changed',
  'rule.paused',
  'delivery.changed',
  'user.changed',
  'channel.created',
  'channel.changed',
  'channel.caught_up',
  'contact.changed',
  'contact.merged',
  'app.changed',
  'app.spend_warned',
  'post.created',
  'post.changed',
  'post.submitted',
  'post.approved',
  'post.rejected',
  'post.scheduled',
  'post.publishing',
  'post.asked',
  'post.cancelled',
  'post.removed',
  'post.published',
  'post.retrying',
  'post.unknown',
  'post.failed',
] as const satisfies readonly EventType[]

/** A fact on its way to the outbox. */
export type NewEvent = {
  [Type in EventType]: { readonly type: Type; readonly accountId: string; readonly data: EventData[Type] }
}[EventType]

/** A numbered fact. Numbers rise by one; they are never reused. */
export interface Event {
  readonly number: number
  readonly accountId: string
  readonly type: string
  readonly data: Readonly<Record<string, unknown>>
  readonly at: Date
}
