/** `parley setup`: schema, first account, demo; prints the administrator as one line of JSON. Safe to run again. */
import { openLogger } from '../../logger.ts'
import { readSettings } from '../settings.ts'

export async function setup(): Promise<number> {
  const config = readSettings()
  const logger = openLogger(config)
  const { migrate } = await import('../../../storage/migrate.ts')
  await migrate(config, logger.child({ part: 'migrate' }))
  const { openStorage } = await import('../../../storage/index.ts')
  const { setup: setUp } = await import('../../../web/setup.ts')
  const storage = await openStorage(config, logger.child({ part: 'storage' }))
  try {
    process.stdout.write(`${JSON.stringify(await setUp({ config, logger, storage }))}\n`)
  } finally {
    await storage.close()
  }
  return 0
}
