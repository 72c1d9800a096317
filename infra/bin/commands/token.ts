/** `parley token create --email E`: a bearer token with the rights of that user; it is shown only here. */
import { parseArgs } from 'node:util'
import { Problem } from '../../errors.ts'
import { silentLogger } from '../../logger.ts'
import { readSettings } from '../settings.ts'
import { UsageError } from '../usage.ts'

export async function token(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      email: { type: 'string' },
      name: { type: 'string', default: 'command line' },
      json: { type: 'boolean' },
    },
  })
  const { email, name } = values
  if (positionals[0] !== 'create' || email === undefined)
    throw new UsageError('usage: parley token create --email E [--name N] [--json]')
  const { openStorage } = await import('../../../storage/index.ts')
  const storage = await openStorage(readSettings(), silentLogger)
  try {
    const user = await storage.users.byEmail(storage.primary, email)
    if (user === undefined || user.disabledAt !== null)
      throw new Problem(404, 'not_found', `There is no active user with the address ${email}.`)
    const made = await storage.write((tx) =>
      storage.tokens.create(tx, { accountId: user.accountId, userId: user.id, name }),
    )
    process.stdout.write(
      values.json === true ? `${JSON.stringify({ id: made.id, token: made.text, email })}\n` : `${made.text}\n`,
    )
  } finally {
    await storage.close()
  }
  return 0
}
