/** The process that owns a cluster: it starts it, answers for it, and stops it in order when it is told to. */
import type { Running } from '../lifecycle.ts'
import type { Servers } from './servers.ts'
import { askSupervisor, listenForControl } from './control.ts'
import { locateHome, lockHome, makeHome } from './home.ts'
import { endOrphans, findProcesses } from './orphans.ts'

/**
 * Runs a cluster until it is told to stop, by signal or by `parley cluster down`.
 * `start` must hand the set to `onOpen` before it starts anything. Resolves when everything has ended.
 */
export async function superviseCluster(
  path: string,
  start: (onOpen: (servers: Servers) => void) => Promise<void>,
  report: (line: string) => void,
): Promise<void> {
  let servers: Servers | undefined
  let control: Promise<Running> | undefined
  const asked = new AbortController()
  let stopped: () => void = () => undefined
  const end = new Promise<void>((resolve) => {
    stopped = resolve
  })
  const stop = async () => {
    if (!asked.signal.aborted) report('stopping')
    asked.abort()
    await servers?.stop()
    stopped()
  }
  // Ctrl-C reaches us from the terminal and again from npm: once is enough, the order of stopping is kept.
  const onSignal = () => void stop()
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, onSignal)
  try {
    await start((opened) => {
      servers = opened
      control = listenForControl(locateHome(path), opened, stop)
    })
    await end
  } catch (error) {
    // A start that was interrupted fails; that is not a fault.
    if (!asked.signal.aborted) throw error
    await servers?.stop()
  } finally {
    await (await control)?.stop()
  }
}

/** Stops the cluster of `path`, or what a killed supervisor left of it. Says what there was. */
export async function stopCluster(path: string): Promise<'stopped' | 'orphans ended' | 'nothing was running'> {
  const home = locateHome(path)
  if ((await askSupervisor(home, { command: 'down' })) !== undefined) return 'stopped'
  const made = makeHome(path)
  const lock = lockHome(made)
  try {
    if (findProcesses(made).length === 0) return 'nothing was running'
    await endOrphans(made)
    return 'orphans ended'
  } finally {
    lock.release()
  }
}
