/**
 * The real servers that the tests share: a database pair, two memcached, Redis and a broker, started once for a whole run
 * in a folder of their own. Servers that the environment names already (PARLEY_PRIMARY_URL ...) are used as they are.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startServers } from '../infra/cluster/servers.ts'
import { queueNames } from '../messaging/broker/queues.ts'

export default async function startServices(): Promise<() => Promise<void>> {
  if (process.env['PARLEY_PRIMARY_URL'] !== undefined) return () => Promise.resolve()
  const home = await mkdtemp(join(tmpdir(), 'parley-test-'))
  const servers = await startServers(home, { queues: queueNames })
  Object.assign(process.env, servers.env, { PARLEY_HOME: home })
  return async () => {
    await servers.stop()
    await rm(home, { recursive: true, force: true })
  }
}
