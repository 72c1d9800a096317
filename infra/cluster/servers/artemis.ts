/** Apache ActiveMQ Artemis, the other AMQP 1.0 broker: fetched by Maven once, run with AMQP on the loopback and nothing else. */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { artemisBroker, artemisLogging, artemisLogin } from '../../deploy/artemis.ts'
import { ClusterFault } from '../fault.ts'
import type { Home } from '../home.ts'
import { writePrivate } from '../home.ts'
import type { Plan } from '../plan.ts'
import { portOf } from '../plan.ts'
import type { ProcessSpec } from '../process.ts'
import { waitForAmqp } from './rabbitmq.ts'
import { runOnce } from './run-once.ts'

/** The version that is tried and its Maven name. */
export const artemisVersion = '2.56.0'
const artifact = `org.apache.artemis:apache-artemis:${artemisVersion}:tar.gz:bin`

/** Writes the broker's configuration with all `queues`, each durable and taken by one consumer per message. */
export async function artemisSpec(
  home: Home,
  plan: Plan,
  queues: readonly string[],
  log: (line: string) => void,
): Promise<ProcessSpec> {
  const program = await findArtemis(home, log)
  const base = join(home.path, 'artemis')
  const etc = join(base, 'etc')
  for (const folder of [base, etc, join(base, 'data'), join(base, 'tmp')]) {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
  }
  const port = portOf(plan, 'broker')
  writePrivate(join(etc, 'broker.xml'), artemisBroker({ port, data: join(base, 'data'), queues }))
  writePrivate(join(etc, 'bootstrap.xml'), bootstrap(etc))
  // No connector in it: no port for remote management is opened.
  writePrivate(join(etc, 'management.xml'), '<management-context xmlns="http://activemq.apache.org/schema"/>\n')
  writePrivate(join(etc, 'log4j2.properties'), artemisLogging)
  for (const [name, text] of Object.entries(artemisLogin(plan.passwords.broker))) writePrivate(join(etc, name), text)
  const options: Readonly<Record<string, string>> = {
    'artemis.home': program,
    'artemis.instance': base,
    'artemis.instance.etc': etc,
    'data.dir': join(base, 'data'),
    'java.io.tmpdir': join(base, 'tmp'),
    'java.security.auth.login.config': join(etc, 'login.config'),
    'log4j2.configurationFile': join(etc, 'log4j2.properties'),
    'java.net.preferIPv4Stack': 'true',
  }
  return {
    name: 'broker',
    role: 'broker',
    port,
    command: 'java',
    args: [
      '-Xms128M',
      '-Xmx512M',
      '-XX:+UseSerialGC',
      '-XX:TieredStopAtLevel=4',
      '-XX:+PerfDisableSharedMem',
      ...Object.entries(options).map(([name, value]) => `-D${name}=${value}`),
      '-cp',
      [etc, ...jarsOf(program)].join(':'),
      'org.apache.activemq.artemis.boot.Artemis',
      'run',
    ],
    env: {
      ARTEMIS_HOME: program,
      ARTEMIS_INSTANCE: base,
      ARTEMIS_INSTANCE_URI: `file:${base}/`,
      ARTEMIS_INSTANCE_ETC_URI: `file:${etc}/`,
    },
    cwd: base,
    ready: (signal) => waitForAmqp(port, signal),
    stopLimitMs: 15_000,
  }
}

// Only the starter: it loads everything in lib/ by itself.
const jarsOf = (program: string): string[] => [join(program, 'lib', 'artemis-boot.jar')]

async function findArtemis(home: Home, log: (line: string) => void): Promise<string> {
  const name = `apache-artemis-${artemisVersion}`
  const own = homedir()
  const places = [join(own, '.cache', 'parley'), join(home.path, 'programs')]
  const found = places
    .map((place) => join(place, name))
    .find((path) => existsSync(join(path, 'lib', 'artemis-boot.jar')))
  if (found !== undefined) return found
  const place = places.find(canMake)
  if (place === undefined)
    throw new ClusterFault(`Artemis cannot be kept anywhere: neither ${places.join(' nor ')} is writable.`)
  log(`fetching Artemis ${artemisVersion} by Maven (about 70 MB, once)`)
  const half = join(place, `${name}.${String(process.pid)}`)
  rmSync(half, { recursive: true, force: true })
  mkdirSync(half, { recursive: true, mode: 0o755 })
  try {
    const archive = join(half, 'archive')
    const plugin = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1'
    const maven = (...args: string[]) =>
      runOnce(home, {
        name: 'artemis-install',
        command: 'mvn',
        args: ['-q', '-B', ...args],
        env: { HOME: own },
        limitMs: 300_000,
      })
    await maven(`${plugin}:get`, `-Dartifact=${artifact}`, '-Dtransitive=false')
    await maven(`${plugin}:copy`, `-Dartifact=${artifact}`, `-DoutputDirectory=${archive}`)
    const [file] = readdirSync(archive)
    if (file === undefined) throw new ClusterFault('Maven copied nothing.')
    await runOnce(home, { name: 'artemis-install', command: 'tar', args: ['-xzf', join(archive, file), '-C', half] })
    rmSync(join(place, name), { recursive: true, force: true })
    // Renamed last, so that half an archive is never taken for a broker.
    renameSync(join(half, name), join(place, name))
  } finally {
    rmSync(half, { recursive: true, force: true })
  }
  return join(place, name)
}

function canMake(path: string): boolean {
  try {
    mkdirSync(path, { recursive: true, mode: 0o755 })
    return true
  } catch {
    return false
  }
}

// No <web>: the console is not started.
const bootstrap = (etc: string): string => `<?xml version="1.0"?>
<broker xmlns="http://activemq.apache.org/schema">
  <jaas-security domain="activemq"/>
  <server configuration="file:${etc}/broker.xml"/>
</broker>
`
