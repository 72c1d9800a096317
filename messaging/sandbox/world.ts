/**
 * What exists in the networks that are played here, and the ledger of what every customer saw. Each change is one line of
 * an append-only file, so a restart keeps the world. Nothing here is idempotent: a second identical send shows twice.
 */
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs'
import { randomBytes, randomInt } from 'node:crypto'
import { dirname } from 'node:path'
import type {
  Act,
  Marks,
  PendingWebhook,
  SandboxApp,
  SandboxChannel,
  SandboxPerson,
  SandboxType,
  Utterance,
} from './shapes.ts'

export type {
  Act,
  Choice,
  Marks,
  PendingWebhook,
  SandboxApp,
  SandboxChannel,
  SandboxFile,
  SandboxPerson,
  SandboxType,
  Utterance,
} from './shapes.ts'

type Line =
  | ({ readonly line: 'app' } & SandboxApp)
  | ({ readonly line: 'channel' } & SandboxChannel)
  | ({ readonly line: 'person' } & SandboxPerson)
  | ({ readonly line: 'said' } & Utterance)
  | ({ readonly line: 'act' } & Act)
  | ({ readonly line: 'webhook' } & PendingWebhook)
  | { readonly line: 'webhook_over'; readonly webhook: number }
  | { readonly line: 'note'; readonly key: string; readonly value: unknown }

/** The networks' state: read from `file` on opening, every change appended to it. */
export class World {
  readonly apps = new Map<string, SandboxApp>()
  readonly channels = new Map<string, SandboxChannel>()
  readonly people = new Map<string, SandboxPerson>()
  readonly ledger: Utterance[] = []
  readonly acts: Act[] = []
  readonly marks = new Map<string, Marks>()
  readonly webhooks = new Map<number, PendingWebhook>()
  readonly byId = new Map<string, Utterance>()
  /** What a face keeps for itself (tokens, subscriptions), by names such as `x.token.<token>`. */
  readonly notes = new Map<string, unknown>()
  readonly #byPair = new Map<string, Utterance[]>()
  readonly #passing = new Set<number>()
  readonly #file: number
  readonly #listeners = new Set<(utterance: Utterance) => void>()
  readonly #actListeners = new Set<(act: Act) => void>()
  #sequence = randomInt(2 ** 22)
  #lastWebhook = 0
  #isOpen = true

