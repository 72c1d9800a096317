/**
 * The contract between Parley and a network. A connector translates: it knows wire formats, signatures, limits and error
 * codes; it calls no verb, no store and no clock of ours.
 */
import type { Readable } from 'node:stream'
import type { ChannelType, InboundKind, NetworkName, OutboundKind } from '../../storage/model/words.ts'

// ------------------------------------------------------------------------------------------------------------ receiving

/** A request of the network to our webhook address, as it came. */
export interface WebhookRequest {
  readonly method: string
  readonly query: URLSearchParams
  /** Header names in lower case; a header that came twice is joined with ", ". */
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: Buffer
}

/** What the handshakes and signatures of one app need. Newest secret first; all are tried, for rotation. */
export interface AppSecrets {
  readonly secrets: readonly string[]
  readonly verifyToken: string | undefined
}

/** Our answer to a handshake (Meta's hub challenge, X's CRC). */
export interface HandshakeAnswer {
  readonly status: number
  readonly contentType: string
  readonly body: string
}

/** One network: how its webhooks are proven and taken apart. Meta's serves Facebook, Instagram and WhatsApp. */
export interface Network {
  readonly name: NetworkName
  /** Answers a GET; `undefined` when it is no handshake. Never throws. */
  answerHandshake(request: WebhookRequest, app: AppSecrets): HandshakeAnswer | undefined
  /** Whether the signature over the raw bytes is right under any of the secrets; constant time. Never throws. */
  verify(request: Pick<WebhookRequest, 'headers' | 'body'>, app: AppSecrets): boolean
  /**
   * Takes a signed body apart. Never throws: what is not understood becomes `kept`, and a broken item costs no other item.
   * A body that is not JSON gives one `kept` item.
   */
  parse(body: Uint8Array): ParsedItem[]
  /** Has the network say whether it knows the app under its newest secret. A good answer is yes. Never throws. */
  examineApp?(app: AppAccess, signal: AbortSignal): Promise<Asked<'known' | 'not_possible'>>
}

/** One item of a webhook body and the channel it is for. */
export interface ParsedItem {
  /** Where in the body it was, such as `entry.0.messaging.3`; for the received log. */
  readonly at: string
  /** The network's id of the channel (Page id, X user id); `undefined` when the item names none. */
  readonly channelType: ChannelType | undefined
  readonly channelExternalId: string | undefined
  readonly event: InboundEvent
}

/** Someone outside, as the network names them. */
export interface Person {
  readonly externalId: string
  readonly name?: string
  /** `@handle` without the `@`. */
  readonly handle?: string
  readonly pictureUrl?: string
}

/** Which conversation an item belongs to. */
export type Thread =
  /** The direct line between the channel and this person. */
  | { readonly kind: 'direct'; readonly personId: string }
  /**
   * Below public content. `rootId` is the network's id of the top item of the thread (top-level comment, X conversation),
   * `parentId` what this item answers, `postId` the post beneath which it stands. `isPerPerson`: one conversation for each
   * person below one root (X, where one post has thousands of answers).
   */
  | {
      readonly kind: 'public'
      readonly rootId: string
      readonly parentId?: string
      readonly postId?: string
      readonly isPerPerson?: boolean
    }

export type AttachmentKind = 'image' | 'video' | 'audio' | 'file' | 'sticker' | 'location' | 'share' | 'other'

/** A file or share carried by a message; fetched later, apart from the message. */
export interface InboundAttachment {
  readonly kind: AttachmentKind
  /** Where the bytes are; absent for a location or a share without a file. */
  readonly url?: string
  readonly externalId?: string
  readonly title?: string
  readonly contentType?: string
  /** The network's own word for the file's SHA-256 (hexadecimal), where it gives one. */
  readonly sha256?: string
  /** Text of its own beside the title: the address of a place, the numbers of a shared contact, the lines of an order. */
  readonly text?: string
  /** A page outside that it leads to; opened by people, never fetched. */
  readonly link?: string
  /** Nothing of it may be kept longer. */
  readonly keepUntil?: Date
}

