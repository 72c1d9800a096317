/** What there is in the played networks: apps, channels, people, what was said, and what is still to be told. */
import type { ChannelType, NetworkName } from '../../storage/model/words.ts'
import type { Course } from './courses.ts'

export type SandboxType = ChannelType

export interface SandboxApp {
  readonly network: NetworkName
  readonly app_id: string
  /** Newest first; webhooks are signed with the newest. */
  readonly secrets: readonly string[]
  readonly verify_token?: string | undefined
  readonly consumer_key?: string | undefined
  /** For signing in; without them the app's id, and no secret. */
  readonly client_id?: string | undefined
  readonly client_secret?: string | undefined
  readonly webhook_url: string
  /** How X tells: Account Activity, X Activity, or both. */
  readonly x_form?: 'aaa' | 'xaa' | 'both' | undefined
}

export interface SandboxChannel {
  readonly type: SandboxType
  readonly external_id: string
  readonly name: string
  readonly handle?: string | undefined
  readonly access_token: string
  /** Given: the signature of OAuth 1.0a calls is checked. */
  readonly access_token_secret?: string | undefined
  readonly app_id: string
  /** Instagram: the page it is linked to. */
  readonly page_id?: string | undefined
  /** WhatsApp: the business account of the number. */
  readonly business_account_id?: string | undefined
}

export interface SandboxPerson {
  readonly type: SandboxType
  readonly id: string
  readonly name: string
  readonly handle?: string | undefined
}

/** One utterance as a customer saw it: said by them (`inbound`) or by the channel (`outbound`). */
export interface Utterance {
  readonly seq: number
  readonly at: string
  readonly type: SandboxType
  readonly channel: string
  /** Who said it, or to whom it was said; empty for public content to nobody in particular. */
  readonly person: string
  readonly direction: 'inbound' | 'outbound'
  readonly kind: 'message' | 'comment' | 'mention' | 'reply' | 'private_reply' | 'post'
  readonly external_id: string
  readonly text: string
  readonly post_id?: string | undefined
  readonly in_reply_to?: string | undefined
  readonly metadata?: string | undefined
  readonly tag?: string | undefined
  readonly picture?: string | undefined
  readonly files?: readonly SandboxFile[] | undefined
  /** X: the post that is shown within this one. */
  readonly quote_of?: string | undefined
  /** What the customer may press: quick replies, buttons, the rows of a list. */
  readonly choices?: readonly Choice[] | undefined
  /** The sandbox's time of it, in milliseconds: reply windows and expiries go by it. */
  readonly clock_at?: number | undefined
  /** Fields of the network's own message, as they stand on the wire: quick replies, places, presses. */
  readonly wire?: Readonly<Record<string, unknown>> | undefined
}

/** `as`: how it is shown and told. */
export interface Choice {
  readonly as: 'quick_reply' | 'button' | 'row' | 'template'
  readonly id: string
  readonly title: string
  readonly description?: string | undefined
}

/** Something done to an utterance, or shown in a conversation, beside words. */
export interface Act {
  readonly seq: number
  readonly at: string
  readonly channel: string
  /** Who did it, or to whom it was shown. */
  readonly person: string
  readonly by: 'channel' | 'customer'
  readonly what: 'react' | 'unreact' | 'edit' | 'delete' | 'hide' | 'unhide' | 'like' | 'unlike' | 'typing' | 'seen'
  readonly external_id?: string | undefined
  readonly emoji?: string | undefined
  readonly text?: string | undefined
}

/** What has become of an utterance by such acts. */
export interface Marks {
  readonly is_deleted?: boolean
  readonly is_hidden?: boolean
  readonly is_liked?: boolean
  /** Emoji by who reacted. */
  readonly reactions?: Readonly<Record<string, string>>
  readonly text?: string
}

/** A file in a message: what kind the network calls it, where it lies, its id where it has one. */
export interface SandboxFile {
  readonly kind: string
  readonly url?: string | undefined
  readonly id?: string | undefined
  /** Name among the sandbox's own files. */
  readonly file?: string | undefined
  readonly title?: string | undefined
  readonly alt_text?: string | undefined
}

/** A webhook that is to reach its app: kept until it was taken or given up. */
export interface PendingWebhook {
  readonly webhook: number
  readonly app_id: string
  readonly channel?: string | undefined
  readonly body: string
  /** Under which rules it is tried again. */
  readonly course?: Course | undefined
  /** The entries' ids: the channels that a lasting failure switches off. */
  readonly entries?: readonly string[] | undefined
}
