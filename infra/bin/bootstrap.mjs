/**
 * What npm runs: brings the machine to the point where Parley can run, then hands over to Node 24.
 * Runs on Node 20 without any package installed.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildBrowser, installProject, installServers } from './install.mjs'
import { began, fail, program, progress, root, runNode } from './launch.mjs'

const [verb = '', ...args] = process.argv.slice(2)

/** Beside the servers: tests drive a browser. */
const testPackages = { chromium: '/usr/bin/chromium' }

const verbs = {
  async start() {
    await installProject()
    installServers({})
    await buildBrowser()
    return runNode([program('parley.ts'), 'cluster', 'up', `--began=${began}`, ...args])
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
  async screens() {
    await installProject()
    installServers(testPackages)
    await buildBrowser()
    return runNode([join(root, 'test', 'browser', 'screens.ts'), ...args])
  },
  async docs() {
    await installProject()
    return runNode([program('docs.ts'), ...args])
  },
}

const run = verbs[verb]
if (run === undefined) fail(`usage: node infra/bin/bootstrap.mjs ${Object.keys(verbs).join('|')} [ARGUMENTS]`, 2)
process.exitCode = await run()

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