/** What an item means. Times are UTC instants taken from the payload. */
export type InboundEvent =
  | {
      readonly type: 'message'
      readonly kind: InboundKind
      readonly externalId: string
      readonly occurredAt: Date
      readonly from: Person
      readonly thread: Thread
      readonly text: string | undefined
      readonly attachments: readonly InboundAttachment[]
      /** The message this one answers, by the network's id. */
      readonly inReplyTo?: string
      /** Structured extras worth keeping: quick-reply payload, referral, coordinates. */
      readonly extra?: Readonly<Record<string, unknown>>
    }
  /** Our own utterance coming back: sent by Parley, or in the network's own app. */
  | {
      readonly type: 'echo'
      readonly kind: OutboundKind
      readonly externalId: string
      readonly occurredAt: Date
      readonly to: Person | undefined
      readonly thread: Thread
      readonly text: string | undefined
      readonly attachments: readonly InboundAttachment[]
      /** What we gave along when sending, where the network returns it: the delivery's id. */
      readonly reference?: string
      readonly inReplyTo?: string
      /** As of a message. */
      readonly extra?: Readonly<Record<string, unknown>>
    }
  /** Public content by the channel, below which comments stand. */
  | {
      readonly type: 'post'
      readonly externalId: string
      readonly occurredAt: Date
      readonly text: string | undefined
      readonly permalink?: string
    }
  /** `number`: which edit of the message it is, 1 the first, where the network counts them. */
  | {
      readonly type: 'edit'
      readonly externalId: string
      readonly occurredAt: Date
      readonly text: string | undefined
      readonly number?: number
    }
  | { readonly type: 'delete'; readonly externalId: string; readonly occurredAt: Date }
  | { readonly type: 'hide'; readonly externalId: string; readonly occurredAt: Date; readonly isHidden: boolean }
  /** `emoji` undefined: the reaction was taken back. */
  | {
      readonly type: 'reaction'
      readonly externalId: string
      readonly occurredAt: Date
      readonly from: Person
      readonly emoji: string | undefined
    }
  /** `upTo`: all that was sent to that person until then; `ids`: these messages. `failed` comes late, after an accepted send. */
  | {
      readonly type: 'receipt'
      readonly state: 'sent' | 'delivered' | 'read' | 'failed'
      readonly person: Person
      readonly occurredAt: Date
      readonly upTo?: Date
      readonly ids?: readonly string[]
      /** What we gave along when sending, where the network returns it: the delivery's id. */
      readonly reference?: string
      /** Why it failed. */
      readonly refusal?: { readonly class: RefusalClass; readonly code: string; readonly reason: string }
    }
  /** A person goes by another id from now on: the contact keeps its history. */
  | { readonly type: 'person_changed'; readonly occurredAt: Date; readonly was: Person; readonly is: Person }
  /** The network tells the operator something about the channel: a policy warning, a template's state, a lost quality rating. */
  | {
      readonly type: 'notice'
      readonly occurredAt: Date
      readonly code: string
      readonly text: string
      /** What it does to the channel's health, if anything. */
      readonly state?: 'degraded' | 'reconnect_needed' | 'connected'
    }
  /** A replay that we asked for has ended; what it brought came as usual. */
  | { readonly type: 'replayed'; readonly occurredAt: Date; readonly jobId: string; readonly isComplete: boolean }
  /** The network says that our right to this channel has ended. */
  | { readonly type: 'revoked'; readonly occurredAt: Date; readonly reason: string }
  /** Understood as nothing to show, or not understood; the received log keeps it with this reason. */
  | { readonly type: 'kept'; readonly reason: string }

// -------------------------------------------------------------------------------------------------------------- sending

/** What a connector needs to speak for a channel. Credentials are opened just before the call and never kept. */
export interface ChannelAccess {
  readonly externalId: string
  /** Replaces the network's own hosts (sandboxes, tests); paths stay the same. No slash at the end. */
  readonly apiBaseUrl: string | undefined
  /** `host:port` list that may be called although it is not public: the configuration's `networkHosts`. */
  readonly allowHosts: readonly string[]
  readonly credentials: Readonly<Record<string, string>>
  readonly app: {
    readonly secret: string | undefined
    readonly consumerKey: string | undefined
    readonly clientId: string | undefined
    readonly clientSecret: string | undefined
  }
}

export type FileKind = 'image' | 'video' | 'audio' | 'file'

