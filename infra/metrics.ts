/** The figures of this process, in Prometheus' text format. Each subsystem registers its own here. */
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client'

/** The registry of this process, with the default figures of Node. */
export const metrics = new Registry()

collectDefaultMetrics({ register: metrics })

export { Counter, Gauge, Histogram }

/** Puts the name of this node on every figure. */
export function labelMetrics(node: string): void {
  metrics.setDefaultLabels({ node })
}
