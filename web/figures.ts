/** The figures of web nodes. */
import { Counter, Gauge, Histogram, metrics } from '../infra/metrics.ts'
import type { DoorOutcome } from './webhooks.ts'

const webhooks = new Counter({
  name: 'parley_webhooks_total',
  help: 'Requests at the webhook door, by what became of them.',
  labelNames: ['outcome'],
  registers: [metrics],
})
const requests = new Histogram({
  name: 'parley_http_request_seconds',
  help: 'Time to answer an API request, by route and status.',
  labelNames: ['method', 'route', 'status'],
  buckets: [0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 5],
  registers: [metrics],
})

const counts = new Set<() => number>()
new Gauge({
  name: 'parley_live_streams',
  help: 'Open live streams.',
  registers: [metrics],
  collect() {
    this.set([...counts].reduce((sum, count) => sum + count(), 0))
  },
})

// Counted here and handed over when asked: a labelled counter costs a hash for each request at the door.
const pending = new Map<DoorOutcome, number>()

/** One request at the webhook door. */
export function countWebhook(outcome: DoorOutcome): void {
  pending.set(outcome, (pending.get(outcome) ?? 0) + 1)
}

/** The text for /metrics. */
export async function collectFigures(): Promise<{ text: string; contentType: string }> {
  for (const [outcome, count] of pending) webhooks.inc({ outcome }, count)
  pending.clear()
  return { text: await metrics.metrics(), contentType: metrics.contentType }
}

/** One answered API request. */
export function observeRequest(method: string, route: string, status: number, seconds: number): void {
  requests.observe({ method, route, status }, seconds)
}

/** Adds these streams to the gauge until the answer is called. */
export function watchStreams(count: () => number): () => void {
  counts.add(count)
  return () => counts.delete(count)
}
