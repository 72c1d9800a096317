/** The items that make nothing new: edits, deletions, hiding, reactions, receipts, and rights that ended. */
import type { PartKey, Trouble } from '../storage/index.ts'
import type { InboundEvent } from './connectors/connector.ts'
import type { Change, Receipt } from './changes.ts'
import { changeMessage, changePost, isOfPost, moveForward, watermarkKey } from './changes.ts'
import { confirmSent } from './echo.ts'
import { requestCatchUp } from './gaps.ts'
import { reconnectCure, setTrouble, tokenTrouble } from './health.ts'
import { findNamed } from './named.ts'
import type { Named } from './named.ts'
import { personOf } from './persons.ts'
import { deletedPreview, previewOf } from './summary.ts'
import type { Intake, Item } from './take-in.ts'

/** Applies them to what is there; what has not come yet finds them waiting. */
export async function changeExisting(intake: Intake, items: readonly Item[]): Promise<void> {
  const wanted = items.flatMap((item) => idsOf(item.event).flatMap((externalId) => keysOf(item, externalId)))
  let known = await findNamed(intake.storage, intake.tx, wanted)
  for (const item of items) {
    const { event } = item
    if (event.type === 'receipt') await takeReceipt(intake, item, event, known)
    else if (isChannelNews(event)) await takeChannelNews(intake, item)
    else {
      const change = changeOf(event)
      if (change === undefined || !('externalId' in event)) continue
      if (await changeOne(intake, item, event.externalId, change, known))
        known = await findNamed(intake.storage, intake.tx, wanted)
    }
  }
}

const isChannelNews = ({ type }: InboundEvent): boolean =>
  type === 'revoked' || type === 'notice' || type === 'person_changed' || type === 'replayed'
const visibilities = ['direct', 'public'] as const
const keysOf = ({ channel }: Item, externalId: string) =>
  visibilities.map((visibility) => ({ accountId: channel.accountId, channelId: channel.id, visibility, externalId }))

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

const find = (
  { storage }: Intake,
  item: Item,
  externalId: string,
  known: ReadonlyMap<string, Named>,
): Named | undefined =>
  keysOf(item, externalId)
    .map((key) => known.get(storage.messages.key(key)))
    .find((named) => named !== undefined)

