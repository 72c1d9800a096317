/** Publishing: once, on time, by whichever worker lives; what nobody knows is looked up; what is late follows its policy. */
import { spawn } from 'node:child_process'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { startBackend } from '../backend/server.ts'
import { silentLogger } from '../infra/logger.ts'
import { connectorOf } from '../messaging/connectors/registry.ts'
import type { Connector, Lookup, PublishOutcome } from '../messaging/connectors/connector.ts'
import { reportTrouble } from '../messaging/health.ts'
import { until } from './platform.ts'
import { inMs, instagramExternalId, openStage, pageExternalId, xExternalId } from './posts-stage.ts'
import type { Said, Stage } from './posts-stage.ts'

let stage: Stage
const running: { stop(): Promise<void> }[] = []
beforeAll(async () => {
  stage = await openStage()
}, 60_000)
afterEach(async () => {
  for (const worker of running.splice(0)) await worker.stop()
  await stage.control('DELETE', 'faults')
})
afterAll(() => stage.close())

const work = async () => {
  running.push(await stage.addWorker())
}
const fault = (name: string, more: object = {}) =>
  stage.control('POST', 'faults', { fault: name, network: 'meta', count: 1, ...more })
/** How often everybody sees these words on the page. */
const shown = async (words: string): Promise<number> =>
  (await stage.page(pageExternalId)).filter(({ text }) => text === words).length
const outcomes = (post: Said) => post.channels[0].attempts.map(({ outcome }) => outcome)
const hour = 3_600_000

/** A Page that answers as told, and counts how often it is asked to publish. */
function play(
  answers: readonly (PublishOutcome | (() => Promise<PublishOutcome>))[],
  found: Lookup = { type: 'absent' },
) {
  const real = connectorOf('facebook')
  if (real === undefined) throw new Error('no connector')
  const left = [...answers]
  let calls = 0
  const connector: Connector = {
    ...real,
    async publish() {
      calls += 1
      const next = left.shift() ?? { type: 'refused', class: 'content', code: 'no_more', reason: 'No more answers.' }
      return typeof next === 'function' ? next() : next
    },
    lookUpPost: () => Promise.resolve(found),
  }
  return { connector, calls: () => calls }
}
const lost: PublishOutcome = { type: 'unknown', code: 'no_answer', reason: 'No answer.' }

