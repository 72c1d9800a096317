/** Posts that are composed here: what they may be, who takes which step, and what is refused before it is saved. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createChannel } from '../backend/networks.ts'
import { isStepPossible, needsApproval, plannedStates, postSteps, stateOfAll } from '../storage/model/posts.ts'
import { photo } from './pictures.ts'
import { inMs, openStage } from './posts-stage.ts'
import type { Said, Stage } from './posts-stage.ts'
import type { Person } from './web-site.ts'

let stage: Stage
let mia: Person
beforeAll(async () => {
  stage = await openStage()
  mia = await stage.addPerson('Mia', 'supervisor')
}, 60_000)
afterAll(() => stage.close())

const hour = 3_600_000
/** The beginning of a film. */
const mp4 = Buffer.concat([Buffer.from([0, 0, 0, 24]), Buffer.from('ftypisom....isomiso2'), Buffer.alloc(64)])
let number = 0
const words = (): string => `Night ferry number ${String((number += 1))} sails.`
const compose = (person: Person, more: object = {}, status = 201) =>
  stage.ask(person, status, 'POST', '/posts', { text: words(), channel_ids: [stage.xId], ...more })
const take = (person: Person, status: number, id: string, step: string, body?: object) =>
  stage.ask(person, status, 'POST', `/posts/${id}/${step}`, body)

describe('the laws', () => {
  test('which step leads from which state', () => {
    const table = Object.fromEntries(
      postSteps.map((step) => [step, plannedStates.filter((state) => isStepPossible(step, state))]),
    )
    expect(table).toEqual({
      edit: ['draft', 'in_review', 'approved', 'scheduled', 'asked', 'failed', 'cancelled'],
      submit: ['draft'],
      approve: ['in_review'],
      reject: ['in_review', 'approved', 'scheduled'],
      schedule: ['draft', 'approved', 'scheduled', 'asked'],
      publish: ['draft', 'approved', 'scheduled', 'asked'],
      cancel: ['in_review', 'approved', 'scheduled', 'asked', 'publishing'],
    })
  })
  test('what the channels say of the whole', () => {
    expect(stateOfAll(['published', 'published'])).toBe('published')
    expect(stateOfAll(['published', 'failed'])).toBe('partly_published')
    expect(stateOfAll(['published', 'cancelled'])).toBe('partly_published')
    expect(stateOfAll(['published', 'unknown', 'failed'])).toBe('unknown')
    expect(stateOfAll(['unknown', 'retrying'])).toBe('publishing')
    expect(stateOfAll(['published', 'asked'])).toBe('asked')
    expect(stateOfAll(['failed', 'cancelled'])).toBe('failed')
    expect(stateOfAll(['cancelled'])).toBe('cancelled')
  })
  test('who needs an approval', () => {
    const by = (approval: 'by_role' | 'always' | 'never', fourEyes: boolean) => [
      needsApproval({ approval, fourEyes }, false),
      needsApproval({ approval, fourEyes }, true),
    ]
    expect(by('by_role', false)).toEqual([true, false])
    expect(by('by_role', true)).toEqual([true, true])
    expect(by('always', false)).toEqual([true, true])
    expect(by('never', true)).toEqual([false, false])
  })
})

