/**
 * 5,000 browsers with an open stream each at two web nodes, as different users: what a stream costs in memory, that all of them get
 * each event, and how long it takes. The limit is the first event's: the same with a tenth of them.
 */
import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { openStreams, post } from './fanout-load.ts'
import { bodyOf, openStage, secret } from './fanout-stage.ts'
import type { BenchResult, Options } from './run.ts'

const limitMs = 60_000

export async function run(options: Options & { streams?: number; events?: number } = {}): Promise<BenchResult> {
  const { streams = 5_000, events = 10 } = options
  const stage = await openStage(streams)
  try {
    stage.start('../../infra/bin/parley.ts', ['run', 'messaging'], { PARLEY_NODE: 'bench-messaging' })
    const nodes = [await stage.startWeb('bench-web-1'), await stage.startWeb('bench-web-2')]
    await sleep(3_000)
    let at = 0
    let heard: number[] = []
    const open = async (tokens: readonly string[]) => {
      const half = tokens.length / 2
      const listen = (port: number, some: readonly string[]) =>
        openStreams({ port, tokens: some }, () => heard.push(performance.now() - at))
      await Promise.all(nodes.map(({ port }, n) => listen(port, tokens.slice(n * half, (n + 1) * half))))
      await sleep(5_000)
    }
    let said = 0
    /** Milliseconds until the last of them had it, for each event. */
    const tell = async (listening: number): Promise<number[]> => {
      const all: number[] = []
      for (let n = 0; n < events; n++) {
        heard = []
        at = performance.now()
        await post({ port: nodes[n % 2]?.port ?? 0, path: stage.path, secret }, bodyOf((said += 1)))
        while (heard.length < listening) {
          if (performance.now() - at > limitMs)
            throw new Error(`${String(listening - heard.length)} of ${String(listening)} streams did not hear of it`)
          await sleep(5)
        }
        all.push(Math.max(...heard))
        await sleep(300)
        if (heard.length > listening) throw new Error('a stream heard of it twice')
      }
      return all
    }
    const tenth = streams / 10
    await open(stage.tokens.slice(0, tenth))
    const few = await tell(tenth)
    const before = await Promise.all(nodes.map(({ pid }) => residentOf(pid)))
    const begin = performance.now()
    await open(stage.tokens.slice(tenth))
    const opened = performance.now() - begin - 5_000
    const many = await tell(streams)
    const after = await Promise.all(nodes.map(({ pid }) => residentOf(pid)))
    const grown = after.reduce((sum, bytes, n) => sum + bytes - (before[n] ?? 0), 0)
    const [ours, limit] = [median(many), median(few)]
    return {
      ...{ name: 'streams', ours, limit, ratio: Math.round((limit / ours) * 1_000) / 1_000, unit: 'ms until all have it', runs: events },
      ...{ streams, kilobytes_of_stream: Math.round(grown / (streams - tenth) / 102.4) / 10 },
      ...{ opened_per_second: Math.round(((streams - tenth) / opened) * 1_000), slowest_ms: Math.round(Math.max(...many)) },
    } // prettier-ignore
  } finally {
    await stage.close()
  }
}

/** Bytes of memory that the process holds. */
async function residentOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${String(pid)}/status`, 'utf8')
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? Number.NaN) * 1_024
}

const median = (values: readonly number[]): number =>
  Math.round([...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN)

if (import.meta.main) {
  console.log(JSON.stringify(await run()))
  process.exit(0)
}
