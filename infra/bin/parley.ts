#!/usr/bin/env node
/** `parley`: one executable; the first word chooses what it does. */
import { ClusterFault } from '../cluster/fault.ts'
import { ConfigError, version } from '../config.ts'
import { Problem, messageOf } from '../errors.ts'
import { UsageError } from './usage.ts'

const usage = `usage: parley COMMAND

  run ROLES [--queues=a,b]      a node: web, messaging, backend, sandbox, or several, comma separated
  cluster up [--detach]         the local cluster of the data folder (PARLEY_HOME)
  cluster up --servers          only its servers, for nodes that are run by hand
  cluster down                  stops it, or what was left of it
  cluster status [--json]       every process, and the replica's lag
  cluster kill|pause|resume|restart NAME
                                hurts or heals one process, to see what happens
  setup                         schema and first account; prints the administrator as JSON
  token create --email E [--json]
                                a bearer token with that user's rights
  keys list|add|use ID|rotate|remove ID
                                the keys that seal secrets, changed while the cluster runs
  audit verify [--json]         reads every account's audit log and tells whether an entry was changed or removed
  doctor                        looks at everything a node needs, one line each
  version
`

const commands: Readonly<Record<string, () => Promise<(args: string[]) => Promise<number>>>> = {
  run: async () => (await import('./commands/run.ts')).run,
  cluster: async () => (await import('./commands/cluster.ts')).cluster,
  setup: async () => (await import('./commands/setup.ts')).setup,
  token: async () => (await import('./commands/token.ts')).token,
  keys: async () => (await import('./commands/keys.ts')).keys,
  audit: async () => (await import('./commands/audit.ts')).audit,
  doctor: async () => (await import('./commands/doctor.ts')).doctor,
}

process.exitCode = await main(process.argv.slice(2))

async function main([name, ...args]: string[]): Promise<number> {
  if (name === 'version' || name === '--version') {
    process.stdout.write(`${version}\n`)
    return 0
  }
  if (name === undefined || name === 'help' || name === '--help') {
    process.stdout.write(usage)
    return name === undefined ? 2 : 0
  }
  const load = commands[name]
  try {
    if (load === undefined) throw new UsageError(`There is no command "${name}".`)
    const command = await load()
    return await command(args)
  } catch (error) {
    if (error instanceof UsageError || isParseArgsError(error)) {
      process.stderr.write(`${messageOf(error)}\n\n${usage}`)
      return 2
    }
    // Expected faults are one line; anything else is a surprise, and its origin matters.
    const expected = error instanceof ClusterFault || error instanceof ConfigError || error instanceof Problem
    process.stderr.write(
      expected
        ? `parley: ${error.message}\n`
        : `parley: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    )
    return 1
  }
}

function isParseArgsError(error: unknown): boolean {
  return error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS')
}
