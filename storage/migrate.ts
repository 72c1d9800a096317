/** Brings the schema to this code's version: numbered files, each applied once, by one node while the others wait. */
import { createHash } from 'node:crypto'
import { readFileSync, readdirSync } from 'node:fs'
import type { Config } from '../infra/config.ts'
import type { Logger } from '../infra/logger.ts'
import { openPool } from './pool.ts'
import type { Connection } from './pool.ts'

/** One file `NNNN-name.sql`. */
export interface Migration {
  readonly version: number
  readonly name: string
  readonly sql: string
  readonly checksum: string
  /** The oldest schema version whose code may still run once this has been applied (first line: `-- compatible with: 1`). */
  readonly compatibleWith: number
}

/** A schema that this code must not run on; the message says which and the way out. */
export class SchemaUnfit extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'SchemaUnfit'
  }
}

/**
 * Applies what is missing, in order; safe to call from many nodes at once. Returns the versions it applied itself.
 * @throws SchemaUnfit when the database is not one that this code can bring up to date
 */
export async function migrate(
  config: Config,
  logger: Logger,
  migrations: readonly Migration[] = readMigrations(),
): Promise<number[]> {
  return withConnection(config, async (connection) => {
    const applied: number[] = []
    // The lock belongs to the connection: a node that dies lets the next one go on.
    const [lock] = await connection.select<{ held: number | null }>(
      `select get_lock(concat('parley-migrate-', database()), 20) as held`,
    )
    if (lock?.held !== 1)
      throw new SchemaUnfit(
        'Another node has been changing the schema for 20 s; start this node again when it is done.',
      )
    try {
      await connection.command(table)
      const known = await readApplied(connection)
      refuseForeign(known, migrations)
      for (const migration of migrations.filter(({ version }) => !known.some((row) => row.version === version))) {
        logger.info({ version: migration.version, name: migration.name }, 'migrating the schema')
        for (const statement of splitStatements(migration.sql)) await connection.command(statement)
        await connection.change(
          'insert into schema_migrations (version, name, checksum, compatible_with, applied_at) values (?, ?, ?, ?, utc_timestamp(3))',
          [migration.version, migration.name, migration.checksum, migration.compatibleWith],
        )
        applied.push(migration.version)
      }
    } finally {
      await connection.command(`do release_lock(concat('parley-migrate-', database()))`)
    }
    return applied
  })
}

/** Resolves when this code may run on the schema as it is. @throws SchemaUnfit saying why not */
export async function checkSchema(config: Config, migrations: readonly Migration[] = readMigrations()): Promise<void> {
  await withConnection(config, async (connection) => {
    const [present] = await connection.select<{ n: number }>(
      `select count(*) as n from information_schema.tables where table_schema = database() and table_name = 'schema_migrations'`,
    )
    const known = present?.n === 1 ? await readApplied(connection) : []
    refuseForeign(known, migrations)
    const missing = migrations.filter(({ version }) => !known.some((row) => row.version === version))
    if (missing.length > 0) {
      throw new SchemaUnfit(`The schema lacks ${missing.map(label).join(', ')}: run \`parley migrate\` first.`)
    }
  })
}

interface Applied {
  version: number
  name: string
  checksum: string
  compatible_with: number
}

const table = `create table if not exists schema_migrations (
  version int unsigned not null primary key,
  name varchar(100) not null,
  checksum char(64) character set ascii not null,
  compatible_with int unsigned not null,
  applied_at datetime(3) not null
)`

const readApplied = (connection: Connection) =>
  connection.select<Applied>('select version, name, checksum, compatible_with from schema_migrations order by version')

function refuseForeign(known: readonly Applied[], migrations: readonly Migration[]): void {
  const mine = migrations.at(-1)?.version ?? 0
  for (const row of known) {
    const own = migrations.find(({ version }) => version === row.version)
    if (own === undefined && row.compatible_with > mine) {
      throw new SchemaUnfit(
        `The schema has ${label(row)}, made by newer code; this node knows the schema up to ${String(mine)} and must be upgraded.`,
      )
    }
    if (own !== undefined && own.checksum !== row.checksum) {
      throw new SchemaUnfit(
        `The schema's ${label(row)} is not the one of this code: a migration must never change once it has been applied.`,
      )
    }
  }
}

const label = (migration: { version: number; name: string }) =>
  `migration ${String(migration.version)} (${migration.name})`

/** The migrations of this code, in order. */
export function readMigrations(folder: URL = new URL('./migrations/', import.meta.url)): Migration[] {
  return readdirSync(folder)
    .filter((file) => /^\d{4}-[a-z0-9-]+\.sql$/.test(file))
    .sort()
    .map((file) => {
      const sql = readFileSync(new URL(file, folder), 'utf8')
      const version = Number(file.slice(0, 4))
      const compatible = /^-- compatible with: (\d+)/.exec(sql)?.[1]
      return {
        version,
        name: file.slice(5, -4),
        sql,
        checksum: createHash('sha256').update(sql).digest('hex'),
        compatibleWith: compatible === undefined ? version : Number(compatible),
      }
    })
}

/** Statements between semicolons; semicolons in quotes and comments do not count. Comments are left out. */
export function splitStatements(sql: string): string[] {
  const statements: string[] = []
  let current = ''
  for (const [piece] of sql.matchAll(
    /'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*"|`[^`]*`|--(?:[ \t][^\n]*)?(?=\n|$)|\/\*[\s\S]*?\*\/|;|[^'"`;/-]+|[\s\S]/g,
  )) {
    if (piece === ';') {
      statements.push(current.trim())
      current = ''
    } else if (!/^(--(\s|$)|\/\*(?!!))/.test(piece)) {
      current += piece
    }
  }
  return [...statements, current.trim()].filter((statement) => statement !== '')
}

async function withConnection<T>(config: Config, work: (connection: Connection) => Promise<T>): Promise<T> {
  if (config.primaryUrl === undefined)
    throw new Error('PARLEY_PRIMARY_URL is not set: Parley needs its primary database.')
  const pool = openPool(config.primaryUrl, { connections: 1, prepare: () => Promise.resolve() })
  try {
    const connection = await pool.acquire()
    try {
      return await work(connection)
    } finally {
      connection.release()
    }
  } finally {
    await pool.close()
  }
}
