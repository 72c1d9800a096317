/** The one door to what is remembered. */
import type { Config } from '../infra/config.ts'
import type { Logger } from '../infra/logger.ts'
import { openDatabases } from './database.ts'
import type { Database, Position } from './database.ts'
import { openSecrets } from './secrets.ts'
import type { Secrets } from './secrets.ts'
import { accounts } from './stores/accounts.ts'
import { apps } from './stores/apps.ts'
import { channels } from './stores/channels.ts'
import { events } from './stores/events.ts'
import { leases } from './stores/leases.ts'
import { outbox } from './stores/outbox.ts'
import { tokens } from './stores/tokens.ts'
import { users } from './stores/users.ts'

/** Every store, written out. */
const stores = { accounts, apps, channels, events, leases, outbox, tokens, users }

type Stores = typeof stores

/** What is remembered, as one reader and writer sees it. */
export interface Storage extends Database, Stores {
  /** The same storage for the reader whose position this is: `fresh` sees its writes, `write` moves it. */
  as(position: Position): Storage
  readonly secrets: Secrets
  close(): Promise<void>
}

/** Opens the pools and the cache; nothing is asked of a server before the first use. */
export function openStorage(config: Config, logger: Logger): Promise<Storage> {
  const databases = openDatabases(config, logger.child({ part: 'storage' }))
  const secrets = openSecrets(config)
  const as = (position: Position): Storage => ({ ...stores, ...databases.as(position), as, secrets, close: () => databases.close() })
  // This process as a reader: it sees what it has written itself.
  return Promise.resolve(as({ gtid: undefined }))
}

export { migrate, checkSchema } from './migrate.ts'
export { CommitUnknown } from './database.ts'
export type { Database, Position, Reader, Writer, SqlValue } from './database.ts'
