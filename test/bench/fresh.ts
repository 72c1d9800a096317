/**
 * A read right after a write by the same session, beside the same read on the primary, interleaved: medians. Counts
 * reads that did not see their own write: there must be none, also with a replica that lags by seconds.
 */
import { readConfig } from '../../infra/config.ts'
import { newId } from '../../infra/ids.ts'
import { silentLogger } from '../../infra/logger.ts'
import { migrate, openStorage } from '../../storage/index.ts'
import type { Position, Storage } from '../../storage/index.ts'
import type { BenchResult } from './run.ts'

export interface FreshFigure extends BenchResult {
  readonly pairs: number
  readonly stale: number
}

/**
 * @param options.pairs write and read pairs in all
 * @param options.sessions how many sessions write and read at once; only one at a time is measured for the ratio
 */
export async function run(options: { pairs?: number; sessions?: number } = {}): Promise<FreshFigure> {
  const config = readConfig()
  await migrate(config, silentLogger)
  const storage = await openStorage(config, silentLogger)
  try {
    return await measure(storage, options.pairs ?? 100_000, options.sessions ?? 16)
  } finally {
    await storage.close()
  }
}

async function measure(storage: Storage, pairs: number, sessions: number): Promise<FreshFigure> {
  const ids = await storage.write(async (tx) => {
    const made: string[] = []
    for (let index = 0; index < sessions; index++) made.push((await storage.accounts.create(tx, '0')).id)
    return made
  })
  const ours: number[] = []
  const limit: number[] = []
  let stale = 0
  let count = 0
  const session = async (id: string, times: { ours: number[]; limit: number[] } | undefined, until: number) => {
    const position: Position = { gtid: undefined }
    const own = storage.as(position)
    for (let turn = 1; turn <= until; turn++) {
      let name = ''
      const write = () => {
        name = newId()
        return own.write((tx) => tx.run('update accounts set name = ? where id = ?', [name, id]))
      }
      const look = async (reader: Storage['fresh'], list: number[] | undefined) => {
        const begin = performance.now()
        const row = await reader.first<{ name: string }>('select name from accounts where id = ?', [id])
        list?.push(performance.now() - begin)
        if (row?.name !== name) stale++
      }
      await write()
      await look(own.fresh, times?.ours)
      if (times !== undefined) {
        await write()
        await look(own.primary, times.limit)
      }
      count++
    }
  }
  // First the ratio, one session alone; then the count, many at once.
  const alone = Math.min(5_000, pairs)
  await session(ids[0] ?? '', { ours, limit }, alone)
  const each = Math.ceil((pairs - alone) / sessions)
  await Promise.all(ids.map((id) => session(id, undefined, each)))
  const [a, b] = [median(ours), median(limit)]
  return { name: 'fresh', ours: a, limit: b, ratio: b / a, unit: 'ms', runs: alone, pairs: count, stale }
}

export function median(values: readonly number[]): number {
  return [...values].sort((one, other) => one - other)[Math.floor(values.length / 2)] ?? Number.NaN
}