/** A file to be said along; the bytes are read only when a connector asks for them. */
export interface OutboundFile {
  readonly kind: FileKind
  readonly contentType: string
  readonly size: number
  readonly name: string | undefined
  /** Said to people who do not see the picture. */
  readonly altText: string | undefined
  /** The network's own id of this file, from an `upload` that is still good. */
  readonly uploadedId: string | undefined
  /** An address where the network itself can fetch the bytes, for an hour; secret, and not to be logged. */
  readonly publicUrl: string
  /** The bytes from the beginning; may be asked for again. */
  open(): Promise<Readable>
}

/** What some networks can say beside text and files. */
export interface OutboundExtras {
  /** Buttons below the message that vanish with the answer (Messenger, Instagram). */
  readonly quickReplies?: readonly { readonly title: string; readonly payload: string }[]
  /** A message that WhatsApp has approved before; the only one that may be said outside the reply window. */
  readonly template?: OutboundTemplate
  /** WhatsApp: buttons or a list to choose from. */
  readonly interactive?:
    | { readonly type: 'buttons'; readonly buttons: readonly { readonly id: string; readonly title: string }[] }
    | {
        readonly type: 'list'
        readonly button: string
        readonly rows: readonly { readonly id: string; readonly title: string; readonly description?: string }[]
      }
  /** X: the post that is shown within ours, by the network's id. */
  readonly quoteOf?: string
}

export interface OutboundTemplate {
  readonly name: string
  readonly language: string
  /** Values of the placeholders, in the order in which they stand. */
  readonly header?: readonly string[]
  readonly body?: readonly string[]
  readonly buttons?: readonly string[]
}

/** One outbound message, ready to be said by one request. */
export interface OutboundMessage {
  readonly kind: Exclude<OutboundKind, 'note'>
  /** Given to the network where it returns it in the echo. */
  readonly reference: string
  readonly text: string
  /** The person addressed: `contactExternalId` for direct answers, `inReplyTo` for public ones and private replies. */
  readonly contactExternalId: string | undefined
  readonly inReplyTo: string | undefined
  /** When that person last wrote to us: networks allow answers only for a time. */
  readonly lastInboundAt: Date | undefined
  /** Uploaded before, where the connector has `upload`. */
  readonly files?: readonly OutboundFile[]
  readonly extras?: OutboundExtras
}

/** One request's share of an utterance: `files` by their place. Text and files of an utterance are each in exactly one part. */
export interface Part {
  readonly text: string
  readonly files: readonly number[]
}

/** Why a network will never take this message, or not now. */
export type RefusalClass =
  /** The token or permission is dead: the channel must be reconnected. */
  | 'token'
  /** The reply window is closed. */
  | 'window'
  /** That person cannot be reached. */
  | 'recipient'
  /** The content is not acceptable. */
  | 'content'
  /** The network restricts the channel; a person must look. */
  | 'policy'

/** What became of one attempt. A value, never an exception. */
export type Outcome =
  | { readonly type: 'sent'; readonly externalId: string }
  /** Surely not taken; worth another try, at the earliest `afterMs` from now if the network says so. */
  | { readonly type: 'retry'; readonly code: string; readonly reason: string; readonly afterMs?: number }
  | { readonly type: 'refused'; readonly class: RefusalClass; readonly code: string; readonly reason: string }
  /** The request left and no trustworthy answer came: it may have been sent. Never repeated blindly. */
  | { readonly type: 'unknown'; readonly code: string; readonly reason: string }

/** What may be said on this channel; asked before anything is queued. */
export interface Limits {
  readonly kinds: readonly OutboundKind[]
  readonly maxTextLength: number
  /** How the network counts; for people and for the browser app, which counts in the same way. */
  readonly counting: Counting
  /** The network's own way of counting, against `maxTextLength`. */
  measureText(text: string): number
  readonly files: FileLimits
  /** Which of the extras can be said here. */
  readonly extras: ExtraLimits
  /** What can be done to a message in such a conversation, beside answering. */
  readonly acts: readonly ActName[]
  /** Those of them that can be done only to what the channel itself has said. */
  readonly ownActs?: readonly ActName[]
}

/** UTF-16 units or code points, as the network documents · bytes of UTF-8 · X's weighted count. */
export type Counting = 'characters' | 'bytes' | 'weighted'

