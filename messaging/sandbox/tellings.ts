/** What is told of an utterance, and how many of them are packed into one body: batches, mixed pages and fields. */
import { fieldsOf, isFields, textOf } from '../connectors/reading.ts'
import { tellInstagram, tellWhatsAppUtterance } from './graph-tellers.ts'
import { isSubscribed } from './subscriptions.ts'
import { feedChange, messengerEvent } from './wire.ts'
import { xDeliveries } from './wire-x.ts'
import type { SandboxApp, SandboxChannel, SandboxPerson, SandboxType, Utterance, World } from './world.ts'

/** One item of Meta's envelope, or one body of X. */
export type Telling = { readonly channel: string } & (
  | {
      readonly object: 'page' | 'instagram' | 'whatsapp_business_account'
      /** The entry it stands in: the id of the page, account or business account. */
      readonly entry: string
      readonly list: 'messaging' | 'standby' | 'changes'
      readonly item: unknown
    }
  | { readonly object: 'x'; readonly body: unknown }
)

export type Teller = (world: World, app: SandboxApp, channel: SandboxChannel, said: Utterance) => readonly Telling[]

/** How each kind of channel tells; one that is missing stays silent. */
export const tellers: Partial<Record<SandboxType, Teller>> = {
  facebook(world, app, channel, said) {
    if (!isSubscribed(world, channel.external_id)) return []
    const isPublic = said.kind === 'comment' || said.kind === 'post' || said.kind === 'mention'
    return [
      {
        channel: channel.external_id,
        object: 'page',
        entry: channel.external_id,
        list: isPublic ? 'changes' : 'messaging',
        item: isPublic ? feedChange(said, authorOf(world, channel, said)) : messengerEvent(said, app.app_id),
      },
    ]
  },
  instagram: tellInstagram,
  whatsapp: tellWhatsAppUtterance,
  x(world, app, channel, said) {
    const parent = said.in_reply_to === undefined ? undefined : world.byId.get(said.in_reply_to)
    const repliedToUser =
      parent === undefined ? undefined : parent.direction === 'outbound' ? parent.channel : parent.person
    const sides = { channel, person: world.people.get(said.person) }
    const context = { repliedToUser, rootId: rootOf(world, said) }
    return xDeliveries(world, said, sides, app, context).map((body) => ({
      channel: channel.external_id,
      object: 'x',
      body,
    }))
  },
}

/** All that is told of these utterances, each with its app; of unknown or silent channels nothing. */
export function tellingsOf(world: World, all: readonly Utterance[]): { app: SandboxApp; telling: Telling }[] {
  return all.flatMap((said) => {
    const channel = world.channels.get(said.channel)
    const app = world.apps.get(channel?.app_id ?? '')
    if (channel === undefined || app === undefined) return []
    return (tellers[channel.type]?.(world, app, channel, said) ?? []).map((telling) => ({ app, telling }))
  })
}

/** A body ready for its app; `channel` where all of it is for one. */
export interface Packed {
  readonly app: SandboxApp
  readonly channel: string | undefined
  readonly body: unknown
}

/** Bodies of at most `batch` items, in the given order. Meta mixes pages and fields, X only what is for one user. */
export function pack(all: readonly { app: SandboxApp; telling: Telling }[], batch: number): Packed[] {
  const heaps = new Map<string, { app: SandboxApp; tellings: Telling[] }>()
  const full: { app: SandboxApp; tellings: Telling[] }[] = []
  for (const { app, telling } of all) {
    const isAlone = telling.object === 'x' && isFields(fieldsOf(telling.body).data)
    const key = `${app.app_id} ${telling.object === 'x' ? telling.channel : telling.object}`
    const heap = heaps.get(key)
    if (isAlone) full.push({ app, tellings: [telling] })
    else if (heap === undefined) {
      const fresh = { app, tellings: [telling] }
      full.push(fresh)
      heaps.set(key, fresh)
    } else heap.tellings.push(telling)
    if ((heaps.get(key)?.tellings.length ?? 0) >= batch) heaps.delete(key)
  }
  return full.map(({ app, tellings }) => {
    const [first] = tellings
    const isForOne = tellings.every(({ channel }) => channel === first?.channel)
    return {
      app,
      channel: isForOne ? first?.channel : undefined,
      body: first?.object === 'x' ? packX(tellings) : packMeta(tellings),
    }
  })
}

function packMeta(tellings: readonly Telling[]): unknown {
  const entries = new Map<string, { id: string; time: number; list: string; items: unknown[] }>()
  let object = 'page'
  for (const telling of tellings) {
    if (telling.object === 'x') continue
    object = telling.object
    const key = `${telling.entry} ${telling.list}`
    const entry = entries.get(key)
    // Milliseconds for conversations, seconds for changes.
    const time = telling.list === 'changes' ? Math.floor(Date.now() / 1000) : Date.now()
    if (entry === undefined) entries.set(key, { id: telling.entry, time, list: telling.list, items: [telling.item] })
    else entry.items.push(telling.item)
  }
  return { object, entry: [...entries.values()].map(({ id, time, list, items }) => ({ id, time, [list]: items })) }
}

/** Account Activity: lists are joined, people gathered; X Activity comes one by one. */
function packX(tellings: readonly Telling[]): unknown {
  const bodies = tellings.flatMap((telling) => (telling.object === 'x' ? [fieldsOf(telling.body)] : []))
  if (bodies.length === 1) return bodies[0]
  const whole: Record<string, unknown> = {}
  const users: Record<string, unknown> = {}
  for (const body of bodies) {
    for (const [key, value] of Object.entries(body)) {
      const known = whole[key]
      if (key === 'users') Object.assign(users, value)
      else if (Array.isArray(value)) {
        if (Array.isArray(known)) known.push(...(value as unknown[]))
        else whole[key] = [...(value as unknown[])]
      } else whole[key] = textOf(value) ?? value
    }
  }
  return Object.keys(users).length === 0 ? whole : { ...whole, users }
}

export function authorOf(world: World, channel: SandboxChannel, said: Utterance): { id: string; name: string } {
  const person: SandboxPerson | undefined = world.people.get(said.person)
  return said.direction === 'outbound'
    ? { id: channel.external_id, name: channel.name }
    : { id: said.person, name: person?.name ?? said.person }
}

/** The top of a thread on X. */
export function rootOf(world: World, said: Utterance): string {
  let top = said
  for (let depth = 0; depth < 1000 && top.in_reply_to !== undefined; depth += 1) {
    const parent = world.byId.get(top.in_reply_to)
    if (parent === undefined) return top.in_reply_to
    top = parent
  }
  return top.external_id
}