  constructor(file: string) {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
    if (existsSync(file)) {
      for (const line of readFileSync(file, 'utf8').split('\n')) {
        // The last line may have been cut by a kill.
        const parsed = parseLine(line)
        if (parsed !== undefined) this.#apply(parsed)
      }
    }
    this.#file = openSync(file, 'a', 0o600)
    // Whatever was cut must not spoil the next line.
    writeSync(this.#file, '\n')
  }

  putApp(app: SandboxApp): void {
    this.#put(this.apps.get(app.app_id), { line: 'app', ...app })
  }

  putChannel(channel: SandboxChannel): void {
    this.#put(this.channels.get(channel.external_id), { line: 'channel', ...channel })
  }

  putPerson(person: SandboxPerson): void {
    this.#put(this.people.get(person.id), { line: 'person', ...person })
  }

  /** Writes into the ledger what somebody said and everybody concerned now sees. */
  say(
    said: Omit<Utterance, 'seq' | 'external_id' | 'at'> & { readonly external_id?: string; readonly at?: string },
  ): Utterance {
    const utterance: Utterance = {
      ...said,
      seq: this.ledger.length + 1,
      at: said.at ?? new Date().toISOString(),
      external_id: said.external_id ?? this.#newId(said),
    }
    this.#record({ line: 'said', ...utterance })
    for (const listener of this.#listeners) listener(utterance)
    return utterance
  }

  /** Writes down what somebody did beside speaking; everybody concerned sees it at once. */
  act(done: Omit<Act, 'seq' | 'at'>): Act {
    const act = { ...done, seq: this.acts.length + 1, at: new Date().toISOString() }
    this.#record({ line: 'act', ...act })
    for (const listener of this.#actListeners) listener(act)
    return act
  }

  /** Keeps a value under a name; `undefined` forgets it. */
  note(key: string, value: unknown): void {
    this.#record({ line: 'note', key, value })
  }

  /** Remembers a webhook until it is over; one of a burst is not worth the file and would not outlive a restart. */
  owe(webhook: Omit<PendingWebhook, 'webhook'>, isPassing = false): PendingWebhook {
    const owed = { ...webhook, webhook: this.#lastWebhook + 1 }
    if (isPassing) this.#apply({ line: 'webhook', ...owed })
    else this.#record({ line: 'webhook', ...owed })
    if (isPassing) this.#passing.add(owed.webhook)
    return owed
  }

  /** The webhook was taken or given up. */
  settle(webhook: number): void {
    if (this.#passing.delete(webhook)) this.#apply({ line: 'webhook_over', webhook })
    else this.#record({ line: 'webhook_over', webhook })
  }

  /** Everything between a channel and a person, oldest first. */
  between(channel: string, person: string): readonly Utterance[] {
    return this.#byPair.get(`${channel} ${person}`) ?? []
  }

  /** The channel that this token speaks for; none for a token that was taken back (note `dead.<token>`). */
  channelByToken(type: SandboxType, token: string): SandboxChannel | undefined {
    if (this.notes.has(`dead.${token}`)) return undefined
    for (const channel of this.channels.values())
      if (channel.type === type && channel.access_token === token) return channel
    return undefined
  }

  /** Calls `listener` for every new utterance until the returned function is called. */
  listen(listener: (utterance: Utterance) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** As `listen`, for acts. */
  listenToActs(listener: (act: Act) => void): () => void {
    this.#actListeners.add(listener)
    return () => this.#actListeners.delete(listener)
  }

  close(): void {
    this.#isOpen = false
    closeSync(this.#file)
  }

  /** An X id: the time in the upper bits, beyond 2^53; never the same twice, even for the same millisecond. */
  newSnowflake(at = Date.now()): string {
    this.#sequence = (this.#sequence + 1) % 2 ** 22
    return String((BigInt(at - 1288834974657) << 22n) | BigInt(this.#sequence))
  }

  #newId(said: Pick<Utterance, 'type' | 'channel' | 'kind' | 'post_id'> & { readonly at?: string }): string {
    if (said.type === 'x') return this.newSnowflake(said.at === undefined ? Date.now() : Date.parse(said.at))
    if (said.type === 'whatsapp' && said.kind !== 'post')
      return `wamid.${randomBytes(33).toString('base64').replace(/=+$/, '')}`
    const number = String(Date.now()) + String(this.ledger.length % 1000).padStart(3, '0')
    // Media and comments of Instagram are plain numbers.
    if (said.type === 'instagram' && said.kind !== 'message' && said.kind !== 'reply' && said.kind !== 'private_reply')
      return `17${number}`
    if (said.kind === 'post') return `${said.channel}_${number}`
    if (said.kind === 'comment' || said.kind === 'mention') return `${said.post_id?.split('_')[1] ?? '0'}_${number}`
    return `m_${randomBytes(33).toString('base64url')}`
  }

  /** Whoever registers again and again leaves no trace of it. */
  #put(known: object | undefined, line: Line): void {
    if (known === undefined || JSON.stringify(known) !== JSON.stringify(line)) this.#record(line)
  }

  #record(line: Line): void {
    // What ends after the closing is owed again at the next start.
    if (!this.#isOpen) return
    writeSync(this.#file, `${JSON.stringify(line)}\n`)
    this.#apply(line)
  }

  #apply(entry: Line): void {
    switch (entry.line) {
      case 'app':
        this.apps.set(entry.app_id, entry)
        break
      case 'channel':
        this.channels.set(entry.external_id, entry)
        break
      case 'person':
        this.people.set(entry.id, entry)
        break
      case 'said': {
        this.ledger.push(entry)
        this.byId.set(entry.external_id, entry)
        const key = `${entry.channel} ${entry.person}`
        const pair = this.#byPair.get(key)
        if (pair === undefined) this.#byPair.set(key, [entry])
        else pair.push(entry)
        break
      }
      case 'act':
        this.acts.push(entry)
        if (entry.external_id !== undefined)
          this.marks.set(entry.external_id, { ...this.marks.get(entry.external_id), ...marksOf(this, entry) })
        break
      case 'webhook':
        this.#lastWebhook = entry.webhook
        this.webhooks.set(entry.webhook, entry)
        break
      case 'webhook_over':
        this.webhooks.delete(entry.webhook)
        break
      case 'note':
        if (entry.value === undefined) this.notes.delete(entry.key)
        else this.notes.set(entry.key, entry.value)
    }
  }
}

function marksOf({ marks }: World, { what, by, person, emoji, text, external_id: id = '' }: Act): Marks {
  const who = by === 'channel' ? 'channel' : person
  switch (what) {
    case 'react':
      return { reactions: { ...marks.get(id)?.reactions, [who]: emoji ?? '👍' } }
    case 'unreact': {
      const { [who]: _gone, ...reactions } = marks.get(id)?.reactions ?? {}
      return { reactions }
    }
    case 'edit':
      return { text: text ?? '' }
    case 'delete':
      return { is_deleted: true }
    case 'hide':
    case 'unhide':
      return { is_hidden: what === 'hide' }
    case 'like':
    case 'unlike':
      return { is_liked: what === 'like' }
    default:
      return {}
  }
}

/** Our own file, written by the lines above. */
function parseLine(line: string): Line | undefined {
  if (line === '') return undefined
  try {
    return JSON.parse(line) as Line
  } catch {
    return undefined
  }
}