export interface FileLimits {
  /** In one utterance; more than the network takes by one request become several parts. */
  readonly max: number
  /** Only what is named is taken; content types in full, or a family such as `image/*`. */
  readonly kinds: Partial<
    Record<
      FileKind,
      {
        readonly types: readonly string[]
        readonly maxBytes: number
        /** Types that have a limit of their own. */
        readonly maxBytesOf?: Readonly<Record<string, number>>
      }
    >
  >
}

export interface ExtraLimits {
  readonly quickReplies?: { readonly max: number; readonly maxTitleLength: number }
  readonly templates?: true
  readonly interactive?: { readonly maxButtons: number; readonly maxRows: number }
  readonly quote?: true
}

export const noFiles: FileLimits = { max: 0, kinds: {} }

// --------------------------------------------------------------------------------------------------------------- acting

export type ActName = 'hide' | 'unhide' | 'like' | 'unlike' | 'delete' | 'react' | 'unreact' | 'typing' | 'seen'

/** Something done to a message, or shown to a person, that says nothing. All of them may be repeated without harm. */
export interface OutboundAct {
  readonly what: ActName
  readonly thread: 'direct' | 'public'
  /** The message it is done to, by the network's id; for `typing` and `seen` the newest one of that person. */
  readonly targetExternalId: string | undefined
  readonly contactExternalId: string | undefined
  /** Only with `react`. */
  readonly emoji: string | undefined
}

// ----------------------------------------------------------------------------------------------------------- publishing

/** A post, adapted to one channel and ready to be published. */
export interface OutboundPost {
  readonly reference: string
  readonly text: string
  readonly link: string | undefined
  /** Uploaded before, where the connector has `upload`. */
  readonly files: readonly OutboundFile[]
  readonly quoteOf: string | undefined
}

/** What became of one attempt to publish. `processing`: nothing is public yet; to be called again with `progress`. */
export type PublishOutcome =
  | { readonly type: 'sent'; readonly externalId: string; readonly permalink?: string }
  | { readonly type: 'processing'; readonly progress: string; readonly afterMs: number }
  | Exclude<Outcome, { readonly type: 'sent' }>

export interface PostLimits {
  readonly maxTextLength: number
  readonly counting: Counting
  measureText(text: string): number
  readonly files: FileLimits
  /** Instagram shows no post without a picture or a film. */
  readonly needsFile: boolean
  /** Whether pictures and films may stand in one post. */
  readonly mayMix: boolean
  readonly hasLink: boolean
  /** The link is said within the text, and counts with it. */
  readonly isLinkInText?: true
}

/** A message that the network has approved for saying outside the reply window. */
export interface Template {
  readonly name: string
  readonly language: string
  readonly category: string
  /** As the network calls it: APPROVED may be said. */
  readonly state: string
  /** With its placeholders as `{{1}}`. */
  readonly header: string | undefined
  readonly body: string
  readonly footer: string | undefined
  readonly buttons: readonly string[]
  /** Where each button leads, with its placeholder if it has one; '' for those that lead nowhere. */
  readonly links?: readonly string[]
}

/** An upload: done, or still being looked at by the network. */
export type Upload =
  | { readonly type: 'ok'; readonly id: string; readonly expiresAt: Date | undefined }
  | { readonly type: 'processing'; readonly id: string; readonly afterMs: number }
  | Exclude<Outcome, { readonly type: 'sent' }>

/** What was found on the network when an unknown outcome was looked up. */
export type Lookup =
  | { readonly type: 'found'; readonly externalId: string }
  | { readonly type: 'absent' }
  | { readonly type: 'undecided'; readonly reason: string }

// ---------------------------------------------------------------------------------------------- looking after a channel

/** An answer that may be a refusal; the class says what must be done. */
export type Asked<T> = { readonly type: 'ok'; readonly value: T } | Exclude<Outcome, { readonly type: 'sent' }>

/** Where an attachment's bytes can be had right now. */
export interface MediaPlace {
  readonly url: string
  /** Authentication for exactly this address; not to be sent along on a redirect to another host. */
  readonly headers: Readonly<Record<string, string>>
  readonly contentType?: string
  readonly sha256?: string
}

