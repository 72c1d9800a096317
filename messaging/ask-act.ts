/** What a user wants done to a message on its network, asked before anything is queued: what cannot be done is refused by name. */
import { notFound, Problem } from '../infra/errors.ts'
import { newId } from '../infra/ids.ts'
import type { Act, Channel, Conversation, Message, Storage } from '../storage/index.ts'
import type { MessageAct } from '../storage/model/words.ts'
import type { ActName, Limits } from './connectors/connector.ts'
import { connectorOf } from './connectors/registry.ts'

export interface AskedAct {
  /** The same id again is the same wish. */
  readonly id?: string
  readonly accountId: string
  readonly messageId: string
  readonly userId: string | null
  readonly what: MessageAct
  /** With `react` only. */
  readonly emoji?: string | undefined
}

/** What takes back or replaces what: of these only the last one counts. */
const families: readonly (readonly MessageAct[])[] = [
  ['hide', 'unhide'],
  ['like', 'unlike'],
  ['react', 'unreact'],
  ['delete'],
]

/**
 * Queues it; what was asked for before of the same kind and not begun is dropped.
 * @throws Problem 404; 422 with code `channel_disconnected`, `act_not_possible`, `not_own`, `not_on_network`, `deleted_target`,
 * `emoji_missing` or `emoji_not_possible`
 */
export async function askAct(storage: Storage, asked: AskedAct): Promise<Act> {
  const { accountId, messageId, what, userId, id = newId() } = asked
  return storage.write(async (tx) => {
    const message = await storage.messages.lock(tx, accountId, messageId)
    const channel = message && (await storage.channels.get(tx, accountId, message.channelId))
    if (message === undefined || channel === undefined) throw notFound('message')
    const already = await storage.acts.get(tx, accountId, id)
    if (already !== undefined) return already
    checkAct(message, channel, asked)
    await storage.acts.supersede(tx, accountId, messageId, families.find((family) => family.includes(what)) ?? [what])
    const { channelId, conversationId } = message
    const emoji = asked.emoji ?? null
    await storage.acts.insert(tx, {
      id,
      accountId,
      channelId,
      conversationId,
      messageId,
      what,
      emoji,
      createdBy: userId,
    })
    await storage.outbox.append(tx, {
      accountId,
      type: 'message.act_queued',
      data: {
        conversation_id: conversationId,
        message_id: messageId,
        channel_id: channelId,
        act_id: id,
        what,
        by: userId,
      },
    })
    const act = await storage.acts.get(tx, accountId, id)
    if (act === undefined) throw new Error('an act that was just written is not there')
    return act
  })
}

/** Limits of the place; refused when it knows no such thing, or the channel is gone. @throws Problem 422 */
export function limitsOfActs(
  channel: Channel,
  visibility: Conversation['visibility'],
  what: ActName,
): Pick<Limits, 'acts' | 'ownActs'> {
  if (channel.disconnectedAt !== null)
    throw refusal('channel_disconnected', 'what', 'The channel is no longer connected. Connect it again first.')
  const limits = connectorOf(channel.type)?.limits(visibility)
  if (limits?.acts.includes(what) !== true)
    throw refusal('act_not_possible', 'what', `${names[channel.type]} has no way to ${sayings[what]} here.`)
  return limits
}

function checkAct(message: Message, channel: Channel, { what, emoji }: AskedAct): void {
  if (message.kind === 'note') throw refusal('act_not_possible', 'what', 'A note is not on any network.')
  const limits = limitsOfActs(channel, message.visibility, what)
  const isOurs = message.direction === 'outbound'
  if (isOurs && (what === 'hide' || what === 'unhide'))
    throw refusal('act_not_possible', 'what', 'What the channel itself has said cannot be hidden.')
  if (!isOurs && limits.ownActs?.includes(what) === true)
    throw refusal('not_own', 'what', `What others have said cannot be treated so: ${sayings[what]}.`)
  if (message.externalId === null)
    throw refusal('not_on_network', 'what', 'The message is not on the network, as far as anybody knows.')
  if (message.deletedAt !== null) throw refusal('deleted_target', 'what', 'The message has been deleted.')
  if (what === 'react' && emoji === undefined) throw refusal('emoji_missing', 'emoji', 'A reaction needs an emoji.')
  if (emoji !== undefined && (what !== 'react' || !/^\p{RGI_Emoji}$/v.test(emoji)))
    throw refusal('emoji_not_possible', 'emoji', 'One emoji goes with a reaction, and nothing else.')
}

const sayings: Readonly<Record<ActName, string>> = {
  hide: 'hide a message',
  unhide: 'show a hidden message again',
  like: 'like a message',
  unlike: 'take a like back',
  delete: 'delete a message',
  react: 'react to a message',
  unreact: 'take a reaction back',
  typing: 'show that somebody is typing',
  seen: 'show that a message was seen',
}
const names: Readonly<Record<Channel['type'], string>> = {
  facebook: 'Facebook',
  instagram: 'Instagram',
  whatsapp: 'WhatsApp',
  x: 'X',
}

const refusal = (code: string, field: string, message: string): Problem =>
  new Problem(422, code, message, [{ field, message }])
