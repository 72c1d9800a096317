import { createHash } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silentLogger } from '../infra/logger.ts'
import { openStorage } from '../storage/index.ts'
import { checkSchema, migrate, readMigrations, splitStatements } from '../storage/migrate.ts'
import type { Migration } from '../storage/migrate.ts'
import { makeDatabase } from './databases.ts'
import type { TestDatabase } from './databases.ts'

let database: TestDatabase
beforeEach(async () => {
  database = await makeDatabase({ isEmpty: true })
})
afterEach(() => database.drop())

const migration = (version: number, sql: string, compatibleWith = version): Migration => ({
  version,
  name: `step-${String(version)}`,
  sql,
  compatibleWith,
  checksum: createHash('sha256').update(sql).digest('hex'),
})
const one = migration(1, 'create table a (n int);\ninsert into a values (1);')
const two = migration(
  2,
  `-- a ; in a comment\ncreate table b (t varchar(20) default 'x;y'); insert into a values (2)`,
  1,
)

async function count(): Promise<number | undefined> {
  const storage = await openStorage({ ...database.config, replicaUrls: [] }, silentLogger)
  try {
    return (await storage.primary.first<{ n: number }>('select count(*) as n from a'))?.n
  } finally {
    await storage.close()
  }
}

describe('migrate', () => {
  it('applies each file once, however many nodes start at once', async () => {
    const applied = await Promise.all(
      Array.from({ length: 8 }, () => migrate(database.config, silentLogger, [one, two])),
    )
    expect(applied.flat().sort()).toEqual([1, 2])
    expect(await count()).toBe(2)
    await migrate(database.config, silentLogger, [one, two])
    expect(await count()).toBe(2)
  })

  it('applies the schema of this code, which then fits', async () => {
    await expect(checkSchema(database.config)).rejects.toThrow(/lacks migration 1/)
    expect(await migrate(database.config, silentLogger)).toEqual(readMigrations().map(({ version }) => version))
    await checkSchema(database.config)
  })

  it('refuses what does not fit, and says why', async () => {
    await migrate(database.config, silentLogger, [one, two])
    await expect(checkSchema(database.config, [one, two, migration(3, 'select 1')])).rejects.toThrow(
      /lacks migration 3 \(step-3\)/,
    )
    // Version 2 says that code of version 1 may go on: a rolling upgrade.
    await checkSchema(database.config, [one])
    await migrate(database.config, silentLogger, [one, two, migration(3, 'create table c (n int)', 3)])
    await expect(checkSchema(database.config, [one])).rejects.toThrow(/must be upgraded/)
    await expect(migrate(database.config, silentLogger, [one, two])).rejects.toThrow(/must be upgraded/)
    await expect(checkSchema(database.config, [migration(1, 'create table other (n int)'), two])).rejects.toThrow(
      /must never change/,
    )
  })

  it('does not record a file that failed', async () => {
    await expect(migrate(database.config, silentLogger, [one, migration(2, 'create nonsense')])).rejects.toThrow(
      /syntax/,
    )
    await expect(checkSchema(database.config, [one, two])).rejects.toThrow(/lacks migration 2/)
    expect(await migrate(database.config, silentLogger, [one, two])).toEqual([2])
  })

  it('splits at semicolons that end a statement only', () => {
    expect(
      splitStatements(`select ';' , "a;b", \`c;d\`; -- x; y\n/* ; */ select 'it''s; \\'x;' - 1;\n--\n;; select 2--1`),
    ).toEqual([`select ';' , "a;b", \`c;d\``, `select 'it''s; \\'x;' - 1`, 'select 2--1'])
  })
})