/** What was read back: the same items as a webhook brings, under the same ids. */
export interface ReadBack {
  readonly items: readonly ParsedItem[]
  /** Where to go on; undefined: nothing older than `since` is left. */
  readonly cursor: string | undefined
}

/** How a channel stands with its network, by error code and never by text. */
export interface ChannelCondition {
  readonly state: 'connected' | 'degraded' | 'reconnect_needed'
  readonly code: string | undefined
  /** One sentence for a person: what is wrong, and the one step that cures it. */
  readonly reason: string | undefined
  readonly tokenExpiresAt: Date | undefined
  readonly missingPermissions: readonly string[]
}

/** Whether the network tells us what happens on the channel. */
export interface Subscription {
  readonly isActive: boolean
  /** What should be subscribed and is not. */
  readonly missing: readonly string[]
  readonly reason: string | undefined
}

/** `shared`: another channel of ours needs what this one had; `none`: there was nothing, or nothing that leads to us. */
export type Unsubscribed = 'ended' | 'shared' | 'none'

/** Where and as what our webhook is known. */
export interface WebhookRegistration {
  readonly url: string
  readonly verifyToken: string | undefined
}

/** Share of a quota that is used up, 0 to 1, newest known. */
export interface QuotaUse {
  readonly name: string
  readonly used: number
  readonly resetsAt: Date | undefined
  /** How many calls make the whole, where the network counts them. */
  readonly limit?: number
}

/** What a call says; networks limit these apart. */
export type CallUse = 'direct' | 'public' | 'private_reply' | 'post'

/** How a network limits what is said on a channel, so that it is kept before the network has to say so. */
export interface Allowances {
  /** Documented limits, counted by ourselves from the first call on; the network's own word counts more. */
  readonly known: readonly {
    readonly name: string
    readonly limit: number
    readonly windowMs: number
  }[]
  /** What an allowance by this name is for, and whether all channels of the app share it; `undefined`: not for saying something. */
  about(name: string): { readonly uses: readonly CallUse[]; readonly isOfApp: boolean } | undefined
  /** Codes of refusals that mean that an allowance is spent: whose, and until when where the network names no time. */
  readonly spent: Readonly<Record<string, { readonly of: 'channel' | 'app'; readonly until: 'soon' | 'month' }>>
}

/** A channel that a person may connect after having signed in at the network. */
export interface Connectable {
  readonly type: ChannelType
  readonly externalId: string
  readonly name: string
  readonly credentials: Readonly<Record<string, string>>
  readonly tokenExpiresAt: Date | undefined
}

/** How a person signs in at the network to connect channels (OAuth). */
export interface SignIn {
  /** The page to send the person to. `challenge`: PKCE, S256. */
  authorizeUrl(
    app: AppAccess,
    request: { readonly redirectUri: string; readonly state: string; readonly challenge: string },
  ): string
  /** Exchanges the code for channels that can be connected. */
  exchange(
    app: AppAccess,
    answer: { readonly code: string; readonly redirectUri: string; readonly verifier: string },
    signal: AbortSignal,
  ): Promise<Asked<readonly Connectable[]>>
}

/** An app without a channel: for signing in and for webhook administration. */
export type AppAccess = Pick<ChannelAccess, 'apiBaseUrl' | 'allowHosts' | 'app'> & {
  readonly externalId: string | undefined
}

/** What a network charges, where it is paid by use; in millionths of a dollar. */
export interface Pricing {
  /** By kind; an app may pay others. */
  readonly prices: Readonly<Record<string, number>>
  /** The kind of a call that says something. */
  kindOf(use: CallUse, text: string): string
  /** The kind of an item that is read. */
  readKindOf(thread: 'direct' | 'public'): string
}

