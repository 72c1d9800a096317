/** Whether something may be said, asked before anything is queued: what the network would refuse is refused here, by name. */
import { conflict, notFound, Problem } from '../infra/errors.ts'
import { isId } from '../infra/ids.ts'
import type { Channel, Conversation, Message, Reader, Storage } from '../storage/index.ts'
import type { OutboundKind } from '../storage/model/words.ts'
import type { Connector, ExtraLimits, Limits, OutboundExtras, Part } from './connectors/connector.ts'
import { connectorOf } from './connectors/registry.ts'
import { fitFile } from './files.ts'
import type { CheckedFile } from './files.ts'
import { partsOf } from './parts.ts'
import { hasOnePrivateReply, privateReplyClosesAt, windowClosesAt } from './windows.ts'

/** A file to be said: a document of the account. */
export interface GivenFile {
  readonly documentId: string
  readonly altText?: string | undefined
}

/** What the writer saw; what is left out does not matter to them. */
export interface Seen {
  /** The newest message. */
  readonly messageId?: string | undefined
  readonly status?: string | undefined
  readonly assigneeId?: string | null | undefined
}

export interface Utterance {
  readonly accountId: string
  readonly conversationId: string
  readonly kind: Exclude<OutboundKind, 'note'>
  readonly text: string
  /** The message that is answered, by our id; public answers take the newest one of the contact when it is left out. */
  readonly inReplyTo?: string | undefined
  readonly files?: readonly GivenFile[] | undefined
  readonly extras?: OutboundExtras | undefined
}

/** What may be said, ready to be queued. */
export interface Sayable {
  readonly conversation: Conversation
  readonly channel: Channel
  /** What it answers, by the network's id. */
  readonly inReplyTo: string | null
  readonly files: readonly CheckedFile[]
  readonly parts: readonly Part[]
}

/**
 * @param at when it will be said: windows are those of then
 * @throws Problem 404; 422 with code `channel_disconnected`, `kind_not_possible`, `extras_not_possible`, `empty`, `too_long`,
 * `attachment_gone`, `attachment_type`, `attachment_too_big`, `too_many_attachments`, `window_closed`, `nothing_to_answer`,
 * `deleted_target`, `private_reply_used` or `x_not_summoned`
 */
export async function checkSayable(
  storage: Storage,
  reader: Reader,
  said: Utterance,
  at: Date = new Date(),
): Promise<Sayable> {
  const conversation = await storage.conversations.get(reader, said.accountId, said.conversationId)
  const channel = conversation && (await storage.channels.get(reader, said.accountId, conversation.channelId))
  if (conversation === undefined || channel === undefined) throw notFound('conversation')
  const { connector, target } = await checkPlace(storage, reader, conversation, channel, said, at)
  const limits = limitsFor(connector, said.kind)
  checkExtras(limits.extras, said)
  checkText(limits, said)
  const files = await checkFiles(storage, reader, limits, said)
  const parts = partsOf(
    connector,
    said.kind,
    said.text,
    files,
    async ({ digest }) => (await storage.documents.open(digest)).stream,
  )
  if (said.kind === 'private_reply' && hasOnePrivateReply(channel.type) && parts.length > 1)
    throw refusal('too_many_attachments', 'attachments', 'A private reply is one message: some text, or one file.')
  return { conversation, channel, inReplyTo: target?.externalId ?? null, files, parts }
}

/**
 * Whether anything of this kind may be said here, whatever it is; and what it answers.
 * @throws Problem 422 with those codes of `checkSayable` that are not about text, files or extras
 */
export async function checkPlace(
  storage: Storage,
  reader: Reader,
  conversation: Conversation,
  channel: Channel,
  said: Pick<Utterance, 'kind' | 'inReplyTo' | 'extras'>,
  at: Date,
): Promise<{ readonly connector: Connector; readonly target: Message | undefined }> {
  const connector = connectorOf(channel.type)
  if (connector === undefined) throw refusal('kind_not_possible', 'kind', `Parley cannot write to ${channel.type} yet.`)
  if (channel.disconnectedAt !== null)
    throw refusal('channel_disconnected', 'kind', 'The channel is no longer connected. Connect it again first.')
  if (!connector.limits(conversation.visibility).kinds.includes(said.kind))
    throw refusal(
      'kind_not_possible',
      'kind',
      `A ${said.kind.replace('_', ' ')} cannot be written in this conversation.`,
    )
  checkWindow(channel, conversation, said, at)
  const target = await findTarget(storage, reader, conversation, said)
  if (said.kind === 'private_reply' && target !== undefined)
    await checkPrivateReply(storage, reader, channel, conversation, target, at)
  if (channel.type === 'x' && said.kind === 'comment' && target !== undefined)
    await checkSummoned(storage, reader, conversation, target)
  return { connector, target }
}

