/** The items that somebody said: which conversation each belongs to, which are our own words coming back, and the rest inserted. */
import { newId } from '../infra/ids.ts'
import type { ContactAddress, Delivery, Message, Post, Storage } from '../storage/index.ts'
import type { NewEvent } from '../storage/model/events.ts'
import { applyEarly } from './changes.ts'
import type { InboundAttachment } from './connectors/connector.ts'
import { connectorOf } from './connectors/registry.ts'
import { confirmSent, normaliseText } from './echo.ts'
import { findParts } from './named.ts'
import { addressOf, personOf } from './persons.ts'
import { joinStrays } from './strays.ts'
import type { Intake, Item, Said } from './take-in.ts'
import { parentsOf, Places, threadKey } from './threads.ts'
import type { Place } from './threads.ts'

const ownKey = ({ channel, event }: Said) => ({
  accountId: channel.accountId,
  channelId: channel.id,
  visibility: event.thread.kind,
  externalId: event.externalId,
})

/** Takes in what was said, in order of time; `people` and `posts` are there already. */
export async function takeInUtterances(
  intake: Intake,
  said: readonly Said[],
  people: ReadonlyMap<string, ContactAddress>,
  posts: ReadonlyMap<string, Post>,
): Promise<void> {
  const { storage, tx } = intake
  const parents = said.flatMap((item) =>
    parentsOf(item.event).map((externalId) => ({ ...ownKey(item), visibility: 'public' as const, externalId })),
  )
  const known = await storage.messages.findByExternal(tx, [...said.map(ownKey), ...parents])
  // Our own words may be a later part of an answer, and what people answer may be one.
  const ours = [...said.filter(({ event }) => event.type === 'echo').map(ownKey), ...parents]
  const parts = await findParts(storage, tx, ours.filter((key) => !known.has(storage.messages.key(key)))) // prettier-ignore
  for (const [key, { message }] of parts) known.set(key, message)
  const twins = await findTwins(intake, said, people)
  const fresh: Said[] = []
  const seen = new Set<string>()
  for (const item of said) {
    const key = storage.messages.key(ownKey(item))
    const message = known.get(key)
    const twin = isToAll(item) ? twins.get(twinKey(item.channel.accountId, item.event.externalId)) : undefined
    if (message !== undefined || seen.has(key)) note(intake, item, 'repeat', message?.id ?? null)
    else if (twin !== undefined && twin.channelId !== item.channel.id)
      note(intake, item, 'repeat, of another of our channels', twin.id)
    else if (!(item.event.type === 'echo' && (await adoptByReference(intake, item, item.event.reference))))
      fresh.push(item)
    seen.add(key)
    if (isToAll(item) && twin === undefined)
      twins.set(twinKey(item.channel.accountId, item.event.externalId), {
        id: message?.id ?? null,
        channelId: item.channel.id,
      })
  }
  if (fresh.length === 0) return

  const threads = fresh.map((item) => ({
    accountId: item.channel.accountId,
    channelId: item.channel.id,
    threadKey: threadKey(item.event.thread, addressOf(storage, item, people)?.externalId),
  }))
  const places = await Places.read(storage, tx, known, threads)
  const placed = new Map<Said, Place>()
  for (const item of fresh) {
    const postId = item.event.thread.kind === 'public' ? item.event.thread.postId : undefined
    const post =
      postId === undefined
        ? undefined
        : posts.get(storage.posts.key({ channelId: item.channel.id, externalId: postId }))
    const find = (person: ContactAddress | undefined): Place | undefined =>
      places.find(item.channel, item.event, person, post?.id ?? null)
    const place = find(addressOf(storage, item, people)) ?? find(await ourselves(intake, item))
    if (place !== undefined && !(item.event.type === 'echo' && (await adoptByText(intake, item, place)))) {
      placed.set(item, place)
      places.remember(item.channel, item.event, place)
    }
  }
  if (placed.size === 0) return
  await insertUtterances(intake, placed, people)
  await joinStrays(intake, [...placed.keys()])
}

const twinKey = (accountId: string, externalId: string): string => `${accountId} ${externalId}`

/** A direct message of a network whose ids hold for all our channels there. */
const isToAll = ({ channel, event }: Said): boolean =>
  event.type === 'message' && event.thread.kind === 'direct' && connectorOf(channel.type)?.addressScope === 'network'

/**
 * X tells each of our users in a group of the same direct message: for the account it is one, in the channel that was told
 * first. The writers are locked, so that another node that takes in the other telling waits and then sees it.
 */
async function findTwins(
  { storage, tx }: Intake,
  said: readonly Said[],
  people: ReadonlyMap<string, ContactAddress>,
): Promise<Map<string, { readonly id: string | null; readonly channelId: string }>> {
  const direct = said.filter(isToAll)
  const writers = direct.flatMap((item) => addressOf(storage, item, people)?.id ?? [])
  await storage.contacts.lockAddresses(tx, [...new Set(writers)])
  const keys = direct.map(({ channel, event }) => [channel.accountId, channel.type, event.externalId] as const)
  const found = await storage.messages.inboundAnywhere(tx, keys)
  return new Map(found.map((message) => [twinKey(message.accountId, message.externalId), message]))
}

/** Our own words below a post, said to nobody yet: until somebody answers, the conversation is with ourselves. */
async function ourselves({ storage, tx }: Intake, { channel }: Said): Promise<ContactAddress | undefined> {
  const person = personOf(channel, { externalId: channel.externalId, name: channel.name })
  return (await storage.contacts.resolve(tx, [person])).get(storage.contacts.key(person))
}

