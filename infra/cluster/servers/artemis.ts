import { ClusterFault } from '../fault.ts'
import type { Home } from '../home.ts'
import type { Plan } from '../plan.ts'
import type { ProcessSpec } from '../process.ts'

export function artemisSpec(
  _home: Home,
  _plan: Plan,
  _queues: readonly string[],
  _log: (line: string) => void,
): Promise<ProcessSpec> {
  return Promise.reject(new ClusterFault('not yet'))
}
