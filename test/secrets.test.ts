import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { randomBytes } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { newId } from '../infra/ids.ts'
import { silentLogger } from '../infra/logger.ts'
import { openStorage } from '../storage/index.ts'
import { resealAll } from '../storage/reseal.ts'
import { SecretUnreadable, openSecrets } from '../storage/secrets.ts'
import { makeDatabase } from './databases.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'parley-secrets-'))
})
afterEach(() => {
  rmSync(folder, { recursive: true })
})

const newKey = () => randomBytes(32).toString('base64')
const place = 'channels|sealed_credentials|1'

describe('secrets', () => {
  it('opens what it sealed, and shows nothing of it in the blob', () => {
    const secrets = openSecrets({ keys: join(folder, 'keys.json') })
    const blob = secrets.seal('grüße, token-123', place)
    expect(blob.includes('token-123')).toBe(false)
    expect(secrets.open(blob, place)).toBe('grüße, token-123')
    expect(secrets.seal('grüße, token-123', place).equals(blob)).toBe(false)
  })

  it('refuses a blob of another row, and each changed byte', () => {
    const secrets = openSecrets({ keys: join(folder, 'keys.json') })
    const blob = secrets.seal('token', place)
    expect(() => secrets.open(blob, 'channels|sealed_credentials|2')).toThrow(SecretUnreadable)
    let refused = 0
    for (let at = 0; at < blob.length; at++) {
      const changed = Buffer.from(blob)
      changed.writeUInt8(changed.readUInt8(at) ^ 1, at)
      expect(() => secrets.open(changed, place)).toThrow(SecretUnreadable)
      refused++
    }
    expect(refused).toBeGreaterThan(35)
    for (let size = 0; size < blob.length; size++)
      expect(() => secrets.open(blob.subarray(0, size), place)).toThrow(SecretUnreadable)
  })

  it('makes the key file for its owner alone, and one file for two nodes', () => {
    const keys = join(folder, 'sub', 'keys.json')
    const [one, other] = [openSecrets({ keys }), openSecrets({ keys })]
    expect(statSync(keys).mode & 0o777).toBe(0o600)
    expect(other.open(one.seal('x', place), place)).toBe('x')
  })

  it('changes keys without a pause: an older node learns the new key when it meets it', () => {
    const keys = join(folder, 'keys.json')
    const [first, second] = [newKey(), newKey()]
    writeFileSync(keys, JSON.stringify({ current: 'one', keys: { one: first } }))
    const older = openSecrets({ keys })
    const old = older.seal('from before', place)
    writeFileSync(keys, JSON.stringify({ current: 'two', keys: { one: first, two: second } }))
    const newer = openSecrets({ keys })
    expect(newer.open(old, place)).toBe('from before')
    expect([newer.isCurrent(old), newer.isCurrent(newer.seal('x', place))]).toEqual([false, true])
    expect(older.open(newer.seal('from now', place), place)).toBe('from now')
    expect(older.isCurrent(old)).toBe(false)
    writeFileSync(keys, JSON.stringify({ current: 'two', keys: { two: second } }))
    expect(() => openSecrets({ keys }).open(old, place)).toThrow(/key one/)
  })

  it('derives the same keys on each node, others for other purposes, and keeps the older ones', () => {
    const keys = join(folder, 'keys.json')
    const [first, second] = [newKey(), newKey()]
    writeFileSync(keys, JSON.stringify({ current: 'one', keys: { one: first } }))
    const [before] = openSecrets({ keys }).derive('cookies')
    writeFileSync(keys, JSON.stringify({ current: 'two', keys: { one: first, two: second } }))
    const after = openSecrets({ keys }).derive('cookies')
    expect(after).toHaveLength(2)
    expect(after[0].equals(before)).toBe(true)
    expect(after[1]!.equals(before)).toBe(false)
    expect(openSecrets({ keys }).derive('other')[0].equals(after[0])).toBe(false)
  })

  it('refuses a key file that it cannot use, without showing a key', () => {
    const keys = join(folder, 'keys.json')
    for (const text of ['', '{}', '{"current":"one","keys":{"one":"c2hvcnQ="}}', '{"current":"one","keys":{}}']) {
      writeFileSync(keys, text)
      expect(() => openSecrets({ keys })).toThrow(SecretUnreadable)
      expect(readFileSync(keys, 'utf8')).toBe(text)
    }
  })

  it('brings every row under the new key while the cluster runs', async () => {
    const database = await makeDatabase()
    const keys = join(folder, 'keys.json')
    const [first, second] = [newKey(), newKey()]
    writeFileSync(keys, JSON.stringify({ current: 'one', keys: { one: first } }))
    const config = { ...database.config, keys }
    const older = await openStorage(config, silentLogger)
    const accountId = newId()
    const ids = await older.write(async (tx) => {
      const made: string[] = []
      for (let index = 0; index < 250; index++) {
        made.push(
          await older.apps.create(tx, older, {
            accountId,
            network: 'meta',
            name: 'x',
            externalId: null,
            webhookKey: newId(),
            secrets: { secrets: [`secret ${String(index)}`], clientSecret: null, verifyToken: null },
            consumerKey: null,
            clientId: null,
            apiBaseUrl: null,
          }),
        )
      }
      return made
    })
    writeFileSync(keys, JSON.stringify({ current: 'two', keys: { one: first, two: second } }))
    const newer = await openStorage(config, silentLogger)
    expect(await resealAll(newer)).toBe(250)
    expect(await resealAll(newer)).toBe(0)
    writeFileSync(keys, JSON.stringify({ current: 'two', keys: { two: second } }))
    const last = await openStorage(config, silentLogger)
    for (const storage of [older, last]) {
      const app = await storage.apps.get(storage.primary, accountId, ids[249]!)
      expect(storage.apps.openSecrets(storage, app!).secrets).toEqual(['secret 249'])
    }
    await Promise.all([older.close(), newer.close(), last.close()])
    await database.drop()
  })
})
