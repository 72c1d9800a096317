/** Items that name no channel, or a whole business account, reach the channels they are about. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { newId } from '../infra/ids.ts'
import { Directory, openApp } from '../messaging/directory.ts'
import { Names } from '../messaging/names.ts'
import { receiveBodies } from '../messaging/receive.ts'
import type { Received } from '../storage/index.ts'
import { logger, openPlatform } from './platform.ts'
import type { Platform } from './platform.ts'

let platform: Platform

beforeAll(async () => {
  platform = await openPlatform()
})
afterAll(() => platform.close())

async function takeIn(appId: string, body: object): Promise<Received | undefined> {
  const { storage, accountId } = platform
  const id = newId()
  const context = { storage, directory: new Directory(storage), logger, names: new Names({ ...platform, logger }) }
  await receiveBodies(context, [{ id, appId, bytes: Buffer.from(JSON.stringify(body)) }])
  return storage.received.get(storage.primary, accountId, id)
}

const replay = (state: string): object => ({
  replay_job_status: { webhook_id: '1', job_state: state, job_state_description: '', job_id: '1991000000000000041' },
})

test('a replay that ended early has all channels of its app read back, and no other', async () => {
  const { storage, accountId } = platform
  const [ours, others] = [await platform.createApp('x'), await platform.createApp('x')]
  const channels = [
    await platform.createChannel(ours, 'x', '1400000000000000001'),
    await platform.createChannel(ours, 'x', '1400000000000000002'),
  ]
  const foreign = await platform.createChannel(others, 'x', '1400000000000000003')
  const asked = async (): Promise<string[]> =>
    (await storage.catchUps.list(storage.primary, accountId))
      .filter(({ why }) => why === 'replay_incomplete')
      .map(({ channelId }) => channelId)

  expect(await takeIn(ours, replay('Complete'))).toMatchObject({ state: 'processed' })
  expect(await asked()).toEqual([])
  expect(await takeIn(ours, replay('Incomplete'))).toMatchObject({ state: 'processed' })
  expect((await asked()).sort()).toEqual(channels.sort())
  expect(await asked()).not.toContain(foreign)
})

test("a notice of a WhatsApp account reaches the app's numbers in it, and no other", async () => {
  const { storage, accountId, appId } = platform
  const otherApp = await platform.createApp('meta')
  const connect = async (app: string, externalId: string, account: string): Promise<string> => {
    const id = await platform.createChannel(app, 'whatsapp', externalId)
    const credentials = { access_token: 'token', business_account_id: account }
    await storage.write((tx) => storage.channels.setCredentials(tx, storage, accountId, id, credentials, null))
    return id
  }
  const numbers = [await connect(appId, '5001', '9001'), await connect(appId, '5002', '9001')]
  const others = [await connect(appId, '5003', '9002'), await connect(otherApp, '5004', '9001')]
  const states = async (ids: readonly string[]): Promise<(string | undefined)[]> =>
    Promise.all(ids.map(async (id) => (await storage.channels.get(storage.primary, accountId, id))?.state))

  const change = { field: 'account_update', value: { event: 'ACCOUNT_RESTRICTION' } }
  const row = await takeIn(appId, {
    object: 'whatsapp_business_account',
    entry: [{ id: '9001', time: Math.floor(Date.now() / 1_000), changes: [change] }],
  })
  expect(row).toMatchObject({ state: 'processed' })
  expect(row?.trace?.map(({ id }) => id).sort()).toEqual(numbers.sort())
  expect(await states(numbers)).toEqual(['degraded', 'degraded'])
  expect(await states(others)).toEqual(['connected', 'connected'])
})

test('Meta signs in with the id of its app, X with a client id of its own', async () => {
  const { storage, accountId, config } = platform
  const clientIdOf = async (id: string): Promise<string | undefined> => {
    const app = await storage.apps.get(storage.primary, accountId, id)
    return app && openApp(storage, config, app).app.clientId
  }
  expect(await clientIdOf(platform.appId)).toBe('1')
  expect(await clientIdOf(await platform.createApp('x'))).toBeUndefined()
})