describe('once', () => {
  test('two workers publish twelve posts, each once', async () => {
    const made = await Promise.all(Array.from({ length: 12 }, () => stage.compose({})))
    await work()
    await work()
    for (const { id } of made) await stage.until(id, 'published')
    for (const { text } of made) expect(await shown(text)).toBe(1)
  })

  test('two backend nodes fire and publish what comes due, without anybody asking', async () => {
    const { config, storage } = stage
    for (const node of ['node-1', 'node-2'])
      running.push(
        await startBackend({ config: { ...config, node }, logger: silentLogger, storage, queues: ['publish'] }),
      )
    const made = await stage.compose({ state: 'scheduled', publish_at: inMs(1_500) })
    await stage.until(made.id, 'published')
    expect(await shown(made.text)).toBe(1)
  })

  test('one post on three networks, each in its way', async () => {
    const { pageId, instagramId, xId } = stage
    const link = 'https://harbour.example/ferry'
    const made = await stage.compose({ channel_ids: [pageId, instagramId, xId], link, state: 'draft' })
    expect(made.channels.map(({ problems }) => problems.map(({ code }) => code))).toEqual([[], ['no_link'], []])
    await work()
    await stage.ask(stage.ana, 200, 'POST', `/posts/${made.id}/publish`)
    await until(async () => (await stage.ask(stage.ana, 200, 'GET', `/posts/${made.id}`)).state === 'published', 20_000)
    const words = async (channel: string) =>
      (await stage.page(channel)).map(({ text }) => text).filter((text) => text.startsWith(made.text))
    expect(await words(pageExternalId)).toEqual([`${made.text}\n\n${link}`])
    expect(await words(instagramExternalId)).toEqual([made.text])
    expect(await words(xExternalId)).toEqual([`${made.text} ${link}`])
  })

  test('a worker that is killed between the attempt and its answer has published once', async () => {
    const { config, storage, ana } = stage
    await fault('delay_answer', { ms: 60_000 })
    const made = await stage.compose({})
    const child = spawn(process.execPath, [`${import.meta.dirname}/publish-worker.ts`], {
      stdio: 'ignore',
      env: {
        ...process.env,
        PARLEY_HOME: config.home,
        PARLEY_PRIMARY_URL: config.primaryUrl?.reveal(),
        PARLEY_REPLICA_URLS: '',
        PARLEY_NETWORK_HOSTS: config.networkHosts.join(','),
      },
    })
    await until(async () => (await shown(made.text)) === 1, 20_000)
    child.kill('SIGKILL')
    await stage.passWorkTime(made.id, 15_000)
    await work()
    const post = await stage.until(made.id, 'published')
    expect(post.channels[0]).toMatchObject({ attempts: [{ number: 1, outcome: 'unknown', code: 'node_lost' }] })
    expect(await shown(made.text)).toBe(1)
    const [seen] = (await stage.page(pageExternalId)).filter(({ text }) => text === made.text)
    expect(post.channels[0].external_id).toBe(seen?.external_id)
    const rows = await storage.posts.getMany(storage.primary, ana.accountId, [post.channels[0].post_id ?? ''])
    expect(rows).toMatchObject([{ externalId: seen?.external_id, text: made.text }])
  })

  test('an answer that is lost: unknown, looked up, found; never a second try', async () => {
    await fault('drop_answer')
    const made = await stage.compose({})
    await work()
    await stage.until(made.id, 'unknown')
    const post = await stage.until(made.id, 'published')
    expect(outcomes(post)).toEqual(['unknown'])
    expect(await shown(made.text)).toBe(1)
    const { items } = await stage.ask(stage.ana, 200, 'GET', `/posts/${made.id}/history`)
    expect(items.map(({ to_state }) => to_state)).toEqual(['draft', 'publishing', 'unknown', 'published'])
  })

  test('whoever lost the publication while giving the files does not publish', async () => {
    const made = await stage.compose({})
    const network = play([
      { type: 'sent', externalId: 'p1' },
      { type: 'sent', externalId: 'p2' },
    ])
    let go = (): void => undefined
    const held = new Promise<void>((resolve) => (go = resolve))
    const slow: Connector = { ...network.connector, upload: async () => { await held; return { type: 'ok', id: 'f1', expiresAt: undefined } } } // prettier-ignore
    const first = stage.publishOnce(made.id, slow)
    const { storage, ana } = stage
    const [publication] = await storage.publications.ofPosts(storage.primary, ana.accountId, [made.id])
    await until(
      async () =>
        (await storage.publications.get(storage.primary, ana.accountId, publication?.id ?? ''))?.holder !== null,
    )
    await stage.passWorkTime(made.id, 15_000)
    await stage.publishOnce(made.id, {
      ...network.connector,
      upload: () => Promise.resolve({ type: 'ok', id: 'f1', expiresAt: undefined }),
    })
    go()
    await first
    expect(network.calls()).toBe(1)
    expect((await stage.until(made.id, 'published')).channels[0]).toMatchObject({
      external_id: 'p1',
      attempts: [{ outcome: 'sent' }],
    })
  })

  test('a late answer is better knowledge than "unknown"', async () => {
    const made = await stage.compose({ files: [] })
    let answer = (_outcome: PublishOutcome): void => undefined
    const network = play([() => new Promise((resolve) => (answer = resolve))])
    const first = stage.publishOnce(made.id, network.connector)
    await until(() => network.calls() === 1)
    await stage.passWorkTime(made.id, 15_000)
    await stage.publishOnce(made.id, network.connector)
    await stage.until(made.id, 'unknown')
    answer({ type: 'sent', externalId: 'late-1' })
    await first
    expect((await stage.until(made.id, 'published')).channels[0]).toMatchObject({ external_id: 'late-1' })
    expect(network.calls()).toBe(1)
  })
})