/** The echo brings back what we gave along when sending: the delivery's id. */
async function adoptByReference(intake: Intake, item: Said, reference: string | undefined): Promise<boolean> {
  if (reference === undefined) return false
  const { storage, tx, facts } = intake
  const delivery = await storage.deliveries.lock(tx, item.channel.accountId, reference)
  if (delivery?.channelId !== item.channel.id) return false
  await confirmSent(storage, tx, delivery, item.event.externalId, facts)
  note(intake, item, 'echo', delivery.messageId)
  return true
}

/** A sending whose fate is open, of the same conversation (a private reply: of this channel) and with the same text. */
async function adoptByText(intake: Intake, item: Said, place: Place): Promise<boolean> {
  const { storage, tx, facts } = intake
  const text = normaliseText(item.event.text)
  const open = await storage.deliveries.lockInFlight(tx, item.channel.accountId, item.channel.id)
  const match = open.find(
    (each) =>
      normaliseText(each.said) === text &&
      each.fileCount > 0 === item.event.attachments.some(isFile) &&
      isOfTime(each, item.event.occurredAt) &&
      each.visibility === item.event.thread.kind &&
      (each.conversationId === place.id || (each.kind === 'private_reply' && item.event.thread.kind === 'direct')),
  )
  if (match === undefined) return false
  await confirmSent(storage, tx, match, item.event.externalId, facts)
  note(intake, item, 'echo', match.messageId)
  return true
}

/** A link in a text may come back as a share. */
const isFile = ({ kind }: InboundAttachment): boolean => kind !== 'share' && kind !== 'other' && kind !== 'location'

/** An old sending of unknown fate must not take the same words said anew; clocks may differ by minutes. */
const isOfTime = (delivery: Delivery, saidAt: Date): boolean =>
  saidAt.getTime() > delivery.createdAt.getTime() - clockSlackMs &&
  saidAt.getTime() < delivery.updatedAt.getTime() + clockSlackMs
const clockSlackMs = 10 * 60_000

async function insertUtterances(
  intake: Intake,
  placed: ReadonlyMap<Said, Place>,
  people: ReadonlyMap<string, ContactAddress>,
): Promise<void> {
  const { storage, tx, facts, files } = intake
  const ids = await beginConversations(intake, [...placed.values()])
  const drafts = new Map([...placed].map(([item, place]) => [item, draft(storage, item, ids.get(place) ?? '', people)]))
  const writers = [...new Set([...drafts.values()].flatMap(({ contactId }) => contactId ?? []))]
  for (const id of await storage.contacts.blockedOf(tx, writers)) intake.blocked.add(id)
  const isNew = await storage.messages.insertNew(tx, [...drafts.values()])
  const fresh: Message[] = []
  for (const [item, message] of drafts) {
    if (!isNew.has(message.id)) {
      note(intake, item, 'repeat')
      continue
    }
    fresh.push(message)
    if (item.event.attachments.length > 0) files.set(message.id, item.event.attachments)
    note(intake, item, item.event.type === 'echo' ? 'sent elsewhere' : message.kind, message.id)
    facts.push(saidFact(item, message, intake.blocked))
  }
  await storage.attachments.insert(
    tx,
    fresh.flatMap(({ id, accountId }) =>
      (files.get(id) ?? []).map((file, position) => ({ accountId, messageId: id, position, ...file })),
    ),
  )
  for (const message of await applyEarly(storage, tx, fresh, facts)) intake.fresh.set(message.id, message)
}

/** Begins what is to begin; the id of each place. */
async function beginConversations(
  { storage, tx, facts }: Intake,
  places: readonly Place[],
): Promise<ReadonlyMap<Place, string>> {
  const distinct = [...new Set(places)]
  const begun = await storage.conversations.begin(
    tx,
    distinct.filter((place) => place.id === undefined),
  )
  for (const { id, accountId, channelId } of begun.all.values())
    if (begun.created.has(id))
      facts.push({ accountId, type: 'conversation.created', data: { conversation_id: id, channel_id: channelId } })
  return new Map(
    distinct.map((place) => [place, place.id ?? begun.all.get(storage.conversations.key(place))?.id ?? '']),
  )
}

function saidFact(item: Said, message: Message, blocked: ReadonlySet<string>): NewEvent {
  const { id, accountId, conversationId, channelId, contactId, kind } = message
  const told = { conversation_id: conversationId, message_id: id, channel_id: channelId }
  return item.event.type === 'echo'
    ? { accountId, type: 'message.sent_elsewhere', data: told }
    : {
        accountId,
        type: 'message.received',
        data: { ...told, kind, ...(blocked.has(contactId ?? '') && { is_blocked: true }) },
      }
}

function draft(
  storage: Storage,
  item: Said,
  conversationId: string,
  people: ReadonlyMap<string, ContactAddress>,
): Message {
  const { channel, event } = item
  const isInbound = event.type === 'message'
  return {
    id: newId(),
    accountId: channel.accountId,
    channelId: channel.id,
    conversationId,
    contactId: isInbound ? (addressOf(storage, item, people)?.contactId ?? null) : null,
    direction: isInbound ? 'inbound' : 'outbound',
    kind: event.kind,
    visibility: event.thread.kind,
    externalId: event.externalId,
    authorId: null,
    text: event.text ?? null,
    inReplyTo: event.inReplyTo ?? null,
    extra: event.extra ?? null,
    reactions: null,
    isHidden: false,
    occurredAt: event.occurredAt,
    receivedAt: item.receivedAt,
    editedAt: null,
    deletedAt: null,
  }
}

const note = (intake: Intake, item: Item, became: string, id: string | null = null): void => {
  intake.trace.set(item, { at: item.at, became, id })
}
