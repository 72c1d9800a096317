/** The first account and its administrator; bearer tokens for scripts. */
import { randomBytes } from 'node:crypto'
import { prepareDemo } from '../backend/demo.ts'
import type { Config } from '../infra/config.ts'
import { Problem } from '../infra/errors.ts'
import type { Logger } from '../infra/logger.ts'
import type { Storage } from '../storage/index.ts'
import { hashPassword } from './passwords.ts'

export interface SetupContext {
  readonly config: Config
  readonly logger: Logger
  readonly storage: Storage
}

/** Of the first administrator. `password`: to be shown now; `undefined` when it was set up before and is not known any more. */
export interface FirstAdministrator {
  readonly email: string
  readonly password: string | undefined
}

/** Makes what is missing: the first account, its administrator, and the demo's apps and channels. Running it again changes nothing. */
export async function setup({ config, logger, storage }: SetupContext): Promise<FirstAdministrator> {
  const { email } = config.admin
  const password = config.admin.password?.reveal() ?? newPassword()
  const passwordHash = await hashPassword(password)
  const { accountId, isNew } = await storage.write(async (tx) => {
    // One at a time, should two nodes set up at once.
    await storage.leases.acquire(tx, 'setup', config.node, 1)
    const account = (await storage.accounts.first(tx)) ?? (await storage.accounts.create(tx, 'Harbour Lights'))
    const known = await storage.users.byEmail(tx, email)
    if (known === undefined)
      await storage.users.create(tx, {
        accountId: account.id,
        email,
        name: 'Administrator',
        role: 'administrator',
        passwordHash,
      })
    return { accountId: known?.accountId ?? account.id, isNew: known === undefined }
  })
  if (config.demo && config.sandboxUrl !== undefined) await prepareDemo(storage, config, accountId, config.sandboxUrl)
  logger.info({ email, isNew }, 'the first account is ready')
  return { email, password: isNew ? password : config.admin.password?.reveal() }
}

/** A bearer token with the rights of the user with this e-mail address; shown once. @throws Problem 404 */
export async function createToken(
  storage: Storage,
  email: string,
  name = 'command line',
): Promise<{ id: string; token: string }> {
  const user = await storage.users.byEmail(storage.primary, email)
  if (user === undefined || user.disabledAt !== null)
    throw new Problem(404, 'not_found', `There is no user who may sign in with the address ${email}.`)
  const { id, text } = await storage.write((tx) =>
    storage.tokens.create(tx, { accountId: user.accountId, userId: user.id, name }),
  )
  return { id, token: text }
}

/** 20 characters without look-alikes, more than 110 bits. */
function newPassword(): string {
  const alphabet = 'abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789'
  const bytes = [...randomBytes(64)].filter((byte) => byte < alphabet.length * 4)
  return bytes
    .slice(0, 20)
    .map((byte) => alphabet[byte % alphabet.length] ?? '')
    .join('')
}
