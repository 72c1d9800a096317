/**
 * From a signed webhook to the open streams of 1,000 browsers: the door, the broker, the inbox, the numbers, the streams. The
 * limit: a bare server that writes the same event to as many streams when it is asked to; and one commit. Each in a process of
 * its own, the browsers in another, by turns in one run; as one user and as 1,000 different ones.
 */
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { newId } from '../../infra/ids.ts'
import type { Storage } from '../../storage/index.ts'
import type { FanoutAnswer, FanoutOrder } from './fanout-load.ts'
import { bodyOf, freePort, openStage, secret } from './fanout-stage.ts'
import type { BenchResult, Options } from './run.ts'

/** @param options.streams open browsers @param options.rounds of each kind @param options.events in each round */
export async function run(
  options: Options & { streams?: number; rounds?: number; events?: number } = {},
): Promise<BenchResult> {
  const { streams = 1_000, rounds = 3, events = 25 } = options
  const stage = await openStage(streams)
  const { storage, accountId, path, tokens } = stage
  try {
    const barePort = await freePort()
    const ids = { conversation_id: newId(), message_id: newId(), channel_id: newId(), kind: 'message' }
    const data = { number: 123_456, type: 'message.received', at: new Date().toISOString(), data: ids }
    stage.start('./fanout-bare.ts', [
      String(barePort),
      `id: 123456\nevent: message.received\ndata: ${JSON.stringify(data)}\n\n`,
    ])
    stage.start('../../infra/bin/parley.ts', ['run', 'messaging'], { PARLEY_NODE: 'bench-messaging' })
    const load = stage.start('./fanout-load.ts', [])
    const { port: webPort } = await stage.startWeb('bench-web')
    await sleep(3_000)

    let said = 0
    const measure = async (port: number, as: readonly string[], count = events): Promise<number[]> => {
      const bodies = Array.from({ length: count }, () => bodyOf((said += 1)))
      const order: FanoutOrder = { port, tokens: as, path, secret, bodies }
      load.send(order)
      const [answer] = (await once(load, 'message')) as [FanoutAnswer | { error: string }]
      if ('error' in answer) throw new Error(answer.error)
      return [...answer.all]
    }
    const one = Array<string>(streams).fill(tokens[0] ?? '')
    await measure(barePort, one, 10)
    await measure(webPort, one, 10)
    const found: { bare: number[]; ours: number[]; many: number[]; commit: number[] } = { bare: [], ours: [], many: [], commit: [] } // prettier-ignore
    const p99 = { bare: [] as number[], ours: [] as number[], many: [] as number[] }
    for (let round = 0; round < rounds; round++)
      for (const [kind, port, as] of [['bare', barePort, one], ['ours', webPort, one], ['many', webPort, tokens]] as const) {
        const all = await measure(port, as)
        found[kind].push(...all)
        p99[kind].push(share(all, 0.99))
        found.commit.push(...(await commits(storage, accountId)))
      } // prettier-ignore
    const commit = share(found.commit, 0.5)
    const [ours, many, limit] = [share(found.ours, 0.99), share(found.many, 0.99), share(found.bare, 0.99)]
    const allowed = 4 * limit + commit
    return {
      name: 'fanout',
      ...{ ours, limit, ratio: round(limit / ours, 3), unit: 'ms, p99 of all streams', runs: rounds },
      ...{ streams, events: events * rounds, commit_ms: commit, allowed_ms: round(allowed), is_within: ours <= allowed },
      ...{ ours_p50: share(found.ours, 0.5), limit_p50: share(found.bare, 0.5) },
      different_users: { ours: many, ratio: round(limit / many, 3), ours_p50: share(found.many, 0.5), is_within: many <= allowed },
      p99_by_round: p99,
    } // prettier-ignore
  } finally {
    await stage.close()
  }
}

async function commits(storage: Storage, accountId: string): Promise<number[]> {
  const all: number[] = []
  for (let n = 0; n < 20; n++) {
    const at = performance.now()
    await storage.write((tx) =>
      tx.run('update accounts set name = ? where id = ?', [`Bench ${String(Math.random())}`, accountId]),
    )
    all.push(performance.now() - at)
  }
  return all
}

const round = (value: number, digits = 1): number => Math.round(value * 10 ** digits) / 10 ** digits
const share = (values: readonly number[], part: number): number =>
  round([...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * part))] ?? Number.NaN)

if (import.meta.main) console.log(JSON.stringify(await run()))
