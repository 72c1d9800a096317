/**
 * What npm runs: brings the machine to the point where Parley can run, then hands over to Node 24.
 * Runs on Node 20 without any package installed.
 */
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { constants, tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..')
const bin = join(root, 'node_modules', '.bin')
const stampFile = join(root, 'node_modules', '.parley-stamp')
const began = Date.now()
const [verb = '', ...args] = process.argv.slice(2)

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
const testPackages = { chromium: '/usr/bin/chromium' }

const verbs = {
  async start() {
    await installProject()
    installServers({})
    await buildBrowser()
    return runNode([program('parley.ts'), 'cluster', 'up', ...args])
  },
  async stop() {
    await installProject()
    return runNode([program('parley.ts'), 'cluster', 'down', ...args])
  },
  async parley() {
    await installProject()
    return runNode([program('parley.ts'), ...args])
  },
  async test() {
    await installProject()
    installServers(testPackages)
    await buildBrowser()
    return runTests()
  },
  async check() {
    await installProject()
    return runChecks()
  },
  async bench() {
    await installProject()
    installServers({})
    return runNode([join(root, 'test', 'bench', 'run.ts'), ...args])
  },
  async docs() {
    await installProject()
    return runNode([program('docs.ts'), ...args])
  },
}

const run = verbs[verb]
if (run === undefined) fail(`usage: node infra/bin/bootstrap.mjs ${Object.keys(verbs).join('|')} [ARGUMENTS]`, 2)
process.exitCode = await run()

/** `npm ci` when the installed packages are not those of the lock file. */
async function installProject() {
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex')
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8').trim() === lock) return
  if (!existsSync(stampFile) && isInstalledAsLocked()) {
    writeFileSync(stampFile, `${lock}\n`)
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
  writeFileSync(stampFile, `${lock}\n`)
  progress('the packages of the project are installed')
}

/** Whether someone has run npm after the last change of the lock file. */
function isInstalledAsLocked() {
  const installed = join(root, 'node_modules', '.package-lock.json')
  return existsSync(installed) && statSync(installed).mtimeMs >= statSync(join(root, 'package-lock.json')).mtimeMs
}

/** Installs the servers that are missing, where that is possible, and starts none of them. */
function installServers(more) {
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
async function buildBrowser() {
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

/** vitest, and a last line that counts. */
async function runTests() {
  const folder = mkdtempSync(join(tmpdir(), 'parley-report-'))
  const report = join(folder, 'report.json')
  try {
    const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs')
    const code = await runNode([
      vitest,
      'run',
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${report}`,
      ...args,
    ])
    let result = {}
    try {
      result = JSON.parse(readFileSync(report, 'utf8'))
    } catch {
      process.stderr.write('vitest wrote no report.\n')
    }
    const passed = result.numPassedTests ?? 0
    const skipped = (result.numPendingTests ?? 0) + (result.numTodoTests ?? 0)
    // A file that cannot be loaded has no tests that could fail.
    const broken = (result.testResults ?? []).filter(
      (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
    )
    const failed = (result.numFailedTests ?? 0) + broken.length
    process.stdout.write(`${passed} passed, ${failed} failed, ${skipped} skipped\n`)
    return code !== 0 || failed > 0 || passed === 0 ? 1 : 0
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Types, lint, format, generated documents: all of them, even if one fails. */
async function runChecks() {
  const modules = join(root, 'node_modules')
  const checks = [
    ['types', [join(modules, 'typescript', 'bin', 'tsc'), '-b']],
    ['lint', [join(modules, 'eslint', 'bin', 'eslint.js'), '.']],
    ['format', [join(modules, 'prettier', 'bin', 'prettier.cjs'), '--check', '--log-level', 'warn', '.']],
    ['generated documents', [program('docs.ts'), '--check']],
  ]
  const failed = []
  for (const [name, words] of checks) {
    if (!existsSync(words[0])) continue
    progress(`checking ${name}`)
    if ((await runNode(words)) !== 0) failed.push(name)
  }
  process.stdout.write(failed.length === 0 ? 'all checks passed\n' : `failed: ${failed.join(', ')}\n`)
  return failed.length === 0 ? 0 : 1
}

/** Runs Node 24 or later with these words, in the foreground. */
function runNode(words) {
  const own = Number(process.versions.node.split('.')[0]) >= 24
  const brought = join(bin, 'node')
  if (!own && !existsSync(brought)) {
    fail(
      `Parley needs Node 24 or later and this is ${process.version}; the packages bring one for Linux on x64 and arm64, elsewhere install it.`,
    )
  }
  // First on the PATH, so that what is started from there finds the same one.
  const path = own
    ? `${dirname(process.execPath)}${delimiter}${process.env.PATH ?? ''}`
    : `${bin}${delimiter}${process.env.PATH ?? ''}`
  return runChild(own ? process.execPath : brought, words, { env: { ...process.env, PATH: path } })
}

/** Runs a program to its end; hands signals on to it. `ticking`: says every 10 s that it is still at it. */
function runChild(command, words, { env = process.env, ticking } = {}) {
  // The kernel asks the program to end when we are killed.
  const guard = spawnSync('setpriv', ['--pdeathsig', 'TERM', 'true'], { stdio: 'ignore' }).status === 0
  const [whole, all] = guard ? ['setpriv', ['--pdeathsig', 'TERM', '--', command, ...words]] : [command, words]
  return new Promise((resolve) => {
    const child = spawn(whole, all, { cwd: root, env, stdio: 'inherit' })
    const tick = ticking === undefined ? undefined : setInterval(() => progress(`${ticking} is still running`), 10_000)
    const names = ['SIGINT', 'SIGTERM', 'SIGHUP']
    // A Ctrl-C at the terminal reaches the program by itself; twice would mean "at once".
    const handOn = Object.fromEntries(
      names.map((name) => [name, () => (name === 'SIGINT' && process.stdin.isTTY ? false : child.kill(name))]),
    )
    for (const name of names) process.on(name, handOn[name])
    const end = (code) => {
      clearInterval(tick)
      for (const name of names) process.removeListener(name, handOn[name])
      resolve(code)
    }
    child.once('error', (error) => {
      process.stderr.write(`${command}: ${error.message}\n`)
      end(127)
    })
    child.once('exit', (code, signal) => end(code ?? 128 + (constants.signals[signal] ?? 0)))
  })
}

function program(name) {
  return join(root, 'infra', 'bin', name)
}

function progress(line) {
  process.stdout.write(`[${((Date.now() - began) / 1000).toFixed(1).padStart(5)} s] ${line}\n`)
}

function fail(line, code = 1) {
  process.stderr.write(`parley: ${line}\n`)
  process.exit(code)
}
