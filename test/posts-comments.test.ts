/** What the network tells of a post that was published here meets it: one post, with the comments below it, in the inbox. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Running } from '../infra/lifecycle.ts'
import { silentLogger } from '../infra/logger.ts'
import { startMessaging } from '../messaging/server.ts'
import { until } from './platform.ts'
import { openStage, pageExternalId } from './posts-stage.ts'
import type { Stage } from './posts-stage.ts'

let stage: Stage
let messaging: Running
beforeAll(async () => {
  stage = await openStage()
  const { site, storage, config, ana, web, metaAppId } = stage
  messaging = await startMessaging({ config, logger: silentLogger, storage, broker: site.broker })
  const app = await storage.apps.get(storage.primary, ana.accountId, metaAppId)
  await stage.control('PUT', 'apps', {
    network: 'meta',
    app_id: '99',
    secrets: ['meta-secret'],
    verify_token: 'verify',
    webhook_url: `${web.url}/webhooks/${app?.webhookKey ?? ''}`,
  })
  await stage.control('PUT', 'subscriptions', { channel: pageExternalId, is_on: true })
  await stage.addWorker()
}, 60_000)
afterAll(async () => {
  await messaging.stop()
  await stage.close()
})

test('the own post comes back as itself, and comments stand below it', async () => {
  const { storage, ana } = stage
  const made = await stage.compose({ files: [] }, 'The night ferry sails from Friday.')
  const { channels } = await stage.until(made.id, 'published')
  const externalId = channels[0].external_id ?? ''
  const say = (text: string) =>
    stage.control('POST', 'say', {
      type: 'facebook',
      channel: pageExternalId,
      person: { id: '7100000000000001', name: 'Ana Duarte' },
      kind: 'comment',
      text,
      post_id: externalId,
    })
  await say('At what time?')
  await say('And back?')
  const post = await until(async () => {
    const seen = await stage.ask(ana, 200, 'GET', `/posts/${made.id}`)
    return seen.channels[0].comment_count === 2 && seen
  }, 20_000)
  expect(post.channels[0]).toMatchObject({
    state: 'published',
    permalink: expect.stringContaining(externalId) as string,
  })
  // The webhook of the own post has long been processed by now: it came before those of the comments.
  const rows = await storage.primary.query<{ id: string; external_id: string }>(
    'select id, external_id from posts where account_id = ? and text = ?',
    [ana.accountId, 'The night ferry sails from Friday.'],
  )
  expect(rows).toEqual([{ id: post.channels[0].post_id, external_id: externalId }])
  const { items } = (await stage.web.ask(ana, 'GET', '/conversations')).json as {
    items: { post: { id: string } | null }[]
  }
  expect(items.map((conversation) => conversation.post?.id)).toContain(post.channels[0].post_id)
})
