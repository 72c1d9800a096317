/** The way to the API: one function that asks, one kind of error, and every call by name. */
import type { CareWish } from './care/api.ts'
import type {
  AppJson,
  ChannelJson,
  ContactJson,
  ConversationJson,
  MessageJson,
  SessionJson,
} from '../presenters/shapes.ts'

export interface Page<Item> {
  readonly items: Item[]
  readonly next_cursor: string | null
}

export type Session = SessionJson

export interface NewMessage {
  readonly kind: 'reply' | 'note' | 'comment' | 'private_reply'
  readonly text: string
  readonly in_reply_to?: string
  readonly attachments?: readonly { readonly id: string; readonly alt_text?: string }[]
  readonly quick_replies?: readonly { readonly title: string; readonly payload: string }[]
  readonly interactive?: Interactive
  readonly template?: {
    readonly name: string
    readonly language: string
    readonly header?: readonly string[]
    readonly body?: readonly string[]
    readonly buttons?: readonly string[]
  }
  /** What the writer saw: if that has changed meanwhile, the answer is 409. */
  readonly seen?: Seen
  readonly send_at?: string
  readonly cancel_if_answered?: boolean
}

export type Interactive =
  | { readonly type: 'buttons'; readonly buttons: readonly { readonly id: string; readonly title: string }[] }
  | {
      readonly type: 'list'
      readonly button: string
      readonly rows: readonly { readonly id: string; readonly title: string; readonly description?: string }[]
    }

export interface Seen {
  readonly message_id?: string
  readonly status?: ConversationJson['status']
  readonly assignee_id?: string | null
}

/** What went wrong, in words for a person. `status` 0: no answer came at all. */
export class Problem extends Error {
  readonly status: number
  readonly code: string
  readonly requestId: string | undefined
  /** The whole answer, for those who know its code. */
  readonly answer: unknown
  constructor(status: number, code: string, message: string, requestId?: string, answer?: unknown) {
    super(message)
    this.answer = answer
    this.name = 'Problem'
    this.status = status
    this.code = code
    this.requestId = requestId
  }
}

let csrfToken: string | null = null
let onSignedOut: () => void = () => {}
let confirmPassword: () => Promise<boolean> = () => Promise.resolve(false)

/** Called whenever an answer says that nobody is signed in. */
export function whenSignedOut(listener: () => void): void {
  onSignedOut = listener
}

/** Called when a sensitive act needs the password again; answers whether it was given. Returns how to stop being called. */
export function whenConfirmationNeeded(listener: () => Promise<boolean>): () => void {
  confirmPassword = listener
  return () => {
    confirmPassword = () => Promise.resolve(false)
  }
}

export const api = {
  async session(): Promise<Session | null> {
    try {
      return keepToken(await ask<Session>('GET', '/session'))
    } catch (error) {
      if (error instanceof Problem && error.status === 401) return null
      throw error
    }
  },
  async signIn(email: string, password: string, code?: string): Promise<Session> {
    return keepToken(await ask<Session>('POST', '/session', { email, password, ...(code ? { code } : {}) }))
  },
  signOut: () => ask<unknown>('DELETE', '/session'),
  conversations: (asked: Readonly<Record<string, string>>, cursor: string | null, signal?: AbortSignal) =>
    ask<Page<ConversationJson>>('GET', `/conversations${query({ limit: '50', ...asked, cursor })}`, undefined, {
      signal,
    }),
  conversation: (id: string, signal?: AbortSignal) =>
    ask<ConversationJson>('GET', `/conversations/${id}`, undefined, { signal }),
  changeConversation: (id: string, wish: CareWish) => ask<ConversationJson>('PATCH', `/conversations/${id}`, wish),
  messages: (conversationId: string, cursor: string | null, signal?: AbortSignal) =>
    ask<Page<MessageJson>>(
      'GET',
      `/conversations/${conversationId}/messages${query({ cursor, limit: '50' })}`,
      undefined,
      { signal },
    ),
  message: (id: string) => ask<MessageJson>('GET', `/messages/${id}`),
  say: (conversationId: string, message: NewMessage, key: string) =>
    ask<MessageJson>('POST', `/conversations/${conversationId}/messages`, message, { key }),
  retry: (messageId: string, key: string) => ask<MessageJson>('POST', `/messages/${messageId}/retry`, {}, { key }),
  fetchAgain: (attachmentId: string, key: string) =>
    ask<MessageJson['attachments'][number]>('POST', `/attachments/${attachmentId}/fetch`, {}, { key }),
  contact: (id: string, signal?: AbortSignal) => ask<ContactJson>('GET', `/contacts/${id}`, undefined, { signal }),
  channels: (signal?: AbortSignal) => ask<Page<ChannelJson>>('GET', '/channels', undefined, { signal }),
  apps: (signal?: AbortSignal) => ask<Page<AppJson>>('GET', '/apps', undefined, { signal }),
  addApp: (body: Readonly<Record<string, unknown>>, key: string) => ask<AppJson>('POST', '/apps', body, { key }),
  addChannel: (body: Readonly<Record<string, unknown>>, key: string) =>
    ask<ChannelJson>('POST', '/channels', body, { key }),
}

