/** Which conversation an utterance belongs to. */
import type {
  Channel,
  ContactAddress,
  Conversation,
  Message,
  NewConversation,
  Storage,
  Writer,
} from '../storage/index.ts'
import type { InboundEvent, Thread } from './connectors/connector.ts'

/** A conversation that exists (`id`) or is to begin; `contactId` undefined: not asked for. */
export type Place =
  | (Pick<NewConversation, 'channelId' | 'threadKey'> & { readonly id: string; readonly contactId: string | undefined })
  | (NewConversation & { readonly id: undefined })

export type Utterance = Extract<InboundEvent, { type: 'message' | 'echo' }>

/** What makes a thread one conversation; `personId` where each person has their own. */
export const threadKey = (thread: Thread, personId: string | undefined): string =>
  thread.kind === 'direct'
    ? `direct:${thread.personId}`
    : `public:${thread.rootId}${thread.isPerPerson === true && personId !== undefined ? `:${personId}` : ''}`

/** The ids of public content that this utterance stands below, the nearest first. */
export const parentsOf = (event: Utterance): string[] =>
  event.thread.kind === 'direct'
    ? []
    : [event.inReplyTo, event.thread.parentId, event.thread.rootId].filter(
        (id): id is string => id !== undefined && id !== event.externalId,
      )

/** Finds the places of utterances one after another, in order of time; remembers those of the same batch. */
export class Places {
  readonly #storage: Storage
  /** By channel and thread key: those that exist, and those that this batch came upon. */
  readonly #threadIds = new Map<string, string>()
  readonly #threads = new Map<string, Place>()
  /** By channel, visibility and the network's id. */
  readonly #ofMessage = new Map<string, Place>()

  private constructor(storage: Storage) {
    this.#storage = storage
  }

  /** Reads the conversations of the parents that are known and of the threads that may exist. */
  static async read(
    storage: Storage,
    tx: Writer,
    known: ReadonlyMap<string, Message>,
    threads: readonly { accountId: string; channelId: string; threadKey: string }[],
  ): Promise<Places> {
    const places = new Places(storage)
    for (const [key, id] of await storage.conversations.findByThread(tx, threads)) places.#threadIds.set(key, id)
    const parents = [...known].filter(([, message]) => message.visibility === 'public')
    const ids = [...new Set(parents.map(([, message]) => message.conversationId))]
    const byAccount = Map.groupBy(parents, ([, message]) => message.accountId)
    const conversations = new Map<string, Conversation>()
    for (const accountId of byAccount.keys())
      for (const each of await storage.conversations.getMany(tx, accountId, ids)) conversations.set(each.id, each)
    for (const [key, message] of parents) {
      const conversation = conversations.get(message.conversationId)
      if (conversation !== undefined) places.#ofMessage.set(key, placeOf(conversation))
    }
    return places
  }

  /** Where the utterance belongs; `undefined`: to no conversation, as nobody outside is known. */
  find(
    channel: Channel,
    event: Utterance,
    person: ContactAddress | undefined,
    postId: string | null,
  ): Place | undefined {
    const { accountId, id: channelId } = channel
    const { thread } = event
    const isPerPerson = thread.kind === 'public' && thread.isPerPerson === true
    for (const externalId of parentsOf(event)) {
      const place = this.#ofMessage.get(this.#storage.messages.key({ channelId, visibility: 'public', externalId }))
      if (place !== undefined && (!isPerPerson || person === undefined || place.contactId === person.contactId))
        return place
    }
    const key = threadKey(thread, person?.externalId)
    const name = this.#storage.conversations.key({ channelId, threadKey: key })
    const known = this.#threads.get(name)
    if (known !== undefined) return known
    const id = this.#threadIds.get(name)
    if (id === undefined && person === undefined) return undefined
    const place: Place =
      id !== undefined || person === undefined
        ? { id: id ?? '', channelId, threadKey: key, contactId: person?.contactId }
        : {
            id, accountId, channelId, contactId: person.contactId, contactAddressId: person.id, visibility: thread.kind,
            threadKey: key, postId, lastActivityAt: event.occurredAt,
          } // prettier-ignore
    this.#threads.set(name, place)
    return place
  }

  /** Later utterances of the batch may stand below this one. */
  remember(channel: Channel, event: Utterance, place: Place): void {
    this.#ofMessage.set(
      this.#storage.messages.key({
        channelId: channel.id,
        visibility: event.thread.kind,
        externalId: event.externalId,
      }),
      place,
    )
  }
}

const placeOf = ({ id, channelId, threadKey, contactId }: Conversation): Place => ({
  id,
  channelId,
  threadKey,
  contactId,
})
