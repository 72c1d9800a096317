/**
 * One connection to the broker that is made again for ever. Nothing of a lost connection is used again: rhea would attach its
 * links by itself but says nothing of the deliveries that were under way, and gives up after a refused login.
 */
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import rhea from 'rhea'
import type { Connection, Session } from 'rhea'
import { messageOf } from '../../infra/errors.ts'
import type { Logger } from '../../infra/logger.ts'

/** Where the broker is. */
export interface BrokerAddress {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly password: string
}

/** What a user of a wire hears. */
export interface WireEvents {
  /** A fresh connection is open: open sessions and links on it. */
  onOpen(): void
  /** The connection is gone with everything on it. */
  onDrop(): void
}

const firstPauseMs = 100
const longestPauseMs = 2_000
const openLimitMs = 5_000
/** Half of the silence after which the peer is given up; rhea waits twice this. */
const idleMs = 4_000

export class Wire {
  readonly #address: BrokerAddress
  readonly #events: WireEvents
  readonly #logger: Logger
  readonly #name: string
  #socket: Socket | undefined
  #connection: Connection | undefined
  #isOpen = false
  #isClosed = false
  #pauseMs = firstPauseMs
  #timer: NodeJS.Timeout | undefined
  #isCorked = false

  constructor(address: BrokerAddress, name: string, events: WireEvents, logger: Logger) {
    this.#address = address
    this.#name = name
    this.#events = events
    this.#logger = logger
    this.#connect()
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  /** A session of its own for one link, since on RabbitMQ the error of a link ends its whole session. */
  openSession(): Session {
    if (this.#connection === undefined || !this.#isOpen) throw new Error('the broker connection is not open')
    const session = this.#connection.create_session()
    session.begin()
    return session
  }

  /** Call when links stand: the next reconnect starts with the shortest pause again. */
  settle(): void {
    this.#pauseMs = firstPauseMs
  }

  /** Holds what is written in this turn of the event loop and hands it to the kernel as one. */
  cork(): void {
    if (this.#isCorked || this.#socket === undefined) return
    const socket = this.#socket
    this.#isCorked = true
    socket.cork()
    process.nextTick(() => {
      this.#isCorked = false
      socket.uncork()
    })
  }

  /** Gives this connection up and makes another one, unless closed. */
  drop(reason: string): void {
    // With an error, because only then rhea clears its timers.
    this.#socket?.destroy(new Error(reason))
  }

  /** Says goodbye, waits for at most `limitMs`, and makes no further connection. */
  async close(limitMs = 1_000): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#timer)
    const socket = this.#socket
    if (socket === undefined || socket.closed) return
    if (!this.#isOpen) {
      this.drop('closed by Parley')
      return
    }
    const gone = new Promise<void>((resolve) => socket.once('close', () => resolve()))
    this.#connection?.close()
    const timer = setTimeout(() => this.drop('the broker did not say goodbye in time'), limitMs)
    await gone
    clearTimeout(timer)
  }

  #connect(): void {
    const { host, port, user, password } = this.#address
    const container = rhea.create_container({ id: `parley-${this.#name}-${String(process.pid)}` })
    // Without a listener an error of the library would end the process.
    container.on('error', (error: unknown) => this.drop(messageOf(error)))
    const open = (toPort: number, toHost: string, _options: unknown, onConnected: () => void): Socket => {
      const socket = connect({ host: toHost, port: toPort, noDelay: true })
      this.#socket = socket
      socket.once('connect', onConnected)
      socket.on('error', (error) => this.#logger.debug({ wire: this.#name, err: error }, 'broker connection failed'))
      socket.once('close', () => this.#dropped(connection))
      return socket
    }
    const connection = container.create_connection({
      host,
      port,
      username: user,
      password,
      reconnect: false,
      idle_time_out: idleMs,
      // Deliveries leave rhea's buffers in order: one that stays unsettled must not stop thousands behind it.
      session_buffer_size: { incoming: 65_536, outgoing: 8_192 },
      connection_details: () => ({ host, port, connect: open }),
    })
    this.#connection = connection
    connection.on('connection_open', () => this.#opened(connection))
    connection.on('connection_error', () => undefined)
    connection.on('connection_close', () =>
      setImmediate(() => this.drop(`the broker closed the connection: ${describe(connection.error)}`)),
    )
    connection.on('protocol_error', (error: unknown) => this.drop(messageOf(error)))
    connection.on('disconnected', () => undefined)
    this.#timer = setTimeout(() => this.drop('the broker did not answer in time'), openLimitMs)
    connection.connect()
  }

  #opened(connection: Connection): void {
    if (connection !== this.#connection || this.#isClosed) return
    clearTimeout(this.#timer)
    this.#isOpen = true
    this.#logger.debug({ wire: this.#name }, 'broker connected')
    this.#events.onOpen()
  }

  #dropped(connection: Connection): void {
    if (connection !== this.#connection) return
    clearTimeout(this.#timer)
    const wasOpen = this.#isOpen
    this.#isOpen = false
    this.#isCorked = false
    this.#connection = undefined
    this.#socket = undefined
    if (wasOpen) {
      if (!this.#isClosed) this.#logger.warn({ wire: this.#name }, 'broker connection lost')
      this.#events.onDrop()
    }
    if (this.#isClosed) return
    // Between half and the whole pause, so that nodes do not come back in step.
    this.#timer = setTimeout(() => this.#connect(), this.#pauseMs * (0.5 + Math.random() / 2))
    this.#pauseMs = Math.min(this.#pauseMs * 2, longestPauseMs)
  }
}

/** The words of an AMQP error. */
export function describe(error: unknown): string {
  if (typeof error !== 'object' || error === null) return 'no reason given'
  const condition = 'condition' in error ? String(error.condition) : ''
  const description = 'description' in error ? String(error.description) : ''
  return `${condition} ${description}`.trim() || 'no reason given'
}