/** A key that makes a repeated POST harmless. */
export const newKey = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('')

interface Options {
  readonly key?: string
  readonly signal?: AbortSignal | undefined
  /** How long an answer is waited for; default 20 s for changes, else 30 s. */
  readonly limitMs?: number
}

export async function ask<Answer>(
  method: string,
  path: string,
  body?: unknown,
  options: Options = {},
): Promise<Answer> {
  const isChange = method !== 'GET'
  const timeout = AbortSignal.timeout(options.limitMs ?? (isChange ? 20_000 : 30_000))
  let response: Response
  try {
    response = await fetch(`/api/v1${path}`, {
      method,
      credentials: 'same-origin',
      signal: options.signal ? AbortSignal.any([options.signal, timeout]) : timeout,
      headers: {
        accept: 'application/json',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(isChange && csrfToken ? { 'x-csrf-token': csrfToken } : {}),
        ...(options.key ? { 'idempotency-key': options.key } : {}),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
  } catch (error) {
    if (options.signal?.aborted) throw error
    throw new Problem(0, 'no_answer', 'No answer came from the server.')
  }
  const text = await response.text().catch(() => '')
  if (response.ok) {
    // The server builds its answers from the same shapes; checking them again here would double the bundle for nothing.
    return parse(text) as Answer
  }
  const problem = problemOf(response.status, text, response.headers.get('x-request-id') ?? undefined)
  if (problem.code === 'confirm_password' && (await confirmPassword())) return ask<Answer>(method, path, body, options)
  if (response.status === 401 && path !== '/session') onSignedOut()
  throw problem
}

/** What a change of ours must carry, for requests that `ask` cannot make. */
export const changeHeaders = (): Readonly<Record<string, string>> =>
  csrfToken === null ? {} : { 'x-csrf-token': csrfToken }

/** An answer that refuses, of whatever request. */
export function problemOf(status: number, text: string, requestId?: string): Problem {
  const answer = parse(text)
  const field = (name: string): string | undefined => {
    const value: unknown = typeof answer === 'object' && answer !== null ? Reflect.get(answer, name) : undefined
    return typeof value === 'string' ? value : undefined
  }
  return new Problem(
    status,
    field('code') ?? `http_${String(status)}`,
    field('detail') ?? field('title') ?? `The server answered ${String(status)}.`,
    field('request_id') ?? requestId,
    answer,
  )
}

function parse(text: string): unknown {
  try {
    return text === '' ? undefined : JSON.parse(text)
  } catch {
    return undefined
  }
}

function keepToken(session: Session): Session {
  csrfToken = session.csrf_token
  return session
}

export function query(values: Readonly<Record<string, string | null | undefined>>): string {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(values)) if (value) search.set(name, value)
  const text = search.toString()
  return text && `?${text}`
}
