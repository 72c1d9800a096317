/** The whole local cluster: servers, nodes, front ends. */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { ClusterFault } from './fault.ts'
import type { Ground, ServerOptions, Servers } from './servers.ts'
import { openGround } from './servers.ts'
import { portOf, readPlan, writePlan } from './plan.ts'
import { locateHome } from './home.ts'
import { whyTaken } from './ports.ts'
import type { ProcessSpec } from './process.ts'
import type { FrontSettings } from './servers/front.ts'
import { haproxySpec, httpdSpec, prepareSite, waitForAnswer } from './servers/front.ts'
import { runOnce } from './servers/run-once.ts'

export interface ClusterOptions extends ServerOptions {
  /** Public port; 0: a free one. */
  readonly port: number
  /** Public address, default 127.0.0.1. */
  readonly host?: string
  readonly publicUrl?: string
  /** Demo data and sandbox networks. */
  readonly demo: boolean
  /** Further PARLEY_* settings for every node. */
  readonly settings?: Readonly<Record<string, string>>
}

export interface Cluster extends Servers {
  readonly publicUrl: string
  readonly administrator: { readonly email: string; readonly password: string | undefined }
}

const program = fileURLToPath(new URL('../bin/parley.ts', import.meta.url))
const builtSite = fileURLToPath(new URL('../../web/browser/dist', import.meta.url))

const nodes: readonly { readonly name: string; readonly role: string }[] = [
  { name: 'web-1', role: 'web' },
  { name: 'web-2', role: 'web' },
  { name: 'messaging-1', role: 'messaging' },
  { name: 'messaging-2', role: 'messaging' },
  { name: 'backend-1', role: 'backend' },
  { name: 'backend-2', role: 'backend' },
]
const sandbox = { name: 'sandbox-1', role: 'sandbox' }

/**
 * Starts everything in `path`; resolves when the public port answers that the cluster is ready.
 * @throws ClusterFault with one line that names cause and log
 */
export async function startCluster(path: string, options: ClusterOptions): Promise<Cluster> {
  const members = options.demo ? [...nodes, sandbox] : nodes
  const host = options.host ?? '127.0.0.1'
  // With port 0 the door is one of the chosen ports, and so the same at the next start.
  const publicName = options.port === 0 ? ['public'] : []
  if (options.port !== 0) await refuseTakenPort(path, options.port, host)
  const ground = await openGround(path, options, [
    ...publicName,
    'httpd-1',
    'httpd-2',
    ...members.map((one) => one.name),
  ])
  try {
    // Once more, now that nothing of our own can hold it.
    if (options.port !== 0) await refuseTakenPort(undefined, options.port, host)
    return await startParts(ground, options, members, host)
  } catch (error) {
    await ground.stop()
    throw error
  }
}

async function startParts(
  ground: Ground,
  options: ClusterOptions,
  members: typeof nodes,
  host: string,
): Promise<Cluster> {
  const { place, plan } = ground
  const port = options.port === 0 ? portOf(plan, 'public') : options.port
  const publicUrl = options.publicUrl ?? `http://127.0.0.1:${String(port)}`
  const { PARLEY_ADMIN_PASSWORD: password, ...settings } = options.settings ?? {}
  const environment = { ...settings, ...plan.environment, ...nodeSettings(ground, options, port, publicUrl) }
  plan.environment = environment
  plan.public_url = publicUrl
  plan.ports = { ...plan.ports, public: port }
  writePlan(place, plan)
  const front: FrontSettings = {
    host,
    port,
    webNodes: members.filter((one) => one.role === 'web').map((one) => one.name),
    ...(options.demo ? { sandbox: sandbox.name } : {}),
  }
  const site = prepareSite(place, builtSite)
  const fronts = async () => {
    await Promise.all([
      ground.run(httpdSpec(place, plan, 'httpd-1', site, front)),
      ground.run(httpdSpec(place, plan, 'httpd-2', site, front)),
    ])
    await ground.run(haproxySpec(place, plan, front))
  }
  let administrator: Cluster['administrator'] | undefined
  const setUp = async () => {
    administrator = await runSetup(
      ground,
      password === undefined ? environment : { ...environment, PARLEY_ADMIN_PASSWORD: password },
    )
    options.log?.('schema and first account are ready')
  }
  await Promise.all([ground.startAll(setUp), fronts()])
  await Promise.all(members.map((one) => ground.run(nodeSpec(ground, one, environment))))
  // By way of each front end: one that still believes the nodes to be away would answer 503 to the first visitors.
  const doors = [port, portOf(plan, 'httpd-1'), portOf(plan, 'httpd-2')]
  const limit = AbortSignal.timeout(30_000)
  await Promise.all(doors.map((door) => waitForAnswer(`http://127.0.0.1:${String(door)}/health/ready`, limit))).catch(
    () => {
      throw new ClusterFault(`The public port ${String(port)} does not answer /health/ready; see ${place.log}`)
    },
  )
  if (administrator === undefined) throw new ClusterFault('The first account was not set up.')
  return Object.assign(ground, { publicUrl, administrator })
}

