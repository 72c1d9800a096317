/** Posts that are composed here: what they may be, who takes which step, and what is refused before it is saved. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { inMs, openStage, xExternalId } from './posts-stage.ts'
import type { Stage } from './posts-stage.ts'
import { until } from './platform.ts'

let stage: Stage
beforeAll(async () => {
  stage = await openStage()
}, 60_000)
afterAll(() => stage.close())

describe('a scheduled post', () => {
  test('is on the page at its time, once, and has its link', async () => {
    const { ana } = stage
    const made = await stage.ask(ana, 201, 'POST', '/posts', {
      text: 'The night ferry sails.',
      channel_ids: [stage.xId],
      publish_at: inMs(3_600_000),
    })
    expect(made).toMatchObject({ state: 'scheduled', channels: [{ state: 'waiting', problems: [] }] })
    await stage.passTime(made.id, 3_600_000)
    expect(await stage.fire()).toBe(1)
    await stage.addWorker()
    const published = await until(async () => {
      const post = await stage.ask(ana, 200, 'GET', `/posts/${made.id}`)
      return post.state === 'published' && post
    })
    const seen = (await stage.page(xExternalId)).filter(({ text }) => text === 'The night ferry sails.')
    expect(seen).toHaveLength(1)
    expect(published.channels[0]).toMatchObject({
      state: 'published',
      external_id: seen[0]?.external_id,
      comment_count: 0,
      attempts: [{ number: 1, outcome: 'sent' }],
    })
  })
})