/** What is written privately is measured as direct messages are, wherever the conversation stands. */
export const limitsFor = (connector: Connector, kind: OutboundKind): Limits =>
  connector.limits(kind === 'comment' ? 'public' : 'direct')

/** @throws Problem 409 `newer_message`, `conversation_resolved` or `conversation_reassigned`, with what is there `now` */
export async function checkSeen(
  storage: Storage,
  reader: Reader,
  conversation: Conversation,
  seen: Seen | undefined,
): Promise<void> {
  if (seen === undefined) return
  const { accountId, id, status, assigneeId } = conversation
  const latest = seen.messageId === undefined ? undefined : await storage.messages.latestInbound(reader, accountId, id)
  const now = { message_id: latest?.id ?? null, status, assignee_id: assigneeId }
  if (latest !== undefined && latest.id !== seen.messageId) {
    const known = await storage.messages.get(reader, accountId, seen.messageId ?? '')
    if (known?.conversationId !== id || latest.receivedAt > known.receivedAt)
      throw conflict('newer_message', 'The contact has written something new meanwhile.', { now })
  }
  if (status === 'resolved' && seen.status !== undefined && seen.status !== 'resolved')
    throw conflict('conversation_resolved', 'The conversation has been resolved meanwhile.', { now })
  if (seen.assigneeId !== undefined && seen.assigneeId !== assigneeId)
    throw conflict('conversation_reassigned', 'Somebody else has the conversation meanwhile.', { now })
}

/**
 * The documents that are to be kept with a message.
 * @throws Problem 422 with code `attachment_gone`
 */
export async function findDocuments(storage: Storage, reader: Reader, accountId: string, files: readonly GivenFile[]) {
  const ids = files.map(({ documentId }) => documentId)
  const found = await storage.documents.getMany(reader, accountId, [...new Set(ids.filter(isId))])
  return files.map(({ documentId, altText }, index) => {
    const document = found.find(({ id }) => id === documentId)
    if (document === undefined)
      throw refusal('attachment_gone', `attachments.${String(index)}`, 'There is no such file, or no longer.')
    return { document, altText: altText === undefined || altText.trim() === '' ? null : altText }
  })
}

function checkExtras(limits: ExtraLimits, { extras = {}, files = [] }: Utterance): void {
  const { quickReplies, template, interactive, quoteOf } = extras
  const refuse = (field: string, message: string) => refusal('extras_not_possible', field, message)
  const named = { quick_replies: quickReplies, template, interactive }
  const [first, second] = Object.entries(named).flatMap(([name, value]) => (value === undefined ? [] : [name]))
  if (second !== undefined) throw refuse(second, `It cannot be said together with ${String(first)}.`)
  if ((template !== undefined || interactive !== undefined) && files.length > 0)
    throw refuse(String(first), 'It cannot be said together with files.')
  if (quickReplies !== undefined) {
    const limit = limits.quickReplies
    if (limit === undefined) throw refuse('quick_replies', 'This network shows no quick replies here.')
    if (quickReplies.length > limit.max) throw refuse('quick_replies', `At most ${String(limit.max)} quick replies.`)
    if (quickReplies.some(({ title }) => Array.from(title).length > limit.maxTitleLength))
      throw refuse(
        'quick_replies',
        `The title of a quick reply has at most ${String(limit.maxTitleLength)} characters.`,
      )
  }
  if (template !== undefined && limits.templates === undefined)
    throw refuse('template', 'This network knows no templates.')
  if (quoteOf !== undefined && limits.quote === undefined) throw refuse('quote_of', 'Nothing can be quoted here.')
  if (interactive === undefined) return
  const limit = limits.interactive
  if (limit === undefined) throw refuse('interactive', 'This network shows no buttons or lists here.')
  const isTooMany =
    interactive.type === 'buttons'
      ? interactive.buttons.length > limit.maxButtons
      : interactive.rows.length > limit.maxRows
  if (isTooMany)
    throw refuse('interactive', `At most ${String(limit.maxButtons)} buttons or ${String(limit.maxRows)} rows.`)
}