describe('approval by role', () => {
  test('an agent writes, somebody with the right approves, and all of it is in the history', async () => {
    const { ben, ana } = stage
    const made = await compose(ben, { publish_at: inMs(hour) })
    expect(made).toMatchObject({ state: 'in_review', needs_approval: true, may: ['edit', 'reject', 'cancel'] })
    await take(ben, 403, made.id, 'approve')
    await take(ben, 403, made.id, 'publish')
    const rejected = await take(mia, 200, made.id, 'reject', { reason: 'Which day?' })
    expect(rejected).toMatchObject({ state: 'draft', reason_code: 'rejected', reason: 'Which day?' })
    await take(ben, 200, made.id, 'submit')
    expect((await take(mia, 409, made.id, 'approve', { version: 1 })).code).toBe('changed_meanwhile')
    const approved = await take(mia, 200, made.id, 'approve')
    expect(approved).toMatchObject({
      state: 'scheduled',
      approved_by: { name: 'Mia' },
      may: ['edit', 'reject', 'schedule', 'publish', 'cancel'],
    })
    const edited = await stage.ask(ben, 200, 'PATCH', `/posts/${made.id}`, { text: words(), version: approved.version })
    expect(edited).toMatchObject({ state: 'in_review', approved_by: null, edited_by: { name: 'Ben' } })
    const { items } = await stage.ask(ana, 200, 'GET', `/posts/${made.id}/history`)
    expect(items.map(({ step, by, to_state }) => [step, by?.name, to_state])).toEqual([
      ['create', 'Ben', 'draft'],
      ['submit', 'Ben', 'in_review'],
      ['reject', 'Mia', 'draft'],
      ['submit', 'Ben', 'in_review'],
      ['approve', 'Mia', 'approved'],
      ['schedule', 'Mia', 'scheduled'],
      ['edit', 'Ben', 'in_review'],
    ])
    const { storage } = stage
    const log = await storage.audit.list(storage.primary, ana.accountId, { action: 'post', limit: 50 })
    expect(log.filter(({ subject }) => subject.id === made.id).map(({ action }) => action)).toContain('post.approved')
    expect(await stage.fire()).toBe(0)
  })

  test('four eyes: whoever wrote a post may not approve it, also not by editing it', async () => {
    const { ana } = stage
    await stage.ask(ana, 200, 'PATCH', '/posts/settings', { four_eyes: true })
    const own = await compose(mia, { state: 'in_review' })
    expect((await take(mia, 409, own.id, 'approve')).code).toBe('own_post')
    expect((await compose(mia, { state: 'scheduled', publish_at: inMs(hour) }, 409)).code).toBe('needs_approval')
    const others = await compose(ana, { state: 'in_review' })
    await stage.ask(mia, 200, 'PATCH', `/posts/${others.id}`, { text: words() })
    expect((await take(mia, 409, others.id, 'approve')).code).toBe('own_post')
    expect(await take(ana, 200, own.id, 'approve')).toMatchObject({ state: 'approved', publish_at: null })
    expect((await take(mia, 422, own.id, 'schedule')).code).toBe('no_time')
    expect(await take(mia, 200, own.id, 'schedule', { publish_at: inMs(hour) })).toMatchObject({ state: 'scheduled' })
    await stage.ask(ana, 200, 'PATCH', '/posts/settings', { four_eyes: false, approval: 'always' })
    expect(await compose(ana, { publish_at: inMs(hour) })).toMatchObject({ state: 'in_review' })
    expect(await stage.ask(ana, 200, 'PATCH', '/posts/settings', { approval: 'by_role' })).toEqual({
      approval: 'by_role',
      four_eyes: false,
    })
    await stage.ask(mia, 403, 'PATCH', '/posts/settings', { approval: 'never' })
  })

  test('what was cancelled in review does not slip out by a second try', async () => {
    const { ana } = stage
    await stage.ask(ana, 200, 'PATCH', '/posts/settings', { approval: 'always' })
    const made = await compose(mia, { state: 'in_review' })
    await take(mia, 200, made.id, 'cancel')
    expect((await stage.ask(mia, 409, 'POST', `/publications/${made.channels[0].id}/retry`)).code).toBe(
      'needs_approval',
    )
    await stage.ask(ana, 200, 'PATCH', '/posts/settings', { approval: 'by_role' })
  })

  test('an approval that comes after the time asks for another time', async () => {
    const made = await compose(stage.ben, { publish_at: inMs(hour) })
    await stage.passTime(made.id, 2 * hour)
    expect((await take(mia, 422, made.id, 'approve')).code).toBe('publish_at_past')
    expect(await take(mia, 200, made.id, 'approve', { at: inMs(hour) })).toMatchObject({ state: 'scheduled' })
  })
})