describe('unknown', () => {
  test('what is surely not there is published once more; a second time it is left to a person', async () => {
    const made = await stage.compose({ files: [] })
    const network = play([lost, lost])
    await stage.publishOnce(made.id, network.connector)
    await stage.passWorkTime(made.id, 2_000)
    await stage.publishOnce(made.id, network.connector)
    expect((await stage.until(made.id, 'unknown')).channels[0].next_attempt_at).not.toBeNull()
    await stage.passWorkTime(made.id, 30_000)
    await stage.publishOnce(made.id, network.connector)
    expect((await stage.until(made.id, 'retrying')).channels[0].reason).toMatch(/once more/)
    await stage.publishOnce(made.id, network.connector)
    await stage.passWorkTime(made.id, 61_000)
    await stage.publishOnce(made.id, network.connector)
    const left = await stage.until(made.id, 'unknown')
    expect([network.calls(), left.channels[0].next_attempt_at]).toEqual([2, null])
    const publication = left.channels[0].id
    const settle = (status: number, body: object) =>
      stage.ask(stage.ana, status, 'POST', `/publications/${publication}/settle`, body)
    expect(await settle(200, { arrived: true, external_id: '1122334455_7' })).toMatchObject({
      state: 'published',
      channels: [{ external_id: '1122334455_7' }],
    })
    expect((await settle(409, { arrived: false })).code).toBe('not_unknown')
  })

  test('a person says that it is not there, and tries again', async () => {
    const made = await stage.compose({ files: [] })
    await stage.publishOnce(made.id, play([lost]).connector)
    const publication = made.channels[0].id
    const failed = await stage.ask(stage.ana, 200, 'POST', `/publications/${publication}/settle`, { arrived: false })
    expect(failed).toMatchObject({ state: 'failed', channels: [{ state: 'failed', reason_code: 'not_arrived' }] })
    await stage.ask(stage.ana, 200, 'POST', `/publications/${publication}/retry`)
    await stage.publishOnce(
      made.id,
      play([{ type: 'sent', externalId: '1122334455_8', permalink: 'https://page.example/8' }]).connector,
    )
    expect(await stage.until(made.id, 'published')).toMatchObject({
      channels: [{ permalink: 'https://page.example/8' }],
    })
  })
})

describe('refused and put off', () => {
  test('a refusal is final and says why; a person may try again', async () => {
    await fault('refuse_code', { code: 368 })
    const made = await stage.compose({})
    await work()
    const failed = await stage.until(made.id, 'failed')
    expect(failed.channels[0].reason).toBeTruthy()
    await stage.ask(stage.ana, 200, 'POST', `/publications/${made.channels[0].id}/retry`)
    expect(outcomes(await stage.until(made.id, 'published'))).toEqual(['refused', 'sent'])
    expect(await shown(made.text)).toBe(1)
  })

  test('what is surely not taken is tried again by itself', async () => {
    await fault('refuse_code', { code: 2 })
    const made = await stage.compose({})
    await work()
    const post = await stage.until(made.id, 'published')
    expect(post.channels[0].attempts.length).toBeGreaterThanOrEqual(1)
    expect(await shown(made.text)).toBe(1)
  })

  test('a dead token: the post waits until the channel is reconnected, and then goes out', async () => {
    const { storage, ana, pageId } = stage
    const place = { accountId: ana.accountId, channelId: pageId }
    await fault('expired_token', { count: undefined })
    const made = await stage.compose({})
    await work()
    await until(
      async () => (await storage.channels.get(storage.primary, ana.accountId, pageId))?.state === 'reconnect_needed',
    )
    expect((await stage.until(made.id, 'retrying')).channels[0].problems).toEqual([])
    await stage.control('DELETE', 'faults')
    await reportTrouble(storage, place, 'token', undefined)
    await stage.until(made.id, 'published')
    expect(await shown(made.text)).toBe(1)
  })

  test('a post that the network works on for a while', async () => {
    const made = await stage.compose({ files: [] })
    const network = play([
      { type: 'processing', progress: 'post:1', afterMs: 5_000 },
      { type: 'sent', externalId: '1122334455_9' },
    ])
    await stage.publishOnce(made.id, network.connector)
    await stage.publishOnce(made.id, network.connector)
    expect(network.calls()).toBe(1)
    expect((await stage.until(made.id, 'publishing')).channels[0].attempts).toMatchObject([
      { number: 1, finished_at: null },
    ])
    await stage.passWorkTime(made.id, 5_000)
    await stage.publishOnce(made.id, network.connector)
    expect(outcomes(await stage.until(made.id, 'published'))).toEqual(['sent'])
  })

  test('a post that the network never gets done with is left to a person, not published again', async () => {
    const made = await stage.compose({ files: [] })
    const going: PublishOutcome = { type: 'processing', progress: 'video:1', afterMs: 5_000 }
    const network = play([going, going])
    await stage.publishOnce(made.id, network.connector)
    await stage.passWorkTime(made.id, hour)
    await stage.publishOnce(made.id, network.connector)
    const left = await stage.until(made.id, 'unknown')
    expect(left.channels[0]).toMatchObject({ reason_code: 'processing_too_long', next_attempt_at: null })
    await stage.publishOnce(made.id, network.connector)
    expect(network.calls()).toBe(2)
  })

  test('what has not left can be cancelled; one channel never waits for another', async () => {
    await fault('refuse_code', { code: 4, count: undefined })
    const made = await stage.compose({ channel_ids: [stage.pageId, stage.xId] })
    await work()
    await until(async () => {
      const { channels } = await stage.ask(stage.ana, 200, 'GET', `/posts/${made.id}`)
      return channels[0].state === 'retrying' && channels[1]?.state === 'published'
    }, 20_000)
    const post = await stage.ask(stage.ana, 200, 'POST', `/posts/${made.id}/cancel`)
    expect(post).toMatchObject({
      state: 'partly_published',
      channels: [{ state: 'cancelled' }, { state: 'published' }],
    })
    expect(await shown(made.text)).toBe(0)
  })
})

