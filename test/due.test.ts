/** What is planned for a time fires then, once: over two nodes with one that stands still, with broken ones among good ones. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fireDue } from '../backend/due.ts'
import type { Kinds } from '../backend/due.ts'
import { fireWake, planWake } from '../backend/wake.ts'
import { newId } from '../infra/ids.ts'
import { silentLogger } from '../infra/logger.ts'
import { openStorage } from '../storage/index.ts'
import type { Occurrence, Storage } from '../storage/index.ts'
import { makeDatabase } from './databases.ts'
import type { TestDatabase } from './databases.ts'
import { openScheduleRig } from './schedule-rig.ts'

let database: TestDatabase
let storage: Storage
let accountId: string
beforeAll(async () => {
  database = await makeDatabase()
  storage = await openStorage(database.config, silentLogger)
  accountId = (await storage.write((tx) => storage.accounts.create(tx, 'Bakery'))).id
})
afterAll(async () => {
  await storage.close()
  await database.drop()
})

const fired: string[] = []
const note = (_storage: Storage, _tx: unknown, { subjectId }: Occurrence) => {
  fired.push(subjectId)
  return Promise.resolve([])
}
const kinds: Kinds = { post: note, reply: note, wake: fireWake }
const plan = (subjectId: string, inMs: number) =>
  storage.write((tx) =>
    storage.occurrences.plan(tx, { accountId, kind: 'post', subjectId, dueAt: new Date(Date.now() + inMs) }),
  )
const of = (subjectId: string) => storage.occurrences.ofSubject(storage.primary, accountId, 'post', subjectId)
const context = () => ({ storage, logger: silentLogger, node: 'node-1' })

describe('what is due', () => {
  it('fires each once over two nodes of which one stands still', { timeout: 60_000 }, async () => {
    const rig = await openScheduleRig()
    try {
      await rig.startNodes()
      const ids = await rig.plan(600, 1_000, 5_000)
      await sleep(2_000)
      await rig.pause(3_000)
      const tally = await rig.tally(ids, 20_000)
      await sleep(500)
      console.log(`occurrences ${JSON.stringify(tally)}`)
      expect(tally).toMatchObject({ planned: 600, once: 600, never: 0, twice: 0 })
      expect(Object.keys(tally.byNode)).toHaveLength(2)
    } finally {
      await rig.close()
    }
  })

  it('waits for its time, fires once, and not again when it is planned again for the same time', async () => {
    const [early, late] = [newId(), newId()]
    await plan(early, -1_000)
    await plan(late, 60_000)
    expect(await fireDue(context(), kinds)).toBe(1)
    expect(await fireDue(context(), kinds)).toBe(0)
    expect(fired).toEqual([early])
    const [first] = await of(early)
    expect(first).toMatchObject({ state: 'fired', firedBy: 'node-1' })
    await storage.write((tx) =>
      storage.occurrences.plan(tx, { accountId, kind: 'post', subjectId: early, dueAt: first?.dueAt ?? new Date() }),
    )
    expect(await fireDue(context(), kinds)).toBe(0)
    expect(await storage.write((tx) => storage.occurrences.cancel(tx, accountId, 'post', late, 'off'))).toBe(1)
    expect(await of(late)).toMatchObject([{ state: 'cancelled', reason: 'off' }])
  })

  it('fires the good ones of a batch beside a broken one, which is dead after eight tries', async () => {
    const [good, broken, tooLate] = [newId(), newId(), newId()]
    for (const id of [broken, good, tooLate]) await plan(id, -1_000)
    const strict: Kinds = {
      ...kinds,
      post: (...args) => {
        if (args[2].subjectId === broken) throw new Error('no such post')
        if (args[2].subjectId === tooLate) return Promise.resolve({ state: 'asked', reason: 'late', facts: [] })
        return note(...args)
      },
    }
    for (let tries = 1; tries <= 8; tries++) {
      await fireDue(context(), strict)
      await storage.write((tx) => tx.run("update occurrences set next_try_at = due_at where state = 'waiting'"))
    }
    expect(fired).toContain(good)
    expect(await of(good)).toMatchObject([{ state: 'fired' }])
    expect(await of(tooLate)).toMatchObject([{ state: 'asked', reason: 'late' }])
    expect(await of(broken)).toMatchObject([{ state: 'dead', tries: 7, reason: 'no such post' }])
  })

  it('wakes a snoozed conversation at the last time that was planned for it', async () => {
    const rig = await openScheduleRig()
    try {
      const [id = ''] = await rig.plan(1, 60_000, 0)
      const [row] = await rig.storage.primary.query<{ accountId: string }>(
        'select account_id accountId from occurrences',
      )
      const conversation = { accountId: row?.accountId ?? '', id }
      const at = new Date(Date.now() - 1_000)
      await rig.storage.write((tx) => planWake(rig.storage, tx, conversation, new Date(Date.now() + 90_000)))
      await rig.storage.write((tx) => planWake(rig.storage, tx, conversation, at))
      expect(await fireDue({ ...context(), storage: rig.storage }, kinds)).toBe(1)
      expect(await rig.storage.conversations.get(rig.storage.primary, conversation.accountId, id)).toMatchObject({
        status: 'open',
      })
      const all = await rig.storage.occurrences.ofSubject(rig.storage.primary, conversation.accountId, 'wake', id)
      expect(all.map(({ state }) => state)).toEqual(['fired', 'cancelled', 'cancelled'])
    } finally {
      await rig.close()
    }
  })

  it('gives up the claim of a transaction that says nothing for long', async () => {
    const id = newId()
    await plan(id, -1_000)
    const asleep = storage.write(
      async (tx) => {
        const claimed = await storage.occurrences.claim(tx, 10)
        await sleep(2_500)
        await storage.occurrences.end(
          tx,
          claimed.map((each) => ({ ...each, state: 'fired' as const, reason: 'by the sleeper' })),
          'sleeper',
        )
      },
      { idleLimitS: 1 },
    )
    asleep.catch(() => undefined)
    await sleep(500)
    expect(await fireDue(context(), kinds)).toBe(0)
    await expect(asleep).rejects.toThrow()
    expect(await fireDue(context(), kinds)).toBe(1)
    expect(await of(id)).toMatchObject([{ state: 'fired', firedBy: 'node-1', reason: null }])
    // The limit does not stay with the connection.
    const row = await storage.write((tx) => tx.first<{ n: number }>('select @@session.idle_transaction_timeout n'))
    expect(row?.n).toBe(0)
  })
})
