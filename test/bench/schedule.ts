/**
 * 10,000 occurrences due within one minute over two real backend nodes, one of which stands still for 30 s: how often each
 * fired and how late. Then a backlog that is due all at once, fired by both nodes; the limit: one loop that claims and updates
 * the same rows in the same portions and does nothing else.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Storage } from '../../storage/index.ts'
import { openScheduleRig } from '../schedule-rig.ts'
import type { ScheduleRig, ScheduleTally } from '../schedule-rig.ts'
import { median } from './fresh.ts'
import type { BenchResult } from './run.ts'

const rounds = 3
const backlog = 2_000
const portion = 25

export interface ScheduleFigure extends BenchResult {
  readonly minute: ScheduleTally
}

/** `ours`, `limit`: occurrences a second out of a backlog. */
export async function run(): Promise<ScheduleFigure> {
  const rig = await openScheduleRig()
  try {
    await rig.startNodes()
    const ids = await rig.plan(10_000, 3_000, 60_000)
    await sleep(15_000)
    await rig.pause(30_000)
    const minute = await rig.tally(ids, 120_000)
    console.log(
      `each once: ${String(minute.once)} of ${String(minute.planned)}, never ${String(minute.never)}, twice ${String(minute.twice)}; late by ${String(minute.medianMs)} ms (median), ${String(minute.p99Ms)} ms (99 %), ${String(minute.worstMs)} ms (worst)`,
    )
    await rig.storage.write((tx) => tx.run('create table raw_occurrences like occurrences'))
    const ours: number[] = []
    const limit: number[] = []
    for (let round = 0; round < rounds; round++) {
      limit.push(await drainRaw(rig.storage))
      ours.push(await drain(rig))
    }
    const [mine, bare] = [Math.round(median(ours)), Math.round(median(limit))]
    if (minute.never + minute.twice > 0) process.exitCode = 1
    return {
      name: 'schedule',
      ours: mine,
      limit: bare,
      ratio: Number((mine / bare).toFixed(3)),
      unit: 'occurrences/s',
      runs: rounds,
      medianLateMs: minute.medianMs,
      p99LateMs: minute.p99Ms,
      minute,
    }
  } finally {
    await rig.close()
  }
}

/** Both nodes, from the moment when all are due. */
async function drain(rig: ScheduleRig): Promise<number> {
  const { storage } = rig
  await storage.write((tx) => tx.run('delete from occurrences'))
  const ids = await rig.plan(backlog, 2_000, 0)
  await rig.tally(ids, 60_000)
  const row = await storage.primary.first<{ us: number }>(
    'select timestampdiff(microsecond, min(due_at), max(fired_at)) us from occurrences',
  )
  return backlog / (Number(row?.us) / 1_000_000)
}

async function drainRaw(storage: Storage): Promise<number> {
  await storage.write(async (tx) => {
    await tx.run('delete from raw_occurrences')
    await tx.run('insert into raw_occurrences select * from occurrences limit 2000')
    await tx.run("update raw_occurrences set state = 'waiting', fired_at = null, fired_by = null")
  })
  const at = performance.now()
  let count = 0
  for (let taken = -1; taken !== 0; count += taken) {
    taken = await storage.write(async (tx) => {
      const rows = await tx.query<{ id: string }>(
        `select * from raw_occurrences where state = 'waiting' and next_try_at <= utc_timestamp(3) order by next_try_at limit ${String(portion)} for update skip locked`,
      )
      if (rows.length === 0) return 0
      const { affectedRows } = await tx.run(
        `update raw_occurrences set state = 'fired', fired_at = utc_timestamp(3), fired_by = 'raw' where id in (${rows.map(() => '?').join(', ')})`,
        rows.map(({ id }) => id),
      )
      return affectedRows
    })
  }
  return count / ((performance.now() - at) / 1000)
}