function nodeSettings(
  ground: Ground,
  options: ClusterOptions,
  port: number,
  publicUrl: string,
): Record<string, string> {
  const own = { PARLEY_PORT: String(port), PARLEY_PUBLIC_URL: publicUrl, PARLEY_DEMO: options.demo ? '1' : '0' }
  if (!options.demo) return own
  const address = `127.0.0.1:${String(portOf(ground.plan, sandbox.name))}`
  const asked = options.settings?.['PARLEY_NETWORK_HOSTS'] ?? ''
  return {
    ...own,
    PARLEY_SANDBOX_URL: `http://${address}`,
    PARLEY_NETWORK_HOSTS: [...asked.split(',').filter((part) => part !== ''), address].join(','),
  }
}

function nodeSpec(
  ground: Ground,
  member: { name: string; role: string },
  environment: Readonly<Record<string, string>>,
): ProcessSpec {
  const port = portOf(ground.plan, member.name)
  return {
    name: member.name,
    role: member.role,
    port,
    command: process.execPath,
    args: [program, 'run', member.role],
    env: {
      ...environment,
      ...nodeRuntime(ground),
      PARLEY_NODE: member.name,
      PARLEY_LISTEN_HOST: '127.0.0.1',
      PARLEY_LISTEN_PORT: String(port),
    },
    ready: (signal) => waitForAnswer(`http://127.0.0.1:${String(port)}/health/ready`, signal),
    stopLimitMs: 30_000,
  }
}

// Compiled modules are kept: seven nodes and every restart start from them, in about half the time.
const nodeRuntime = (ground: Ground): Record<string, string> => ({
  NODE_ENV: 'production',
  NODE_COMPILE_CACHE: join(ground.place.tmp, 'compiled'),
})

const setupAnswer = z.object({ email: z.string(), password: z.string().nullish() })

async function runSetup(
  ground: Ground,
  environment: Readonly<Record<string, string>>,
): Promise<Cluster['administrator']> {
  const output = await runOnce(ground.place, {
    name: 'setup',
    command: process.execPath,
    args: [program, 'setup'],
    env: { ...environment, ...nodeRuntime(ground), PARLEY_NODE: 'setup' },
    limitMs: 60_000,
  })
  const last = output.trim().split('\n').at(-1) ?? ''
  const parsed = setupAnswer.safeParse(JSON.parse(last))
  if (!parsed.success) throw new ClusterFault(`The setup command answered something else: ${last.slice(0, 200)}`)
  const { email, password } = parsed.data
  // A generated password is told only once; kept beside the passwords of the servers, the next start can show it again.
  const known = ground.plan.administrator
  const administrator = { email, password: password ?? (known?.email === email ? known.password : undefined) }
  ground.plan.administrator = administrator
  writePlan(ground.place, ground.plan)
  return administrator
}

// Said before anything is started. A cluster that has this port in this folder is reported by the lock instead.
async function refuseTakenPort(path: string | undefined, port: number, host: string): Promise<void> {
  const why = await whyTaken(port, host)
  if (why === undefined) return
  if (why === 'EADDRINUSE' && path !== undefined && readPlan(locateHome(path))?.ports['public'] === port) return
  const cause = why === 'EADDRINUSE' ? 'is used by another program' : `cannot be listened on (${why})`
  throw new ClusterFault(`Port ${String(port)} ${cause}; choose another with PARLEY_PORT.`)
}