describe('changes', () => {
  test('a change that did not see another one is refused; only the time may move and keep the approval', async () => {
    const made = await compose(stage.ben, { publish_at: inMs(hour) })
    const { version } = await take(mia, 200, made.id, 'approve')
    const at = inMs(2 * hour)
    const moved = await stage.ask(mia, 200, 'PATCH', `/posts/${made.id}`, { publish_at: at, version })
    expect(moved).toMatchObject({ state: 'scheduled', publish_at: at, approved_by: { name: 'Mia' } })
    expect((await stage.ask(mia, 409, 'PATCH', `/posts/${made.id}`, { text: 'Late', version })).code).toBe(
      'changed_meanwhile',
    )
    await stage.ask(stage.ben, 403, 'PATCH', `/posts/${made.id}`, { publish_at: inMs(hour) })
    await stage.passTime(made.id, hour)
    expect(await stage.fire()).toBe(0)
    const { storage, ana } = stage
    const planned = await storage.occurrences.ofSubject(storage.primary, ana.accountId, 'post', made.id)
    expect(planned.map(({ state }) => state)).toEqual(['cancelled', 'waiting'])
  })

  test('a draft may be anything; beyond, what a network would refuse is refused by name', async () => {
    const { ana, xId } = stage
    const long = 'ä'.repeat(281)
    const draft = await compose(ana, { text: long })
    expect(draft.channels[0]).toMatchObject({ length: 281, limits: { max_text_length: 280, counting: 'weighted' } })
    expect(draft.channels[0].problems).toMatchObject([{ code: 'too_long', severity: 'error', field: 'text' }])
    const refused = await take(ana, 422, draft.id, 'submit')
    expect(refused).toMatchObject({ code: 'too_long', faults: [{ field: 'channels.0.text' }] })
    expect((await compose(ana, { text: ' ', publish_at: inMs(hour) }, 422)).code).toBe('empty')
    expect((await compose(ana, { channel_ids: [], publish_at: inMs(hour) }, 422)).faults).toMatchObject([
      { field: 'channels' },
    ])
    expect((await compose(ana, { publish_at: inMs(-1_000) }, 422)).code).toBe('publish_at_past')
    expect((await compose(ana, { publish_at: 'tomorrow' }, 422)).faults).toMatchObject([{ field: 'publish_at' }])
    expect((await compose(ana, { publish_at: inMs(1_000 * 24 * hour) }, 422)).code).toBe('publish_at_too_far')
    expect((await compose(ana, { text: 'x'.repeat(10_001) }, 422)).faults).toMatchObject([{ field: 'text' }])
    expect((await compose(ana, { channel_ids: Array.from({ length: 11 }, () => xId) }, 422)).faults).toMatchObject([
      { field: 'channel_ids' },
    ])
    expect((await compose(ana, { channel_ids: [xId, xId] }, 422)).faults).toMatchObject([{ field: 'channels' }])
    expect((await compose(ana, { files: [{ document_id: ana.userId }] }, 422)).code).toBe('no_such_file')
    // A link counts 23 on X, and the space before it.
    const link = `https://harbour.example/${'long/'.repeat(40)}`
    expect((await compose(ana, { text: 'ä'.repeat(256), link })).channels[0]).toMatchObject({
      length: 280,
      problems: [],
    })
    expect((await compose(ana, { text: 'ä'.repeat(257), link })).channels[0].problems).toMatchObject([
      { code: 'too_long' },
    ])
  })

  test('each channel may say it in its own words, and is checked by its own counting', async () => {
    const { ana, xId } = stage
    const { channels } = await stage.ask(ana, 200, 'POST', '/posts/check', {
      text: 'ä'.repeat(300),
      channels: [{ channel_id: xId, text: 'Short.' }],
    })
    expect(channels).toMatchObject([{ channel: { type: 'x' }, text: 'Short.', length: 6, problems: [] }])
  })

  test('every network by its own limits', async () => {
    const { ana, pageId, instagramId, xId, storage, config, metaAppId } = stage
    const numberId = await createChannel(storage, config, ana.accountId, { appId: metaAppId, type: 'whatsapp', name: 'Number', externalId: '106540352242922', credentials: { access_token: 'wa' } }) // prettier-ignore
    const check = async (more: object) => {
      const body = { channel_ids: [pageId, instagramId, xId, numberId], ...more }
      const { channels } = await stage.ask(ana, 200, 'POST', '/posts/check', body)
      return channels.map(({ problems }) => problems.map(({ code }) => code))
    }
    expect(await check({ text: 'Short' })).toEqual([[], ['needs_file'], [], ['not_possible']])
    expect(await check({ text: 'ä'.repeat(2_201) })).toEqual([
      [],
      ['too_long', 'needs_file'],
      ['too_long'],
      ['not_possible'],
    ])
    const put = async (bytes: Buffer) => {
      const headers = { authorization: `Bearer ${ana.token}`, 'content-type': 'application/octet-stream' }
      const answer = await fetch(`${stage.web.url}/api/v1/documents`, {
        method: 'POST',
        headers,
        body: new Uint8Array(bytes),
      })
      return { document_id: ((await answer.json()) as { id: string }).id }
    }
    const [picture, film, page] = [
      await put(await photo(20, 20)),
      await put(mp4),
      await put(Buffer.from('%PDF-1.4 a page')),
    ]
    expect(await check({ text: '', files: [picture] })).toEqual([[], [], [], ['not_possible']])
    expect(await check({ text: '', files: [picture, film] })).toEqual([
      ['no_mixing'],
      [],
      ['no_mixing'],
      ['not_possible'],
    ])
    expect(await check({ text: 'a', files: [page] })).toEqual([
      ['file_type'],
      ['file_type'],
      ['file_type'],
      ['not_possible'],
    ])
    expect(await check({ text: 'a', files: Array.from({ length: 5 }, () => picture) })).toEqual([
      [],
      [],
      ['too_many_files'],
      ['not_possible'],
    ])
  })

  test('the same words on the same channel are warned of, not refused', async () => {
    const { ana } = stage
    const text = words()
    const first = await compose(ana, { text, publish_at: inMs(hour) })
    expect(first.channels[0].problems).toEqual([])
    const second = await compose(ana, { text: ` ${text.replace(' ', '  ')}`, publish_at: inMs(hour) })
    expect(second).toMatchObject({
      state: 'scheduled',
      channels: [{ problems: [{ code: 'duplicate', severity: 'warning' }] }],
    })
    await take(ana, 200, first.id, 'cancel')
    expect((await stage.ask(ana, 200, 'GET', `/posts/${second.id}`)).channels[0].problems).toEqual([])
  })

  test('a post that is cancelled, removed or repeated', async () => {
    const { ana, ben, web } = stage
    const made = await compose(ana, { publish_at: inMs(hour) })
    await stage.ask(ana, 204, 'DELETE', `/posts/${made.id}`)
    expect(await stage.ask(ana, 200, 'GET', `/posts/${made.id}`)).toMatchObject({
      state: 'cancelled',
      channels: [{ state: 'cancelled' }],
    })
    await stage.passTime(made.id, 2 * hour)
    expect(await stage.fire()).toBe(0)
    expect((await take(ana, 409, made.id, 'publish')).code).toBe('not_possible')
    expect(await stage.ask(ana, 200, 'PATCH', `/posts/${made.id}`, { text: words() })).toMatchObject({
      state: 'draft',
      channels: [{ state: 'waiting' }],
    })
    await stage.ask(ana, 204, 'DELETE', `/posts/${made.id}`)
    await stage.ask(ana, 404, 'GET', `/posts/${made.id}`)
    const others = await compose(ana, { state: 'in_review' })
    await take(ben, 403, others.id, 'cancel')
    const key = { 'idempotency-key': `post-${String(Date.now())}` }
    const body = { text: words(), channel_ids: [stage.xId] }
    const [one, two] = [
      await web.ask(ana, 'POST', '/posts', body, key),
      await web.ask(ana, 'POST', '/posts', body, key),
    ]
    expect([one.status, two]).toEqual([201, expect.objectContaining({ status: 201, json: one.json })])
  })
})

