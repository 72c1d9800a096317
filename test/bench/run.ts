/**
 * `npm run bench -- NAME [--json]`: one benchmark against the raw engine doing the same work, interleaved in one run. The
 * last line is JSON. Without a name: the list.
 */
import { parseArgs } from 'node:util'
import startServices from '../services.ts'

/** What may be said on the command line; each bench has its own defaults. */
export interface Options {
  readonly conversations?: number
  readonly messages?: number
}

/** Medians over `runs` rounds; `ratio` is ours/limit, or limit/ours where less is better, so that more is always better. */
export interface BenchResult {
  readonly name: string
  readonly ours: number
  readonly limit: number
  readonly ratio: number
  readonly unit: string
  readonly runs: number
  readonly [detail: string]: unknown
}

const benches: Readonly<
  Record<string, { about: string; load: () => Promise<{ run: (options: Options) => Promise<BenchResult> }> }>
> = {
  webhook: {
    about: 'signed webhook to 200, against a bare server with the same durable publish',
    load: () => plain(import('./webhook.ts')),
  },
  receive: {
    about: 'signed bodies taken in, against bare inserts of the same rows',
    load: () => import('./receive.ts'),
  },
  backlog: {
    about: 'the list of conversations while 100,000 events drain, against the idle cluster',
    load: () => plain(import('./backlog.ts')),
  },
  replay: {
    about: '100,000 events, each three times in random order, while nodes, broker and primary are killed',
    load: () => import('../chaos/replay.ts'),
  },
  reply: {
    about: 'from the call of the API to the network having the reply, against insert, publish and call',
    load: () => import('./reply.ts'),
  },
  answers: {
    about: '20,000 replies over 500 conversations while nodes, broker, primary and networks fail',
    load: () => import('../chaos/answers.ts'),
  },
  schedule: {
    about:
      '10,000 firings in a minute over two nodes, one frozen for 30 s; a backlog against a bare loop of claim and update',
    load: () => import('./schedule.ts'),
  },
  seed: {
    about: 'conversations of years, loaded: --conversations=100000 --messages=20 in each of two distributions',
    load: () => import('./seed.ts'),
  },
  list: {
    about:
      'lists of conversations and one opened, over HTTP, against the same rows by a bare query: --conversations=100000',
    load: () => import('./list.ts'),
  },
  answer: {
    about: 'a reply through the API, against a bare transaction of the same rows, one client and eight',
    load: () => import('./answer.ts'),
  },
  api: {
    about: 'the list of conversations over express, against a bare handler that sends the same bytes',
    load: () => import('./api.ts'),
  },
  fanout: {
    about:
      'from a webhook to the streams of 1,000 browsers, against a bare server that writes the same event to as many',
    load: () => import('./fanout.ts'),
  },
  streams: {
    about: '5,000 browsers at two web nodes: memory of a stream, and how long until all have an event',
    load: () => import('./streams.ts'),
  },
  fresh: {
    about: "a read after the reader's own write on the replica, against the same read on the primary",
    load: () => plain(import('./fresh.ts')),
  },
  cache: { about: "a cached read, against the bare client's get", load: () => import('./cache.ts') },
  search: {
    about: 'searches over HTTP, against the full-text query that one writes by hand: --messages=1000000',
    load: () => import('./search.ts'),
  },
  thumbnail: {
    about: 'smaller copies of pictures, against bare sharp making the same; the event loop meanwhile',
    load: () => import('./thumbnail.ts'),
  },
}

/** One that has settings of its own, which the command line does not know. */
const plain = async (file: Promise<{ readonly run: () => Promise<BenchResult> }>) => {
  const { run } = await file
  return { run: () => run() }
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean', default: false },
    conversations: { type: 'string' },
    messages: { type: 'string' },
  },
})
const bench = benches[positionals[0] ?? '']
if (bench === undefined) {
  for (const [name, { about }] of Object.entries(benches)) console.log(`${name.padEnd(12)} ${about}`)
  process.exitCode = positionals.length === 0 ? 0 : 2
} else {
  const stop = await startServices()
  try {
    const result = await (
      await bench.load()
    ).run({
      ...(values.conversations !== undefined && { conversations: Number(values.conversations) }),
      ...(values.messages !== undefined && { messages: Number(values.messages) }),
    })
    if (!values.json)
      console.log(`${result.name}: ${result.ours} of ${result.limit} ${result.unit}, ratio ${result.ratio}`)
    console.log(JSON.stringify(result))
  } finally {
    await stop()
  }
}
