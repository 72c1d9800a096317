/* eslint-disable @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-argument, @typescript-eslint/no-unsafe-return, @typescript-eslint/no-unsafe-call -- answers are looked into at will */
/** What people see of the fate of answers, and what they decide: again, one or all that match; taken back; arrived or not. */
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { externalIds, openStage } from './answer-stage.ts'
import type { Stage } from './answer-stage.ts'

let stage: Stage

beforeAll(async () => {
  stage = await openStage()
})
afterEach(async () => {
  await stage.control('DELETE', 'faults')
})
afterAll(() => stage.close())

const fault = (name: string, more: object = {}) =>
  stage.control('POST', 'faults', { fault: name, network: 'meta', ...more })
const texts = async (person: string): Promise<string[]> =>
  (await stage.seen('facebook', person)).map(({ text }) => text)

it('shows what was said in the own app of the network as sent elsewhere', async () => {
  const { person, conversationId } = await stage.customer('facebook')
  await stage.control('POST', 'meta/app_says', {
    channel: externalIds.facebook,
    person,
    text: 'From the inbox of the Page',
  })
  const ours = await stage.say(conversationId, { text: 'From Parley' })
  await stage.becomes(ours.id, 'sent', 'delivered')
  const { items } = await stage.ask(200, 'GET', `/conversations/${conversationId}/messages`)
  expect(
    items.map((each: Record<string, unknown>) => [
      each['text'],
      each['direction'],
      each['sent_elsewhere'],
      each['delivery'] === null,
    ]),
  ).toEqual([
    ['Hello, are you open?', 'inbound', false, true],
    ['From the inbox of the Page', 'outbound', true, true],
    ['From Parley', 'outbound', false, false],
  ])
})

it('leaves it to a person whether something arrived, and does what they say', async () => {
  for (const arrived of [true, false]) {
    const { person, conversationId } = await stage.customer('facebook')
    await fault('hold_webhooks')
    await fault('drop_answer', { count: 1 })
    const said = await stage.say(conversationId, { text: `Did it? ${String(arrived)}` })
    const unknown = await stage.becomes(said.id, 'unknown')
    expect(unknown.delivery).toMatchObject({ hint_code: 'wait' })
    const settled = await stage.ask(200, 'POST', `/messages/${String(said.id)}/settle`, { arrived })
    expect(settled.state).toBe(arrived ? 'sent' : 'failed')
    const twice = await stage.web.ask(stage.site.ana, 'POST', `/messages/${String(said.id)}/settle`, { arrived })
    expect([twice.status, twice.json.code]).toEqual([409, 'not_unknown'])
    if (!arrived) {
      expect(settled.delivery).toMatchObject({ reason_code: 'not_arrived', hint_code: 'send_again' })
      // The network tells in the end that the person was wrong.
      await stage.control('DELETE', 'faults')
      await stage.becomes(said.id, 'sent', 'delivered')
    }
    await stage.control('DELETE', 'faults')
    expect(await texts(person)).toEqual([`Did it? ${String(arrived)}`])
  }
})

it('lists what failed by its reason, and sends all that match again', async () => {
  const talks = await Promise.all(Array.from({ length: 6 }, () => stage.customer('facebook')))
  await fault('refuse_code', { code: 368, channel: externalIds.facebook, count: 4 })
  const said = await Promise.all(
    talks.slice(0, 4).map(({ conversationId }) => stage.say(conversationId, { text: 'Blocked' })),
  )
  await Promise.all(said.map(({ id }) => stage.becomes(id, 'failed')))
  await fault('refuse_code', { code: 100, channel: externalIds.facebook, count: 2 })
  const bad = await Promise.all(talks.slice(4).map(({ conversationId }) => stage.say(conversationId, { text: 'Bad' })))
  await Promise.all(bad.map(({ id }) => stage.becomes(id, 'failed')))

  const listed = await stage.ask(200, 'GET', '/deliveries?reason_code=368&limit=3')
  expect([listed.items.length, typeof listed.next_cursor]).toEqual([3, 'string'])
  const rest = await stage.ask(200, 'GET', `/deliveries?reason_code=368&limit=3&cursor=${String(listed.next_cursor)}`)
  expect(rest.items).toMatchObject([
    {
      text: 'Blocked',
      state: 'failed',
      reason_class: 'policy',
      hint_code: 'look_at_network',
      channel_id: stage.channels.facebook,
      attempt_count: 1,
    },
  ])
  expect(new Set([...listed.items, ...rest.items].map(({ message_id: id }) => id))).toEqual(
    new Set(said.map(({ id }) => id)),
  )
  expect((await stage.web.ask(stage.site.zoe, 'GET', '/deliveries')).json.items).toEqual([])
  expect((await stage.web.ask(stage.site.zoe, 'POST', '/deliveries/retry', {})).json).toEqual({ retried: 0, left: 0 })

  expect(await stage.ask(200, 'POST', '/deliveries/retry', { reason_code: '368' })).toEqual({ retried: 4, left: 0 })
  await Promise.all(said.map(({ id }) => stage.becomes(id, 'sent', 'delivered')))
  for (const { id } of bad) expect((await stage.ask(200, 'GET', `/messages/${String(id)}`)).state).toBe('failed')
  for (const { person } of talks.slice(0, 4)) expect(await texts(person)).toEqual(['Blocked'])
})

it('takes back what has not left, and sends it when it is asked for again', async () => {
  const { person, conversationId } = await stage.customer('facebook')
  await fault('refuse_code', { code: 2, channel: externalIds.facebook, count: 1 })
  const said = await stage.say(conversationId, { text: 'On second thoughts' })
  const waits = await stage.becomes(said.id, 'retrying')
  expect(waits.delivery).toMatchObject({ reason_code: '2', hint_code: 'wait' })
  expect(Date.parse(waits.delivery.next_attempt_at)).toBeGreaterThan(Date.now() - 60_000)
  expect((await stage.ask(200, 'POST', `/messages/${String(said.id)}/cancel`, {})).state).toBe('cancelled')
  await stage.ask(200, 'POST', `/messages/${String(said.id)}/retry`, {})
  await stage.becomes(said.id, 'sent', 'delivered')
  expect(await texts(person)).toEqual(['On second thoughts'])
})