test('the calendar shows what is planned in a span, by time; the list the newest first, page by page', async () => {
  const { ana, xId } = stage
  const start = Date.now() + 100 * 24 * hour
  const at = (n: number) => new Date(start + n * hour).toISOString()
  const ids: string[] = []
  for (const n of [2, 0, 1]) ids.push((await compose(ana, { publish_at: at(n) })).id)
  const list = (query: string) => stage.ask(ana, 200, 'GET', `/posts?${query}`)
  const idsOf = ({ items }: Said) => items.map(({ id }) => id)
  const span = `from=${at(0)}&to=${at(3)}`
  expect(idsOf(await list(span))).toEqual([ids[1], ids[2], ids[0]])
  expect(idsOf(await list(`from=${at(1)}&to=${at(2)}&channel_id=${xId}&state=scheduled`))).toEqual([ids[2]])
  const first = await list(`${span}&limit=2`)
  expect(idsOf(await list(`${span}&limit=2&cursor=${first.next_cursor}`))).toEqual([ids[0]])
  const newest = await list('limit=2')
  expect(idsOf(newest)).toEqual([ids[2], ids[1]])
  expect(idsOf(await list(`limit=1&cursor=${newest.next_cursor}`))).toEqual([ids[0]])
})

test('another account, and whoever is limited to other channels, finds nothing', async () => {
  const { zoe, ana, xId, pageId } = stage
  const made = await compose(ana, { publish_at: inMs(hour) })
  const publication = made.channels[0].id
  const nora = await stage.addPerson('Nora', 'supervisor', [pageId])
  for (const person of [zoe, nora]) {
    await stage.ask(person, 404, 'GET', `/posts/${made.id}`)
    await stage.ask(person, 404, 'GET', `/posts/${made.id}/history`)
    await stage.ask(person, 404, 'PATCH', `/posts/${made.id}`, { text: 'Mine' })
    await stage.ask(person, 404, 'DELETE', `/posts/${made.id}`)
    await take(person, 404, made.id, 'publish')
    await stage.ask(person, 404, 'POST', `/publications/${publication}/retry`)
    await stage.ask(person, 404, 'POST', `/publications/${publication}/settle`, { arrived: false })
    expect((await stage.ask(person, 200, 'GET', '/posts')).items).toEqual([])
  }
  expect((await stage.ask(zoe, 422, 'POST', '/posts', { text: 'Mine', channel_ids: [xId] })).code).toBe(
    'no_such_channel',
  )
  expect((await stage.ask(zoe, 422, 'POST', '/posts', { text: 'Mine', channel_ids: [made.id] })).code).toBe(
    'no_such_channel',
  )
  for (const person of [zoe, nora])
    expect((await stage.ask(person, 422, 'POST', '/posts/check', { channel_ids: [xId] })).code).toBe('no_such_channel')
  await stage.ask(nora, 403, 'POST', '/posts', { text: 'Mine', channel_ids: [xId] })
  await stage.ask(ana, 404, 'GET', '/posts/nonsense')
})
