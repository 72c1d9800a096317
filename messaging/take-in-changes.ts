/** The items that make nothing new: edits, deletions, hiding, reactions, receipts, and rights that ended. */
import type { Message } from '../storage/index.ts'
import type { InboundEvent } from './connectors/connector.ts'
import type { Change } from './changes.ts'
import { changeMessage, moveForward } from './changes.ts'
import type { Intake, Item } from './take-in.ts'

/** Applies them to what is there; what has not come yet finds them waiting. */
export async function changeExisting(intake: Intake, items: readonly Item[]): Promise<void> {
  const wanted = items.flatMap((item) => idsOf(item.event).flatMap((externalId) => keysOf(item, externalId)))
  let known = await intake.storage.messages.findByExternal(intake.tx, wanted, 'for update')
  for (const item of items) {
    const { event } = item
    if (event.type === 'receipt') await takeReceipt(intake, item, event, known)
    else if (event.type === 'revoked') await takeRevocation(intake, item, event)
    else {
      const change = changeOf(event)
      if (change === undefined || !('externalId' in event)) continue
      if (await changeOne(intake, item, event.externalId, change, known)) known = await intake.storage.messages.findByExternal(intake.tx, wanted, 'for update')
    }
  }
}

const visibilities = ['direct', 'public'] as const
const keysOf = ({ channel }: Item, externalId: string) => visibilities.map((visibility) => ({ accountId: channel.accountId, channelId: channel.id, visibility, externalId }))

function idsOf(event: InboundEvent): readonly string[] {
  if (event.type === 'receipt') return event.ids ?? []
  return changeOf(event) !== undefined && 'externalId' in event ? [event.externalId] : []
}

function changeOf(event: InboundEvent): Change | undefined {
  switch (event.type) {
    case 'edit':
      return { type: 'edit', at: event.occurredAt, text: event.text ?? null }
    case 'delete':
      return { type: 'delete', at: event.occurredAt }
    case 'hide':
      return { type: 'hide', at: event.occurredAt, isHidden: event.isHidden }
    case 'reaction':
      return { type: 'reaction', at: event.occurredAt, by: event.from.externalId, emoji: event.emoji ?? null }
    default:
      return undefined
  }
}

const find = ({ storage }: Intake, item: Item, externalId: string, known: ReadonlyMap<string, Message>): Message | undefined =>
  keysOf(item, externalId)
    .map((key) => known.get(storage.messages.key(key)))
    .find((message) => message !== undefined)

/** Whether a message was changed. */
async function changeOne(intake: Intake, item: Item, externalId: string, change: Change, known: ReadonlyMap<string, Message>): Promise<boolean> {
  const { storage, tx, facts, trace } = intake
  const message = find(intake, item, externalId, known)
  if (message !== undefined) {
    await changeMessage(storage, tx, message, [change], facts)
    trace.set(item, { at: item.at, became: change.type, id: message.id })
    return true
  }
  const { accountId, id: channelId } = item.channel
  if (change.type === 'edit' && (await storage.posts.edit(tx, accountId, channelId, externalId, change.text))) {
    trace.set(item, { at: item.at, became: 'edit of a post', id: null })
    return false
  }
  await keepEarly(intake, item, externalId, change)
  trace.set(item, { at: item.at, became: `${change.type}, waiting for its message`, id: null })
  return false
}

/**
 * The message may be on its way in on another node. Both insert first and then look for the other's row with a locking read,
 * so that at least one of them sees it.
 */
async function keepEarly(intake: Intake, item: Item, externalId: string, change: Change): Promise<void> {
  const { storage, tx, facts } = intake
  const { accountId, id: channelId } = item.channel
  await storage.earlyChanges.keep(tx, { accountId, channelId, externalId, change })
  const met = await storage.messages.findByExternal(tx, keysOf(item, externalId), 'for update')
  for (const message of met.values()) {
    await storage.earlyChanges.take(tx, [{ accountId, channelId, externalId }])
    await changeMessage(storage, tx, message, [change], facts)
  }
}

async function takeReceipt(intake: Intake, item: Item, event: Extract<InboundEvent, { type: 'receipt' }>, known: ReadonlyMap<string, Message>): Promise<void> {
  const { storage, tx, facts, trace } = intake
  const { accountId, id: channelId } = item.channel
  const { state } = event
  const messages = (event.ids ?? []).map((externalId) => ({ externalId, message: find(intake, item, externalId, known) }))
  await moveForward(storage, tx, messages.flatMap(({ message }) => (message?.direction === 'outbound' ? [message.id] : [])), state, facts)
  for (const { externalId, message } of messages) if (message === undefined) await keepEarly(intake, item, externalId, { type: 'receipt', at: event.occurredAt, state })
  if (event.upTo !== undefined) {
    const thread = { accountId, channelId, threadKey: `direct:${event.person.externalId}` }
    const conversation = (await storage.conversations.findByThread(tx, [thread])).get(storage.conversations.key(thread))
    const covered = conversation === undefined ? [] : await storage.deliveries.lockCovered(tx, accountId, conversation.id, event.upTo)
    await moveForward(storage, tx, covered.map(({ messageId }) => messageId), state, facts)
  }
  trace.set(item, { at: item.at, became: `receipt: ${state}`, id: null })
}

async function takeRevocation({ storage, tx, facts, trace }: Intake, item: Item, event: Extract<InboundEvent, { type: 'revoked' }>): Promise<void> {
  const { accountId, id } = item.channel
  if (await storage.channels.setState(tx, accountId, id, 'reconnect_needed', event.reason.slice(0, 500))) {
    facts.push({ accountId, type: 'channel.changed', data: { channel_id: id, state: 'reconnect_needed', reason: event.reason.slice(0, 500) } })
  }
  trace.set(item, { at: item.at, became: 'channel revoked', id })
}
