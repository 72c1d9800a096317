/** The front ends: two Apache httpd and HAProxy before them. */
import { cpSync, existsSync, lstatSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { haproxyConfig } from '../../deploy/haproxy.ts'
import { httpdConfig } from '../../deploy/httpd.ts'
import { ClusterFault } from '../fault.ts'
import type { Home } from '../home.ts'
import { siteCopy, writePrivate } from '../home.ts'
import type { Plan } from '../plan.ts'
import { portOf } from '../plan.ts'
import type { ProcessSpec } from '../process.ts'

const bodyLimitBytes = 12 * 1024 * 1024
const isRoot = process.getuid?.() === 0

export interface FrontSettings {
  readonly host: string
  readonly port: number
  readonly webNodes: readonly string[]
  readonly sandbox?: string
}

/** One httpd, serving the browser app from `site`. */
export function httpdSpec(
  home: Home,
  plan: Plan,
  name: 'httpd-1' | 'httpd-2',
  site: string,
  front: FrontSettings,
): ProcessSpec {
  const port = portOf(plan, name)
  const runFolder = join(home.run, name)
  mkdirSync(runFolder, { recursive: true, mode: 0o700 })
  const config = join(runFolder, 'httpd.conf')
  writePrivate(
    config,
    httpdConfig({
      name: 'localhost',
      listen: `127.0.0.1:${String(port)}`,
      runFolder,
      site,
      webNodes: front.webNodes.map((node) => `127.0.0.1:${String(portOf(plan, node))}`),
      bodyLimitBytes,
    }),
  )
  return {
    name,
    role: 'front end',
    port,
    command: 'apache2',
    args: ['-f', config, '-DFOREGROUND'],
    ready: (signal) => waitForAnswer(`http://127.0.0.1:${String(port)}/robots.txt`, signal),
  }
}

export function haproxySpec(home: Home, plan: Plan, front: FrontSettings): ProcessSpec {
  const config = join(home.run, 'haproxy.cfg')
  writePrivate(
    config,
    haproxyConfig({
      listen: `${front.host}:${String(front.port)}`,
      adminSocket: join(home.run, 'haproxy.sock'),
      httpd: ['httpd-1', 'httpd-2'].map((name) => `127.0.0.1:${String(portOf(plan, name))}`),
      webNodes: front.webNodes.map((node) => `127.0.0.1:${String(portOf(plan, node))}`),
      ...(front.sandbox === undefined ? {} : { sandbox: `127.0.0.1:${String(portOf(plan, front.sandbox))}` }),
      bodyLimitBytes,
      ...(isRoot ? { user: 'nobody', group: 'nogroup' } : {}),
    }),
  )
  const address = front.host === '0.0.0.0' || front.host === '::' ? '127.0.0.1' : front.host
  return {
    name: 'haproxy',
    role: 'load balancer',
    port: front.port,
    command: 'haproxy',
    args: ['-f', config, '-db'],
    ready: (signal) => waitForAnswer(`http://${address}:${String(front.port)}/robots.txt`, signal),
  }
}

/** Resolves once `url` answers with success. */
export async function waitForAnswer(url: string, signal: AbortSignal): Promise<void> {
  for (;;) {
    try {
      const answer = await fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(2000)]) })
      await answer.arrayBuffer()
      if (answer.ok) return
    } catch {
      // Not there yet.
    }
    await sleep(50, undefined, { signal })
  }
}

/**
 * The folder from which httpd serves. When it is started by root its workers are nobody, who must be able to read it:
 * a checkout or home that is closed to others is copied to the temporary folder.
 */
export function prepareSite(home: Home, built: string): string {
  const present = existsSync(join(built, 'index.html'))
  if (present && (!isRoot || isOpenToAll(built)) && existsSync(join(built, 'robots.txt'))) return built
  const site = isRoot ? siteCopy(home) : join(home.path, 'site')
  rmSync(site, { recursive: true, force: true })
  mkdirSync(site, { mode: 0o755 })
  if (lstatSync(site).uid !== process.getuid?.()) throw new ClusterFault(`The folder ${site} belongs to somebody else.`)
  if (present) cpSync(built, site, { recursive: true })
  else writeFileSync(join(site, 'index.html'), notBuilt)
  writeFileSync(join(site, 'robots.txt'), 'User-agent: *\nDisallow: /\n')
  return site
}

const notBuilt =
  '<!doctype html><title>Parley</title><p>The browser app is not built on this machine. The API is under /api/v1.</p>\n'

function isOpenToAll(path: string): boolean {
  for (let folder = path; ; folder = dirname(folder)) {
    if ((lstatSync(folder).mode & 0o005) !== 0o005) return false
    if (dirname(folder) === folder) return true
  }
}
