/** A backlog leaves room to those who read, on whichever node they are. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Pace } from '../messaging/pace.ts'
import { openReaders } from '../storage/readers.ts'
import { openPlatform, until } from './platform.ts'
import type { Platform } from './platform.ts'

let platform: Platform
beforeAll(async () => {
  platform = await openPlatform()
})
afterAll(() => platform.close())

/** The most transactions that were open at once. */
async function takeThree(pace: Pace): Promise<number> {
  let open = 0
  let most = 0
  const work = async (): Promise<void> => {
    most = Math.max(most, ++open)
    await sleep(20)
    open--
  }
  await Promise.all([pace.take(work, true), pace.take(work, true), pace.take(work, true)])
  return most
}

describe('the pace of receiving', () => {
  it('takes large transactions at once while nobody reads', async () => {
    const pace = new Pace(platform.storage.readers)
    await pace.look()
    expect(pace.bodies).toBeGreaterThan(100)
    expect(await takeThree(pace)).toBe(3)
  })

  it('takes small ones in turn while somebody reads on another node, and large ones again when they have gone', async () => {
    const pace = new Pace(platform.storage.readers)
    const other = await platform.openNode('node-2')
    other.storage.readers.note()
    await until(() => platform.storage.readers.areThere())
    await pace.look()
    expect([pace.bodies, pace.items]).toEqual([50, 50])
    expect(await takeThree(pace)).toBe(1)
    await until(async () => !(await platform.storage.readers.areThere()), 15_000)
    await pace.look()
    expect(pace.bodies).toBeGreaterThan(100)
  }, 25_000)

  it('goes on after a transaction that failed', async () => {
    const pace = new Pace({ note: () => undefined, areThere: () => Promise.resolve(true) })
    await pace.look()
    await expect(pace.take(() => Promise.reject(new Error('no')), true)).rejects.toThrow('no')
    expect(await takeThree(pace)).toBe(1)
  })

  it('takes nobody to be there without a pool that says so', async () => {
    const readers = openReaders({ ...platform.storage.cache, locate: () => undefined })
    readers.note()
    expect(await readers.areThere()).toBe(false)
  })
})