function checkText(limits: Limits, { text, files = [], extras = {} }: Utterance): void {
  if (text.trim() === '' && extras.template === undefined && (files.length === 0 || extras.interactive !== undefined))
    throw refusal(
      'empty',
      'text',
      files.length === 0 ? 'The answer has neither text nor files.' : 'The answer has no text.',
    )
  const length = limits.measureText(text)
  if (length > limits.maxTextLength)
    throw refusal(
      'too_long',
      'text',
      `The text has ${String(length)} of at most ${String(limits.maxTextLength)} ${units[limits.counting]}, as the network counts them.`,
    )
}
const units = { characters: 'characters', bytes: 'bytes', weighted: 'weighted characters' } as const

async function checkFiles(
  storage: Storage,
  reader: Reader,
  { files: limits }: Limits,
  { accountId, files = [] }: Utterance,
): Promise<CheckedFile[]> {
  if (files.length === 0) return []
  if (limits.max === 0) throw refusal('attachment_type', 'attachments', 'No files can be sent here.')
  if (files.length > limits.max)
    throw refusal('too_many_attachments', 'attachments', `At most ${String(limits.max)} files in one message.`)
  const found = await findDocuments(storage, reader, accountId, files)
  return found.map(({ document, altText }, index) => {
    const field = `attachments.${String(index)}`
    const kind = fitFile(limits, document)
    if (kind === 'wrong_type')
      throw refusal('attachment_type', field, `The network takes no files of the type ${document.contentType} here.`)
    if (kind === 'too_big')
      throw refusal(
        'attachment_too_big',
        field,
        `The file has ${String(document.size)} bytes, more than the network takes.`,
      )
    return { document, kind, altText }
  })
}

function checkWindow(
  { type }: Channel,
  conversation: Conversation,
  { kind, extras }: Pick<Utterance, 'kind' | 'extras'>,
  at: Date,
): void {
  if (kind !== 'reply' || extras?.template !== undefined) return
  const closesAt = windowClosesAt(type, conversation.visibility, conversation.lastInboundAt)
  if (closesAt === undefined || closesAt > at) return
  const wayOut =
    type === 'whatsapp' ? 'until they write again only a template can be sent' : 'the person must write again first'
  throw refusal('window_closed', 'text', `The network took answers until ${closesAt.toISOString()}; ${wayOut}.`)
}

/** What the answer answers. */
async function findTarget(
  storage: Storage,
  reader: Reader,
  conversation: Conversation,
  { inReplyTo, kind }: Pick<Utterance, 'kind' | 'inReplyTo'>,
): Promise<Message | undefined> {
  const { accountId } = conversation
  const gone = () => refusal('deleted_target', 'in_reply_to', 'What is to be answered has been deleted on the network.')
  if (inReplyTo !== undefined) {
    const message = await storage.messages.get(reader, accountId, inReplyTo)
    if (message?.conversationId !== conversation.id || message.externalId === null)
      throw refusal('nothing_to_answer', 'in_reply_to', 'There is no such message in this conversation.')
    if (message.deletedAt !== null) throw gone()
    return message
  }
  if (kind === 'reply') return undefined
  const latest = await storage.messages.latestInbound(reader, accountId, conversation.id)
  if (latest?.externalId != null) return latest
  if (conversation.lastInboundAt !== null) throw gone()
  throw refusal('nothing_to_answer', 'in_reply_to', 'There is nothing in this conversation that could be answered.')
}

async function checkPrivateReply(
  storage: Storage,
  reader: Reader,
  { type }: Channel,
  { accountId, id }: Conversation,
  target: Message,
  at: Date,
): Promise<void> {
  const closesAt = privateReplyClosesAt(type, target.occurredAt)
  if (closesAt !== undefined && closesAt <= at)
    throw refusal('window_closed', 'text', `The comment could be answered privately until ${closesAt.toISOString()}.`)
  const isUsed =
    hasOnePrivateReply(type) &&
    (await storage.deliveries.hasPrivateReply(reader, accountId, id, target.externalId ?? ''))
  if (isUsed)
    throw refusal(
      'private_reply_used',
      'in_reply_to',
      'This comment has had its one private reply. Answer it publicly.',
    )
}

/** Apps of X's self-serve plans may answer only who mentioned or quoted the account; whose author did not shows when X refuses. */
async function checkSummoned(
  storage: Storage,
  reader: Reader,
  { accountId, id }: Conversation,
  { externalId }: Message,
): Promise<void> {
  if (await storage.deliveries.wasRefused(reader, accountId, id, externalId ?? '', 'not_summoned'))
    throw refusal(
      'x_not_summoned',
      'in_reply_to',
      'X lets this app answer only people who have mentioned the account or quoted one of its posts.',
    )
}

/** A named refusal of one field. */
export const refusal = (code: string, field: string, message: string): Problem =>
  new Problem(422, code, message, [{ field, message }])
