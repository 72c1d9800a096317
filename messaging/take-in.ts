/** Takes many inbound items in, in one transaction with few statements: what they mean to contacts, conversations and messages. */
import type { Channel, ContactAddress, Message, Post, Storage, TraceEntry, Writer } from '../storage/index.ts'
import type { NewEvent } from '../storage/model/events.ts'
import { applyEarlyToPosts } from './changes.ts'
import type { InboundAttachment, InboundEvent } from './connectors/connector.ts'
import { addressOf, counterpartOf, personOf } from './persons.ts'
import { callOffAnswered } from './reply-due.ts'
import { summariseConversations } from './summary.ts'
import { changeExisting } from './take-in-changes.ts'
import { takeInUtterances } from './take-in-utterances.ts'
import type { Utterance } from './threads.ts'

/** One item on its way in. */
export interface Item {
  readonly at: string
  readonly channel: Channel
  readonly event: InboundEvent
  readonly receivedAt: Date
}

/** What one transaction took in. */
export interface TakenIn {
  /** What became of each item. */
  readonly trace: Map<Item, TraceEntry>
  /** Who wrote and has no name yet. */
  readonly nameless: { readonly channel: Channel; readonly address: ContactAddress }[]
}

/** An item that is an utterance. */
export type Said = Item & { readonly event: Utterance }

/** What the steps of one transaction share. */
export interface Intake {
  readonly storage: Storage
  readonly tx: Writer
  readonly facts: NewEvent[]
  readonly trace: Map<Item, TraceEntry>
  /** The messages that are new, by id, as they look by now; what conversations show follows from them in the end. */
  readonly fresh: Map<string, Message>
  /** Their files. */
  readonly files: Map<string, readonly InboundAttachment[]>
  /** Contacts among the writers from whom nothing is to be answered. */
  readonly blocked: Set<string>
}

/**
 * Everything or nothing; a repeat ends quietly on the keys. Locks are taken in the same order on every node: posts and
 * contacts, new messages, known messages, deliveries, and as late as can be conversations, each sorted, so that batches for
 * the same people wait for each other only at the end.
 * @param settle what else belongs into the transaction once it is known what became of each item
 */
export async function takeIn(
  storage: Storage,
  tx: Writer,
  items: readonly Item[],
  settle: (trace: TakenIn['trace']) => Promise<void> = () => Promise.resolve(),
): Promise<TakenIn> {
  const intake: Intake = {
    ...{ storage, tx, facts: [], trace: new Map(), fresh: new Map(), files: new Map() },
    blocked: new Set(),
  }
  // Time and order are the payload's; the sort is stable for what has the same time.
  const sorted = [...items].sort((a, b) => timeOf(a) - timeOf(b))
  const posts = await ensurePosts(intake, sorted)
  const said = sorted.filter(isSaid)
  const people = await resolvePeople(intake, said)
  if (said.length > 0) await takeInUtterances(intake, said, people, posts)
  await changeExisting(intake, sorted)
  await settle(intake.trace)
  await storage.outbox.appendMany(tx, intake.facts.splice(0))
  const answered = await summariseConversations(intake)
  if (answered.length > 0) await callOffAnswered(storage, tx, answered, intake.facts)
  await storage.outbox.appendMany(tx, intake.facts)
  return { trace: intake.trace, nameless: namelessOf(storage, said, people) }
}

const timeOf = (item: Item): number => (item.event.type === 'kept' ? 0 : item.event.occurredAt.getTime())
const isSaid = (item: Item): item is Said => item.event.type === 'message' || item.event.type === 'echo'
async function ensurePosts(
  { storage, tx, trace, facts }: Intake,
  items: readonly Item[],
): Promise<ReadonlyMap<string, Post>> {
  const wanted = items.flatMap(({ channel, event }) => {
    const place = { accountId: channel.accountId, channelId: channel.id }
    if (event.type === 'post')
      return [
        {
          ...place,
          externalId: event.externalId,
          text: event.text,
          permalink: event.permalink,
          occurredAt: event.occurredAt,
        },
      ]
    if (
      (event.type === 'message' || event.type === 'echo') &&
      event.thread.kind === 'public' &&
      event.thread.postId !== undefined
    )
      return [{ ...place, externalId: event.thread.postId }]
    return []
  })
  const { all: posts, fresh } = await storage.posts.ensure(tx, wanted)
  const own = items.filter(({ event }) => event.type === 'post')
  for (const item of own) trace.set(item, { at: item.at, became: 'post', id: postOf(storage, item, posts)?.id ?? null })
  await applyEarlyToPosts(storage, tx, fresh, facts)
  return posts
}

const postOf = (storage: Storage, { channel, event }: Item, posts: ReadonlyMap<string, Post>): Post | undefined =>
  event.type === 'post'
    ? posts.get(storage.posts.key({ channelId: channel.id, externalId: event.externalId }))
    : undefined

/** Who a direct line belongs to, where it is not the writer. */
const resolvePeople = ({ storage, tx }: Intake, said: readonly Said[]): Promise<Map<string, ContactAddress>> =>
  storage.contacts.resolve(
    tx,
    said.flatMap((item) => {
      const named = counterpartOf(item)
      return named === undefined ? [] : [personOf(item.channel, named)]
    }),
  )

function namelessOf(
  storage: Storage,
  said: readonly Said[],
  people: ReadonlyMap<string, ContactAddress>,
): TakenIn['nameless'] {
  const found = new Map<string, TakenIn['nameless'][number]>()
  for (const item of said) {
    const address = addressOf(storage, item, people)
    const named = counterpartOf(item)
    if (address !== undefined && address.name === null && named?.name === undefined)
      found.set(address.id, { channel: item.channel, address })
  }
  return [...found.values()]
}
