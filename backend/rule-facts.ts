/** What rules and texts can know of conversations: gathered for many at once. */
import type { Contact, ContactAddress, Conversation, Message, OwnedHours, Reader, Storage } from '../storage/index.ts'
import { markKinds } from '../storage/index.ts'
import type { RuleFacts } from '../storage/model/rules.ts'
import { priorities } from '../storage/model/words.ts'
import type { ChannelType } from '../storage/model/words.ts'
import { firstNameOf } from './fill-in.ts'
import type { Values } from './fill-in.ts'
import { isOpenAt } from './open-hours.ts'

/** What stands around some conversations of one account. */
export interface Around {
  readonly accountId: string
  readonly accountName: string
  readonly channels: ReadonlyMap<string, { readonly type: ChannelType; readonly name: string }>
  readonly contacts: ReadonlyMap<string, Contact>
  readonly addresses: ReadonlyMap<string, ContactAddress>
  readonly labels: Map<string, readonly string[]>
  readonly hours: ReadonlyMap<string, OwnedHours>
}

const newMs = 24 * 60 * 60_000

export async function lookAround(
  storage: Storage,
  reader: Reader,
  accountId: string,
  conversations: readonly Conversation[],
): Promise<Around> {
  const contactIds = [...new Set(conversations.map(({ contactId }) => contactId))]
  const account = await storage.accounts.get(reader, accountId)
  const channels = await storage.channels.list(reader, accountId)
  const contacts = await storage.contacts.getMany(reader, accountId, contactIds)
  const addresses = await storage.contacts.addressesOf(reader, accountId, contactIds)
  const hours = await storage.businessHours.list(reader, accountId)
  return {
    accountId,
    accountName: account?.name ?? '',
    channels: new Map(channels.map((each) => [each.id, each])),
    contacts: new Map(contacts.map((each) => [each.id, each])),
    addresses: new Map(addresses.map((each) => [each.id, each])),
    labels: await labelsOf(storage, reader, accountId, conversations),
    hours: new Map(hours.map((each) => [each.ownerId, each])),
  }
}

/** The labels of each, by its id. */
export async function labelsOf(
  storage: Storage,
  reader: Reader,
  accountId: string,
  conversations: readonly Conversation[],
): Promise<Map<string, readonly string[]>> {
  const marked = conversations.filter(({ isMarked }) => isMarked).map(({ id }) => id)
  const marks = await storage.marks.of(reader, accountId, marked, markKinds.label)
  const grouped = Map.groupBy(marks, ({ conversationId }) => conversationId)
  return new Map([...grouped].map(([id, of]) => [id, of.map(({ mark }) => mark)]))
}

/** @param message what it is about: that of the event, else the newest of the contact */
export function factsOf(around: Around, conversation: Conversation, message: Message | undefined, at: Date): RuleFacts {
  const contact = around.contacts.get(conversation.contactId)
  const hours =
    (conversation.teamId === null ? undefined : around.hours.get(conversation.teamId)) ??
    around.hours.get(around.accountId)
  return {
    at,
    channelId: conversation.channelId,
    network: around.channels.get(conversation.channelId)?.type ?? 'facebook',
    visibility: conversation.visibility,
    kind: message?.kind ?? null,
    text: message?.text ?? '',
    status: conversation.status,
    priority: priorities[conversation.priority] ?? 'none',
    assigneeId: conversation.assigneeId,
    teamId: conversation.teamId,
    labelIds: around.labels.get(conversation.id) ?? [],
    waitingSince: conversation.waitingSince,
    isContactNew: contact !== undefined && at.getTime() - contact.createdAt.getTime() < newMs,
    isContactBlocked: contact !== undefined && contact.blockedAt !== null,
    attributes: contact?.attributes ?? {},
    isOpenHours: isOpenAt(hours, at),
  }
}

/** What variables stand for. A name that the network has not told is not known. @param agent whose words they are */
export function valuesOf(around: Around, conversation: Conversation, agent: string | null): Values {
  const isNamed = around.addresses.get(conversation.contactAddressId)?.name !== null
  const contact = isNamed ? around.contacts.get(conversation.contactId)?.name : undefined
  const name = contact === undefined || contact.trim() === '' ? null : contact
  return {
    'contact.name': name,
    'contact.first_name': firstNameOf(name),
    'agent.name': agent,
    'channel.name': around.channels.get(conversation.channelId)?.name ?? null,
    'account.name': around.accountName === '' ? null : around.accountName,
  }
}
