/** `parley audit verify`: reads the audit log of every account; says, and exits with 1, when an entry was changed or removed. */
import { parseArgs } from 'node:util'
import { silentLogger } from '../../logger.ts'
import { readSettings } from '../settings.ts'
import { UsageError } from '../usage.ts'

export async function audit(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({ args, allowPositionals: true, options: { json: { type: 'boolean' } } })
  if (positionals[0] !== 'verify') throw new UsageError('usage: parley audit verify [--json]')
  const { openStorage } = await import('../../../storage/index.ts')
  const storage = await openStorage(readSettings(), silentLogger)
  let isWhole = true
  try {
    for (const account of await storage.accounts.list(storage.primary)) {
      const state = await storage.audit.verify(storage.primary, account.id)
      isWhole &&= state.isWhole
      const line = state.isWhole
        ? `${account.name}: whole, ${String(state.count)} entries, ends with ${state.headHash ?? 'nothing'}`
        : `${account.name}: BROKEN at entry ${String(state.brokenAt)}`
      process.stdout.write(`${values.json === true ? JSON.stringify({ account: account.id, ...state }) : line}\n`)
    }
  } finally {
    await storage.close()
  }
  return isWhole ? 0 : 1
}
