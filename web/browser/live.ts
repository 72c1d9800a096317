/**
 * The stream of facts, with a state that never lies: live, catching up, or offline. It is read with fetch and not with
 * EventSource, because the number to resume from must outlive a connection that we ended ourselves, and a refusal (401)
 * must be told from a broken line.
 */
import { useSyncExternalStore } from 'react'
import type { EventJson } from '../presenters/shapes.ts'

export type LiveState = 'live' | 'catching_up' | 'offline'

export interface LiveListener {
  onEvent(event: EventJson): void
  /** The line begins without a number to resume from: all that is on the screen may be old. */
  onFreshStart(): void
  onSignedOut(): void
  /** The line stands, again or for the first time. */
  onLine(): void
  /** What is told beside the facts, and never again: `presence`, `draft`. */
  onTold(name: string, data: unknown): void
}

/** The server says something at least every 15 s; two missed beats mean that the line is dead. */
const silenceMs = 35_000
/** So long without a further event, and all that was missed has come. */
const quietMs = 250
const hiddenMs = 5 * 60_000
const slowestMs = 15_000

let state: LiveState = 'catching_up'
const watchers = new Set<() => void>()
let tryNow: () => void = () => {}

export const useLiveState = (): LiveState =>
  useSyncExternalStore(
    (watcher) => {
      watchers.add(watcher)
      return () => watchers.delete(watcher)
    },
    () => state,
  )

export const liveState = (): LiveState => state

/** Whether a change would be lost: it is refused then, in sight. */
export const isOffline = (): boolean => state === 'offline' || !navigator.onLine

/** Tries at once instead of waiting for the next turn. */
export const reconnectNow = (): void => tryNow()

/** Follows the facts until the returned function is called. */
export function followEvents(listener: LiveListener): () => void {
  let lastNumber: string | undefined
  let isStopped = false
  let failures = 0
  let suggestedMs = 1_000
  let line: AbortController | undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  let watchdog: ReturnType<typeof setTimeout> | undefined
  let quiet: ReturnType<typeof setTimeout> | undefined
  let hidden: ReturnType<typeof setTimeout> | undefined

  const connect = async (): Promise<void> => {
    clearTimeout(timer)
    line?.abort()
    const mine = (line = new AbortController())
    const heard = (): void => {
      clearTimeout(watchdog)
      watchdog = setTimeout(() => mine.abort(), silenceMs)
    }
    heard()
    try {
      const response = await fetch('/api/v1/live', {
        headers: { accept: 'text/event-stream', ...(lastNumber === undefined ? {} : { 'last-event-id': lastNumber }) },
        credentials: 'same-origin',
        cache: 'no-store',
        signal: mine.signal,
      })
      if (response.status === 401) {
        stop()
        listener.onSignedOut()
        return
      }
      if (!response.ok || !response.body) throw new Error(`live answered ${response.status}`)
      if (failures > 0 || state === 'offline') setState('catching_up')
      // Also where a number is known: what is on the screen is then right but for the facts that follow.
      if (lastNumber === undefined) listener.onFreshStart()
      listener.onLine()
      waitForQuiet()
      for await (const frame of readFrames(response.body, heard)) {
        if (frame.retryMs !== undefined) suggestedMs = frame.retryMs
        if (frame.id !== undefined) lastNumber = frame.id
        if (frame.data !== undefined && frame.id === undefined) listener.onTold(frame.name ?? '', parse(frame.data))
        else if (frame.data !== undefined) {
          if (state !== 'live') waitForQuiet()
          const event = parse(frame.data)
          if (event) listener.onEvent(event as EventJson)
        }
      }
      if (line === mine) lostLine()
    } catch {
      if (line === mine) lostLine()
    }
  }

  const waitForQuiet = (): void => {
    clearTimeout(quiet)
    quiet = setTimeout(() => {
      failures = 0
      setState('live')
    }, quietMs)
  }

  const lostLine = (): void => {
    clearTimeout(quiet)
    clearTimeout(watchdog)
    if (isStopped) return
    failures += 1
    // One broken line is a node going away; it is offline only when the next one is refused too.
    setState(failures > 1 || !navigator.onLine ? 'offline' : 'catching_up')
    const backOffMs =
      failures === 1
        ? Math.min(suggestedMs, 1_000) * Math.random()
        : Math.min(slowestMs, 500 * 2 ** failures) * (0.5 + Math.random() / 2)
    clearTimeout(timer)
    timer = setTimeout(() => void connect(), backOffMs)
  }

  const onOnline = (): void => void connect()
  const onOffline = (): void => {
    line?.abort()
    setState('offline')
  }
  const onVisibility = (): void => {
    clearTimeout(hidden)
    if (document.hidden) {
      // A browser allows few connections to one site: a tab that nobody looks at gives its own back.
      hidden = setTimeout(() => {
        const left = line
        line = undefined
        left?.abort()
        setState('catching_up')
      }, hiddenMs)
    } else if (state !== 'live' || line === undefined) void connect()
  }
  const stop = (): void => {
    isStopped = true
    for (const each of [timer, watchdog, quiet, hidden]) clearTimeout(each)
    const left = line
    line = undefined
    left?.abort()
    removeEventListener('online', onOnline)
    removeEventListener('offline', onOffline)
    document.removeEventListener('visibilitychange', onVisibility)
  }

  addEventListener('online', onOnline)
  addEventListener('offline', onOffline)
  document.addEventListener('visibilitychange', onVisibility)
  tryNow = () => void connect()
  setState(navigator.onLine ? 'catching_up' : 'offline')
  void connect()
  return stop
}

function setState(next: LiveState): void {
  if (state === next) return
  state = next
  for (const watcher of watchers) watcher()
}

interface Frame {
  readonly id: string | undefined
  readonly name: string | undefined
  readonly data: string | undefined
  readonly retryMs: number | undefined
}

/** Server-sent events, by the WHATWG format: fields by line, an empty line ends a frame, a colon begins a remark. */
async function* readFrames(body: ReadableStream<Uint8Array>, heard: () => void): AsyncGenerator<Frame> {
  const reader = body.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>).getReader()
  let rest = ''
  try {
    for (;;) {
      const { value, done } = await reader.read()
      if (done) return
      heard()
      const frames = (rest + value).split(/\r?\n\r?\n/)
      rest = frames.pop() ?? ''
      for (const frame of frames) yield readFrame(frame)
    }
  } finally {
    reader.releaseLock()
  }
}

function readFrame(text: string): Frame {
  let id: string | undefined
  let name: string | undefined
  let retryMs: number | undefined
  const data: string[] = []
  for (const line of text.split(/\r?\n/)) {
    const [, field, value] = /^([a-z]+): ?(.*)$/.exec(line) ?? []
    if (field === 'id') id = value
    else if (field === 'event') name = value
    else if (field === 'data') data.push(value ?? '')
    else if (field === 'retry') retryMs = Number(value) || undefined
  }
  return { id, name, data: data.length > 0 ? data.join('\n') : undefined, retryMs }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
