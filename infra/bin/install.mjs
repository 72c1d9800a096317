/** Brings what is missing to this machine: the project's packages, the servers, the built browser app. Plain JavaScript for Node 20. */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fail, progress, root, runChild, runNode } from './launch.mjs'

const stampFile = join(root, 'node_modules', '.parley-stamp')

/** Debian packages and how to see that they are there. */
const packages = {
  'mariadb-server-core': '/usr/sbin/mariadbd',
  'mariadb-client-core': '/usr/bin/mariadb',
  memcached: '/usr/bin/memcached',
  'redis-tools': '/usr/bin/redis-check-rdb',
  'rabbitmq-server': '/usr/lib/rabbitmq/bin/rabbitmq-server',
  'apache2-bin': '/usr/sbin/apache2',
  haproxy: '/usr/sbin/haproxy',
}
const artemisPackages = { 'default-jre-headless': '/usr/bin/java', maven: '/usr/bin/mvn' }

/** `npm ci` when the installed packages are not those of the lock file. */
export async function installProject() {
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex')
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8').trim() === lock) return
  if (!existsSync(stampFile) && isInstalledAsLocked()) {
    leaveStamp(lock)
    return
  }
  progress('installing the packages of the project (npm ci)')
  // By way of the npm that started us; its own settings reach it by the environment.
  const npm = process.env.npm_execpath
  const [command, first] = npm?.endsWith('.js') ? [process.execPath, [npm]] : ['npm', []]
  const code = await runChild(command, [...first, 'ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    ticking: 'npm ci',
  })
  if (code !== 0) fail(`npm ci failed (exit ${code}); its messages are above.`)
  leaveStamp(lock)
  progress('the packages of the project are installed')
}

function leaveStamp(lock) {
  try {
    writeFileSync(stampFile, `${lock}\n`)
  } catch {
    // A checkout that belongs to somebody else: looked at again next time.
  }
}

/** Whether someone has run npm after the last change of the lock file. */
function isInstalledAsLocked() {
  const installed = join(root, 'node_modules', '.package-lock.json')
  return existsSync(installed) && statSync(installed).mtimeMs >= statSync(join(root, 'package-lock.json')).mtimeMs
}

/** Installs the servers that are missing, where that is possible, and starts none of them. */
export function installServers(more) {
  const wanted = { ...packages, ...more, ...(process.env.PARLEY_BROKER === 'artemis' ? artemisPackages : {}) }
  const missing = Object.keys(wanted).filter((name) => !isPresent(wanted[name]))
  if (missing.length === 0) return
  const isRoot = process.getuid?.() === 0
  const asRoot = isRoot
    ? []
    : spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status === 0
      ? ['sudo', '-n']
      : undefined
  const install = `apt-get install --no-install-recommends ${missing.join(' ')}`
  if (asRoot === undefined || !isPresent('/usr/bin/apt-get')) {
    fail(
      `These programs are missing: ${missing.join(', ')}. On Debian or Ubuntu run as root: ${install}; or start once as root or with ` +
        `sudo; or elsewhere put programs of the same names on the PATH; or set PARLEY_PRIMARY_URL and the other addresses to servers you have and use \`parley run\`.`,
    )
  }
  progress(`installing ${missing.join(', ')}`)
  const undo = keepServicesDown(asRoot)
  try {
    const apt = (...words) => {
      const [command, ...rest] = [
        ...asRoot,
        'env',
        'DEBIAN_FRONTEND=noninteractive',
        'apt-get',
        '-q',
        '-y',
        '-o',
        'DPkg::Lock::Timeout=120',
        ...words,
      ]
      return spawnSync(command, rest, { stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' })
    }
    const tryInstall = () => apt('install', '--no-install-recommends', ...missing)
    let done = tryInstall()
    if (done.status !== 0) {
      progress('reading the list of packages (apt-get update)')
      apt('update')
      done = tryInstall()
    }
    if (done.status !== 0) {
      const last = `${done.stderr ?? ''}`.trim().split('\n').slice(-3).join(' ')
      fail(`apt-get could not install ${missing.join(', ')} (${last}); install them by hand: ${install}`)
    }
  } finally {
    undo()
  }
  progress(`installed ${missing.join(', ')}`)
}

/** Debian starts a service when it installs one, unless this file says no; it is taken away afterwards if it is ours. */
function keepServicesDown(asRoot) {
  const policy = '/usr/sbin/policy-rc.d'
  if (existsSync(policy)) return () => undefined
  const shell = (script) => {
    const [command, ...rest] = [...asRoot, 'sh', '-c', script]
    return spawnSync(command, rest, { stdio: 'ignore' }).status
  }
  if (shell(`printf '#!/bin/sh\\nexit 101\\n' > ${policy} && chmod 755 ${policy}`) !== 0) {
    fail(`${policy} could not be written, so services might be started by the installation.`)
  }
  const remove = () => {
    process.removeListener('exit', remove)
    shell(`rm -f ${policy}`)
  }
  process.on('exit', remove)
  return remove
}

function isPresent(path) {
  if (existsSync(path)) return true
  const name = path.split('/').at(-1)
  return (process.env.PATH ?? '').split(delimiter).some((folder) => folder !== '' && existsSync(join(folder, name)))
}

/** Builds the browser app when a source of it is newer than the last build. */
export async function buildBrowser() {
  const source = join(root, 'web', 'browser')
  if (!existsSync(join(source, 'vite.config.ts'))) return
  const built = statSync(join(source, 'dist', 'index.html'), { throwIfNoEntry: false })?.mtimeMs ?? 0
  const newest = Math.max(newestIn(source), statSync(join(root, 'package-lock.json')).mtimeMs)
  if (built > newest) return
  progress('building the browser app')
  const code = await runNode([
    join(root, 'node_modules', 'vite', 'bin', 'vite.js'),
    'build',
    '--logLevel',
    'warn',
    source,
  ])
  if (code !== 0) fail(`The browser app could not be built (exit ${code}); the messages of vite are above.`)
  progress('the browser app is built')
}

function newestIn(folder) {
  let newest = 0
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.name === 'dist' || entry.name === 'node_modules') continue
    const path = join(folder, entry.name)
    newest = Math.max(newest, entry.isDirectory() ? newestIn(path) : statSync(path).mtimeMs)
  }
  return newest
}
