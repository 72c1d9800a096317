/** Whether something may be said, asked before anything is queued: what the network would refuse is refused here, by name. */
import { conflict, notFound } from '../infra/errors.ts'
import type { Channel, Conversation, Message, Reader, Storage } from '../storage/index.ts'
import { checkContent, limitsFor, refusal } from './check-content.ts'
import type { Utterance } from './check-content.ts'
import type { Connector, Part } from './connectors/connector.ts'
import { connectorOf } from './connectors/registry.ts'
import type { CheckedFile } from './files.ts'
import { partsOf } from './parts.ts'
import { hasOnePrivateReply, privateReplyClosesAt, windowClosesAt } from './windows.ts'

/** What the writer saw; what is left out does not matter to them. */
export interface Seen {
  /** The newest message. */
  readonly messageId?: string | undefined
  readonly status?: string | undefined
  readonly assigneeId?: string | null | undefined
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
 * @param known its conversation, where the caller has it
 * @throws Problem 404; 422 with code `channel_disconnected`, `kind_not_possible`, `extras_not_possible`, `empty`, `too_long`,
 * `attachment_gone`, `attachment_type`, `attachment_too_big`, `too_many_attachments`, `window_closed`, `nothing_to_answer`,
 * `deleted_target`, `private_reply_used` or `x_not_summoned`
 */
export async function checkSayable(
  storage: Storage,
  reader: Reader,
  said: Utterance,
  at: Date = new Date(),
  known?: Conversation,
): Promise<Sayable> {
  const conversation = known ?? (await storage.conversations.get(reader, said.accountId, said.conversationId))
  const channel = conversation && (await storage.channels.get(reader, said.accountId, conversation.channelId))
  if (conversation === undefined || channel === undefined) throw notFound('conversation')
  const { connector, target } = await checkPlace(storage, reader, conversation, channel, said, at)
  const files = await checkContent(storage, reader, limitsFor(connector, said.kind), said)
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