/** One kind of channel. */
export interface Connector {
  readonly type: ChannelType
  readonly network: NetworkName
  /** Whether a person's id is known to this channel alone (Meta) or is the same on the whole network (X). */
  readonly addressScope: 'channel' | 'network'
  limits(thread: 'direct' | 'public'): Limits
  /** How an utterance is said: one part for each request that the network needs. Absent: all of it by one. */
  split?(message: Pick<OutboundMessage, 'kind' | 'text' | 'files'>): readonly Part[]
  /** Gives the network a file before it is said; nobody outside sees anything yet, so it may be repeated. `begun`: the id of an upload that was `processing`. */
  upload?(
    channel: ChannelAccess,
    file: OutboundFile,
    use: 'direct' | 'public',
    begun: string | undefined,
    signal: AbortSignal,
  ): Promise<Upload>
  /** Never throws. Absent: this network knows no acts. */
  act?(
    channel: ChannelAccess,
    act: OutboundAct,
    signal: AbortSignal,
  ): Promise<{ readonly type: 'done' } | Exclude<Outcome, { readonly type: 'sent' }>>
  listTemplates?(channel: ChannelAccess, signal: AbortSignal): Promise<Asked<readonly Template[]>>
  readonly postLimits?: PostLimits
  /**
   * Publishes a post. May need several requests; only the last makes it public, and what had left of that one by the end of
   * `signal` is `unknown`. `progress`: what the `processing` before gave. Never throws.
   */
  publish?(
    channel: ChannelAccess,
    post: OutboundPost,
    progress: string | undefined,
    signal: AbortSignal,
  ): Promise<PublishOutcome>
  /** Looks whether a post of an unknown outcome is there, published not before `since`. Never throws. */
  lookUpPost?(channel: ChannelAccess, post: OutboundPost, since: Date, signal: AbortSignal): Promise<Lookup>
  /** One request, at most. `signal` ends it; what had left by then is `unknown`. */
  send(channel: ChannelAccess, message: OutboundMessage, signal: AbortSignal): Promise<Outcome>
  /** Looks on the network whether a message with an unknown outcome arrived, sent not before `since`. Never throws. */
  lookUp(channel: ChannelAccess, message: OutboundMessage, since: Date, signal: AbortSignal): Promise<Lookup>
  /** Name and handle of a person, best effort. */
  fetchPerson?(channel: ChannelAccess, externalId: string, signal: AbortSignal): Promise<Person | undefined>
  /** Where the bytes of an attachment are now: WhatsApp gives an id to be asked for, X wants a signed request. Absent: at its `url`, open to all. */
  locateMedia?(
    channel: ChannelAccess,
    attachment: Pick<InboundAttachment, 'url' | 'externalId' | 'kind'>,
    signal: AbortSignal,
  ): Promise<Asked<MediaPlace>>
  /** What happened since, newest first, one page for each call; ids and forms as webhooks give them. */
  readBack?(
    channel: ChannelAccess,
    since: Date,
    cursor: string | undefined,
    signal: AbortSignal,
  ): Promise<Asked<ReadBack>>
  /** Asks the network to send again what it sent since then (X keeps 24 h). Gives the job's id. */
  requestReplay?(channel: ChannelAccess, since: Date, until: Date, signal: AbortSignal): Promise<Asked<string>>
  /** How the channel stands: token, permissions, expiry. */
  examine?(channel: ChannelAccess, signal: AbortSignal): Promise<ChannelCondition>
  checkSubscription?(
    channel: ChannelAccess,
    webhook: WebhookRegistration,
    signal: AbortSignal,
  ): Promise<Asked<Subscription>>
  /** Subscribes, or renews; safe to repeat. */
  subscribe?(channel: ChannelAccess, webhook: WebhookRegistration, signal: AbortSignal): Promise<Asked<Subscription>>
  /**
   * Has the network tell nothing of this channel any more; safe to repeat. `others`: channels of ours that stay, so that what
   * one of them shares with this one is kept.
   */
  unsubscribe?(
    channel: ChannelAccess,
    webhook: WebhookRegistration,
    others: readonly (ChannelAccess & { readonly type: ChannelType })[],
    signal: AbortSignal,
  ): Promise<Asked<Unsubscribed>>
  /** New credentials in exchange for the old ones, which may be dead from then on: to be stored at once. */
  refreshToken?(
    channel: ChannelAccess,
    signal: AbortSignal,
  ): Promise<Asked<{ readonly credentials: Readonly<Record<string, string>>; readonly expiresAt: Date | undefined }>>
  /** How much of its quotas the channel has used, as the network's answers told this process; the fullest first. */
  quota?(channelExternalId: string): readonly QuotaUse[]
  readonly allowances?: Allowances
  readonly pricing?: Pricing
  readonly signIn?: SignIn
}
