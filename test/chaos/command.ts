/** Runs the operator's command line as a person would, in a process of its own. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { fileURLToPath } from 'node:url'

const program = fileURLToPath(new URL('../../infra/bin/parley.ts', import.meta.url))

/** What the command printed. Rejects when it failed. */
export async function runCommand(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [program, ...args], {
    env: { ...process.env, ...env },
  })
  return stdout
}
