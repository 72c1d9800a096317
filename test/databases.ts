/** One test file's own database, migrated, on the shared servers or on those named by `environment`; and a folder for its files. */
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readConfig } from '../infra/config.ts'
import type { Config } from '../infra/config.ts'
import { silentLogger } from '../infra/logger.ts'
import { migrate, openStorage } from '../storage/index.ts'

const development = {
  PARLEY_PRIMARY_URL: 'mysql://parley:parley@127.0.0.1:23306/parley',
  PARLEY_REPLICA_URLS: 'mysql://parley:parley@127.0.0.1:23307/parley',
  PARLEY_MEMCACHED: '127.0.0.1:21211,127.0.0.1:21212',
}

export interface TestDatabase {
  readonly config: Config
  drop(): Promise<void>
}

/** @param options.isEmpty without the schema */
export async function makeDatabase(
  options: { environment?: Readonly<Record<string, string | undefined>>; isEmpty?: boolean } = {},
): Promise<TestDatabase> {
  const given = options.environment ?? (process.env['PARLEY_PRIMARY_URL'] === undefined ? development : process.env)
  const name = `t_${randomBytes(6).toString('hex')}`
  const home = await mkdtemp(join(tmpdir(), 'parley-'))
  const configOf = (database: string) => {
    const at = (url: string) => Object.assign(new URL(url), { pathname: `/${database}` }).href
    return readConfig({
      PARLEY_HOME: home,
      PARLEY_PREFIX: name,
      PARLEY_PRIMARY_URL: at(given['PARLEY_PRIMARY_URL'] ?? ''),
      PARLEY_REPLICA_URLS: (given['PARLEY_REPLICA_URLS'] ?? '').split(',').filter(Boolean).map(at).join(','),
      PARLEY_MEMCACHED: given['PARLEY_MEMCACHED'],
      PARLEY_LOG_LEVEL: 'silent',
    })
  }
  const command = async (sql: string) => {
    const outside = await openStorage({ ...configOf('information_schema'), replicaUrls: [] }, silentLogger)
    await outside.write((tx) => tx.run(sql))
    await outside.close()
  }
  await command(`create database ${name}`)
  const config = configOf(name)
  if (options.isEmpty !== true) await migrate(config, silentLogger)
  return {
    config,
    async drop() {
      await command(`drop database ${name}`)
      await rm(home, { recursive: true, force: true })
    },
  }
}