/** Whether a message was changed. */
async function changeOne(
  intake: Intake,
  item: Item,
  externalId: string,
  change: Change,
  known: ReadonlyMap<string, Named>,
): Promise<boolean> {
  const { storage, tx, trace } = intake
  const named = find(intake, item, externalId, known)
  if (named !== undefined) {
    await changeShown(intake, named, change)
    trace.set(item, { at: item.at, became: change.type, id: named.message.id })
    return true
  }
  const { accountId, id: channelId } = item.channel
  if (isOfPost(change)) {
    const post = await changePost(storage, tx, { accountId, channelId, externalId }, change, intake.facts)
    if (post !== undefined) {
      trace.set(item, { at: item.at, became: `${change.type} of a post`, id: post })
      return false
    }
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
  const met = await findNamed(storage, tx, keysOf(item, externalId))
  for (const named of met.values()) {
    await storage.earlyChanges.take(tx, [{ accountId, channelId, externalId }])
    await changeShown(intake, named, change)
  }
  const post = { accountId, channelId, externalId }
  if (met.size > 0 || !isOfPost(change)) return
  if ((await changePost(storage, tx, post, change, facts, 'for update')) !== undefined)
    await storage.earlyChanges.take(tx, [post])
}

/** Its conversation may show its words; that of a new message is summarised in the end. */
async function changeShown(
  { storage, tx, facts, fresh }: Intake,
  { message, part }: Named,
  change: Change,
): Promise<void> {
  const after = await changeMessage(storage, tx, message, [change], facts, part)
  if (fresh.has(after.id)) fresh.set(after.id, after)
  else if (after.text !== message.text || after.deletedAt !== message.deletedAt)
    await storage.conversations.showNewest(tx, after, after.deletedAt === null ? previewOf(after.text) : deletedPreview)
}

type Receipted = Extract<InboundEvent, { type: 'receipt' }>

async function takeReceipt(
  intake: Intake,
  item: Item,
  event: Receipted,
  known: ReadonlyMap<string, Named>,
): Promise<void> {
  const { storage, tx, facts, trace } = intake
  const change = {
    type: 'receipt' as const,
    at: event.occurredAt,
    state: event.state,
    ...(event.refusal === undefined ? {} : { refusal: event.refusal }),
  }
  const referred = await takeReference(intake, item, event)
  for (const externalId of event.ids ?? []) {
    const named = find(intake, item, externalId, known)
    if (named !== undefined) await moveForward(storage, tx, partsOf(named), change, facts)
    else if (referred !== undefined) await moveForward(storage, tx, [referred], change, facts)
    else await keepEarly(intake, item, externalId, change)
  }
  if (event.upTo !== undefined)
    await takeWatermark(intake, item, event.person.externalId, { ...change, at: event.upTo })
  trace.set(item, { at: item.at, became: `receipt: ${event.state}`, id: null })
}

const partsOf = ({ message, part }: Named): PartKey[] =>
  message.direction === 'outbound' ? [{ messageId: message.id, part }] : []

/**
 * All that was sent to this person until then. What is under way may be among it: its answer finds the mark. Looked at first,
 * with a lock, so that what is answered for meanwhile is among the sent.
 */
async function takeWatermark(
  { storage, tx, facts }: Intake,
  { channel }: Item,
  personId: string,
  change: Receipt,
): Promise<void> {
  const place = { accountId: channel.accountId, channelId: channel.id }
  const thread = { ...place, threadKey: `direct:${personId}` }
  const id = (await storage.conversations.findByThread(tx, [thread])).get(storage.conversations.key(thread))
  if (id === undefined) return
  if (await storage.deliveries.isUnderWay(tx, place.accountId, id))
    await storage.earlyChanges.keep(tx, { ...place, externalId: watermarkKey(id), change })
  const covered = await storage.deliveries.lockCovered(tx, place.accountId, id, change.at)
  await moveForward(storage, tx, covered, change, facts)
}

/** A receipt that brings back the delivery's id proves it like an echo; what it is of. */
async function takeReference(
  { storage, tx, facts }: Intake,
  item: Item,
  event: Receipted,
): Promise<PartKey | undefined> {
  const [externalId] = event.ids ?? []
  if (event.reference === undefined || externalId === undefined) return undefined
  const delivery = await storage.deliveries.lock(tx, item.channel.accountId, event.reference)
  if (delivery?.channelId !== item.channel.id) return undefined
  if (delivery.state !== 'failed') await confirmSent(storage, tx, delivery, externalId, facts)
  return delivery
}

/** The channel itself: a right that ended, a warning, a person's new id. */
async function takeChannelNews(intake: Intake, item: Item): Promise<void> {
  const { storage, tx, facts, trace } = intake
  const { event, channel } = item
  const place = { accountId: channel.accountId, channelId: channel.id }
  if (event.type === 'revoked') {
    await setTrouble(storage, tx, place, 'token', tokenTrouble('revoked', event.reason), facts)
    await storage.health.hurry(tx, channel.accountId, channel.id)
    trace.set(item, { at: item.at, became: 'channel revoked', id: channel.id })
  } else if (event.type === 'notice') {
    if (event.state !== undefined) await setTrouble(storage, tx, place, 'notice', troubleOfNotice(event), facts)
    trace.set(item, { at: item.at, became: `notice: ${event.code}: ${event.text}`.slice(0, 300), id: channel.id })
  } else if (event.type === 'person_changed') {
    const was = personOf(channel, event.was)
    const address = await storage.contacts.move(tx, was, personOf(channel, event.is))
    if (address !== undefined) {
      const keys = { was: `direct:${event.was.externalId}`, is: `direct:${event.is.externalId}` }
      if (address.strangerId === undefined) await storage.conversations.follow(tx, address, keys)
      else {
        const contacts = { fromId: address.strangerId, intoId: address.contactId }
        const conversationId = await storage.joins.joinPerson(tx, place, keys, contacts)
        if (conversationId !== undefined) {
          const data = { conversation_id: conversationId, changed: ['joined'], by: null }
          facts.push({ accountId: channel.accountId, type: 'conversation.changed', data })
        }
      }
    }
    trace.set(item, { at: item.at, became: 'a person has another id', id: address?.contactId ?? null })
  } else if (event.type === 'replayed') {
    // What the network could not send again is read back.
    if (!event.isComplete) await requestCatchUp(storage, tx, channel, 'replay_incomplete')
    trace.set(item, {
      at: item.at,
      became: `replay ${event.jobId} ${event.isComplete ? 'ended' : 'ended early'}`,
      id: null,
    })
  }
}

const troubleOfNotice = ({ state, code, text }: Extract<InboundEvent, { type: 'notice' }>): Trouble | undefined =>
  state === undefined || state === 'connected'
    ? undefined
    : { state, code, reason: text, cure: state === 'reconnect_needed' ? reconnectCure : null }