describe('late after an outage', () => {
  const late = async (late_policy: string) => {
    const made = await stage.compose({ state: 'scheduled', publish_at: inMs(hour), late_policy })
    await stage.passTime(made.id, hour + 6 * 60_000)
    await stage.fire()
    return made
  }
  test('publish_late: it is published', async () => {
    const { id, text } = await late('publish_late')
    await work()
    await stage.until(id, 'published')
    expect(await shown(text)).toBe(1)
  })
  test('skip: it is left out, with a reason', async () => {
    const { id, text } = await late('skip')
    expect(await stage.until(id, 'cancelled')).toMatchObject({
      state: 'cancelled',
      reason_code: 'late_skipped',
      channels: [{ state: 'cancelled' }],
    })
    await work()
    expect(await shown(text)).toBe(0)
  })
  test('ask: a person decides', async () => {
    const { id, text } = await late('ask')
    const asked = await stage.until(id, 'asked')
    expect(asked).toMatchObject({
      state: 'asked',
      reason_code: 'late_asked',
      may: ['edit', 'schedule', 'publish', 'cancel'],
    })
    await stage.ask(stage.ana, 200, 'POST', `/posts/${id}/publish`)
    await work()
    await stage.until(id, 'published')
    expect(await shown(text)).toBe(1)
  })
  test('what has gone out on one channel is not published again with the rest', async () => {
    const made = await stage.compose({ channel_ids: [stage.pageId, stage.xId], late_policy: 'ask', files: [] })
    const { ana } = stage
    const [page, x] = made.channels
    // The page takes it at once; X does not, for so long that a person is asked.
    await stage.publishOnce(made.id, play([{ type: 'sent', externalId: '1122334455_10' }]).connector)
    await stage.passTime(made.id, 6 * 60_000)
    await work()
    const asked = await stage.until(made.id, 'asked')
    expect(asked.channels.map(({ state }) => state)).toEqual(['published', 'asked'])
    expect((await stage.ask(ana, 409, 'PATCH', `/posts/${made.id}`, { text: 'Another' })).code).toBe('not_possible')
    await stage.ask(ana, 200, 'POST', `/posts/${made.id}/schedule`, { publish_at: inMs(hour) })
    await stage.passTime(made.id, hour)
    expect(await stage.fire()).toBe(1)
    await until(async () => (await stage.ask(ana, 200, 'GET', `/posts/${made.id}`)).state === 'published', 20_000)
    const { channels } = await stage.ask(ana, 200, 'GET', `/posts/${made.id}`)
    expect(channels.map(({ id, attempts }) => [id, attempts.length])).toEqual([
      [page.id, 1],
      [x?.id, 1],
    ])
    expect(await shown(made.text)).toBe(0)
    expect((await stage.page(xExternalId)).filter(({ text }) => text === made.text)).toHaveLength(1)
  })
  test('a few minutes are not late', async () => {
    const made = await stage.compose({ state: 'scheduled', publish_at: inMs(hour), late_policy: 'skip' })
    await stage.passTime(made.id, hour + 4 * 60_000)
    await stage.fire()
    await stage.until(made.id, 'queued')
  })
})
