/** `parley token create --email E`: a bearer token with the rights of that user; it is shown only here. */
import { parseArgs } from 'node:util'
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
  const { createToken } = await import('../../../web/setup.ts')
  const storage = await openStorage(readSettings(), silentLogger)
  try {
    const made = await createToken(storage, email, name)
    process.stdout.write(
      values.json === true ? `${JSON.stringify({ id: made.id, token: made.token, email })}\n` : `${made.token}\n`,
    )
  } finally {
    await storage.close()
  }
  return 0
}
