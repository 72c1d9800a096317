/** What is said in a replay: items of both networks, each numbered by its sender, and the bodies that carry them. */
import { createHmac } from 'node:crypto'

export const page = '100200300'
export const xUser = '4200'
export const secrets = { meta: 'replay-meta-secret', x: 'replay-x-secret' } as const
export type NetworkName = keyof typeof secrets

/** One item. Edits change the message `id`; its text in the end is that of its last edit. */
export interface Item {
  readonly network: NetworkName
  readonly id: string
  readonly isEdit: boolean
  /** The list of a body in which it travels. */
  readonly list: 'messaging' | 'changes' | 'tweet_create_events' | 'direct_message_events'
  readonly fields: Readonly<Record<string, unknown>>
}

/** What must be shown of one message in the end: where, and as which of its sender's there. */
export interface Expected {
  readonly thread: string
  readonly number: number
  readonly at: number
  readonly text: string
}

/** Random numbers that can be repeated (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Fisher and Yates, in place. */
export function shuffle<T>(list: T[], random: () => number): T[] {
  for (let last = list.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1))
    const [a, b] = [list[last], list[other]]
    if (a !== undefined && b !== undefined) [list[last], list[other]] = [b, a]
  }
  return list
}

/** `count` items: direct messages, comments and answers, posts; one in twenty changes an earlier direct message. */
export function makeItems(
  count: number,
  random: () => number,
): { items: Item[]; expected: ReadonlyMap<string, Expected> } {
  const items: Item[] = []
  const expected = new Map<string, Expected>()
  const numbers = new Map<string, number>()
  const people = Math.max(10, Math.round(count / 100))
  const beganAt = Math.floor(Date.now() / 1000) * 1000 - (count + 3_600) * 1000
  const editable: string[] = []
  for (let n = 0; n < count; n++) {
    const at = beganAt + n * 1000
    const person = Math.floor(random() * people)
    const say = (thread: string, id: string, text: string): void => {
      const number = (numbers.get(thread) ?? 0) + 1
      numbers.set(thread, number)
      expected.set(id, { thread, number, at, text })
    }
    const kind = random()
    if (kind < 0.05 && editable.length > 0) {
      const id = editable[Math.floor(random() * editable.length)] ?? ''
      const before = expected.get(id)
      if (before === undefined) continue
      const text = `${before.text.split(' (')[0] ?? ''} (edited at ${String(n)})`
      expected.set(id, { ...before, text })
      items.push({ network: 'meta', id, isEdit: true, list: 'messaging', fields: pageItem(before.thread, at, { message_edit: { mid: id, text } }) }) // prettier-ignore
    } else if (kind < 0.45) {
      const psid = `71${String(person).padStart(6, '0')}`
      const [id, text] = [`m_replay_${String(n)}`, `direct ${String(n)}`]
      say(psid, id, text)
      editable.push(id)
      items.push({ network: 'meta', id, isEdit: false, list: 'messaging', fields: pageItem(psid, at, { message: { mid: id, text } }) }) // prettier-ignore
    } else if (kind < 0.65) {
      const post = `${page}_${String(person % 50)}`
      const root = `c_root_${String(person)}`
      const id = expected.has(root) ? `c_${String(n)}` : root
      const text = `comment ${String(n)}`
      say(root, id, text)
      const from = { id: `72${String(person).padStart(6, '0')}`, name: `Guest ${String(person)}` }
      const value = { item: 'comment', verb: 'add', comment_id: id, post_id: post, parent_id: id === root ? post : root, message: text, from, created_time: at / 1000 } // prettier-ignore
      items.push({ network: 'meta', id, isEdit: false, list: 'changes', fields: { field: 'feed', value } })
    } else if (kind < 0.85) {
      const [id, sender, text] = [`81${String(n).padStart(8, '0')}`, `61${String(person)}`, `x direct ${String(n)}`]
      say(`dm ${sender}`, id, text)
      const message_create = { sender_id: sender, target: { recipient_id: xUser }, message_data: { text, entities: {} } } // prettier-ignore
      items.push({ network: 'x', id, isEdit: false, list: 'direct_message_events', fields: { type: 'message_create', id, created_timestamp: String(at), message_create } }) // prettier-ignore
    } else {
      const [id, sender, text] = [`82${String(n).padStart(8, '0')}`, `62${String(person)}`, `x answer ${String(n)}`]
      const post = `90${String(person % 5)}`
      say(`${post} ${sender}`, id, text)
      const user = { id_str: sender, name: `Guest ${sender}`, screen_name: `guest${sender}` }
      items.push({ network: 'x', id, isEdit: false, list: 'tweet_create_events', fields: { id_str: id, text, user, timestamp_ms: String(at), created_at: new Date(at).toUTCString(), in_reply_to_status_id_str: post, in_reply_to_user_id_str: xUser, entities: {} } }) // prettier-ignore
    }
  }
  return { items, expected }
}

const pageItem = (person: string, at: number, what: Readonly<Record<string, unknown>>) => ({
  sender: { id: person },
  recipient: { id: page },
  timestamp: at,
  ...what,
})

/** Bodies of 1 to `most` items of one network each, in the order given. */
export function* packBodies(
  items: readonly Item[],
  most: number,
  random: () => number,
): Generator<{ network: NetworkName; body: Buffer }> {
  const open: Record<NetworkName, Item[]> = { meta: [], x: [] }
  const room = { meta: 1, x: 1 }
  for (const item of items) {
    const { network } = item
    open[network].push(item)
    if (open[network].length < room[network]) continue
    yield { network, body: bodyOf(network, open[network]) }
    open[network] = []
    room[network] = 1 + Math.floor(random() * most)
  }
  for (const network of ['meta', 'x'] as const)
    if (open[network].length > 0) yield { network, body: bodyOf(network, open[network]) }
}

function bodyOf(network: NetworkName, items: readonly Item[]): Buffer {
  const of = (list: Item['list']) => items.filter((item) => item.list === list).map(({ fields }) => fields)
  const lists = (...names: Item['list'][]) =>
    Object.fromEntries(names.map((name) => [name, of(name)] as const).filter(([, list]) => list.length > 0))
  const json =
    network === 'meta'
      ? { object: 'page', entry: [{ id: page, time: Date.now(), ...lists('messaging', 'changes') }] }
      : { for_user_id: xUser, ...lists('tweet_create_events', 'direct_message_events') }
  return Buffer.from(JSON.stringify(json))
}

/** The header that proves a body. */
export function signatureOf(network: NetworkName, body: Buffer): Record<string, string> {
  const hmac = createHmac('sha256', secrets[network]).update(body)
  return network === 'meta'
    ? { 'x-hub-signature-256': `sha256=${hmac.digest('hex')}` }
    : { 'x-twitter-webhooks-signature': `sha256=${hmac.digest('base64')}` }
}
