/** JSON lines on stderr, one logger per subsystem. Fields, not strings; never message text, never credentials. */
import { pino } from 'pino'
import type { Logger as PinoLogger } from 'pino'
import type { Config } from './config.ts'

export type Logger = Pick<PinoLogger, 'trace' | 'debug' | 'info' | 'warn' | 'error'> & {
  /** A logger that adds these fields to each line. */
  child(fields: Readonly<Record<string, unknown>>): Logger
}

/** The logger of this process; take one child per subsystem: `logger.child({ part: 'relay' })`. */
export function openLogger(config: Pick<Config, 'node' | 'logLevel'>): Logger {
  return pino(
    {
      level: config.logLevel,
      base: { node: config.node, pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: pino.stdSerializers.err },
    },
    pino.destination({ fd: 2, sync: false }),
  )
}

/** A logger that says nothing; for tests and short commands. */
export const silentLogger: Logger = pino({ level: 'silent' })
