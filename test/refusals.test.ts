/* eslint-disable @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-argument, @typescript-eslint/no-unsafe-return, @typescript-eslint/no-unsafe-call -- answers are looked into at will */
/** Every class of the networks' errors, through their real HTTP answers: what becomes of the answer, why in plain words, and what to do. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { ChannelType } from '../storage/model/words.ts'
import { externalIds, openStage } from './answer-stage.ts'
import type { Stage } from './answer-stage.ts'

let stage: Stage

beforeAll(async () => {
  stage = await openStage()
})
afterAll(() => stage.close())

type Row = readonly [type: ChannelType, code: number, more?: { subcode?: number; problem?: string; detail?: string }]
interface Class {
  readonly state: string
  readonly reasonClass: string | null
  readonly hint: string | null
  readonly rows: readonly Row[]
}

const meta = (type: ChannelType, ...codes: readonly (number | readonly [number, number])[]): Row[] =>
  codes.map((one) => (typeof one === 'number' ? [type, one] : [type, one[0], { subcode: one[1] }]))
/** By X's HTTP status and its number of v1.1. */
const x = (...codes: readonly (readonly [number, number])[]): Row[] =>
  codes.map(([status, subcode]) => ['x', status, { subcode }])

const classes: Readonly<Record<string, Class>> = {
  'wait and retry': {
    state: 'retrying',
    reasonClass: null,
    hint: 'wait',
    rows: [
      ...meta('facebook', 2, 4, [4, 2018022], 17, 32, 341, 613, [613, 1996], 1200, 80001, 80006),
      ...meta('instagram', [613, 2534040], 80002),
      ...meta('whatsapp', 130429, 131048, 131056, 80007, 133016, 131016, 131057),
      ...x([429, 88], [403, 355]),
      ['x', 429],
    ],
  },
  'used up until the next month begins': {
    state: 'retrying',
    reasonClass: 'policy',
    hint: 'wait',
    rows: [['x', 403, { problem: 'usage-capped' }]],
  },
  'of unknown fate, never repeated blindly': {
    state: 'unknown',
    reasonClass: null,
    hint: 'wait',
    rows: [
      ...meta('facebook', 1, [1, 1357046]),
      ...meta('whatsapp', 131000),
      ...x([503, 130], [500, 131]),
      ['x', 500],
      ['x', 502],
      ['x', 503],
      ['x', 504],
    ],
  },
  'restricted, a person must look': {
    state: 'failed',
    reasonClass: 'policy',
    hint: 'look_at_network',
    rows: [
      ...meta('facebook', 368, [368, 1390008], [368, 4854002], [368, 1404006], [10, 1893063]),
      ...meta('whatsapp', 131031, 368),
      ...x([403, 64], [403, 226], [403, 326]),
    ],
  },
  'out of the window': {
    state: 'failed',
    reasonClass: 'window',
    hint: 'contact_must_write',
    rows: [...meta('facebook', [10, 2018278]), ...meta('instagram', [10, 2534022]), ...meta('whatsapp', 131047)],
  },
  'nobody to be reached': {
    state: 'failed',
    reasonClass: 'recipient',
    hint: 'other_way',
    rows: [
      ...meta('facebook', 551, [200, 1545041], [10, 2018108], [100, 2018001]),
      ...meta('instagram', [100, 2534014], [100, 2534029]),
      ...meta('whatsapp', 131026, 131049, 131050, 130472),
      ...x([403, 349], [403, 150], [403, 151], [403, 433], [404, 50], [403, 108]),
      ['x', 403, { detail: 'You do not have permission to DM one or more participants.' }],
    ],
  },
  'not acceptable as it is': {
    state: 'failed',
    reasonClass: 'content',
    hint: 'change_content',
    rows: [
      ...meta('facebook', 100, [100, 2018034], [100, 2018032], [100, 2018109], 506, 1609005),
      ...meta('whatsapp', 131051, 131052, 131053, 132000, 132001, 132005, 132007, 132012, 132015, 132016),
      ...x([403, 186], [403, 187], [403, 354], [403, 385]),
      ['x', 403, { detail: 'You are not allowed to create a Tweet with duplicate content.' }],
      ['x', 400],
    ],
  },
}

/** One channel beside the other where `atOnce`, each row of a channel after the other; in the order of the rows. */
async function tryAll<Result>(
  rows: readonly Row[],
  atOnce: boolean,
  tryOne: (row: Row) => Promise<Result>,
): Promise<Result[]> {
  const results = new Map<Row, Result>()
  const chain = async (own: readonly Row[]): Promise<void> => {
    for (const row of own) results.set(row, await tryOne(row))
  }
  await Promise.all([...Map.groupBy(rows, ([type]) => (atOnce ? type : 'all')).values()].map(chain))
  return rows.flatMap((row) => results.get(row) ?? [])
}

/** One customer on each channel. */
const customers = new Map<ChannelType, Awaited<ReturnType<Stage['customer']>>>()

/** The network refuses what is said once, and says why. */
async function refuseOnce([type, code, more = {}]: Row, text: string) {
  const customer = customers.get(type) ?? (await stage.customer(type))
  customers.set(type, customer)
  // What the row before told of budgets is over.
  await stage.site.storage.write((tx) => tx.run('delete from budgets'))
  await stage.control('POST', 'faults', {
    fault: 'refuse_code',
    network: type === 'x' ? 'x' : 'meta',
    channel: externalIds[type],
    code,
    count: 1,
    ...more,
  })
  const { id } = await stage.say(customer.conversationId, { text })
  const seen = async (): Promise<string[]> =>
    (await stage.seen(type, customer.person)).map((each) => each.text).filter((each) => each === text)
  return { id, seen }
}

const nameOf = ([type, code, more = {}]: Row): string => [type, code, ...Object.values(more)].join(' ')
const healthOf = async (type: ChannelType): Promise<string> =>
  (await stage.ask(200, 'GET', `/channels/${stage.channels[type]}`)).health.state

it.each(Object.entries(classes))('%s', async (_, { state, reasonClass, hint, rows }) => {
  // Channels of one app share what it may ask for.
  const results = await tryAll(rows, state !== 'retrying', async (row) => {
    const [type] = row
    const { id, seen } = await refuseOnce(row, `About ${nameOf(row)}`)
    const { delivery } = await stage.becomes(id, state)
    if (state === 'retrying') await stage.ask(200, 'POST', `/messages/${String(id)}/cancel`, {})
    if (state === 'unknown') await stage.ask(200, 'POST', `/messages/${String(id)}/settle`, { arrived: false })
    return {
      row: nameOf(row),
      reason_class: delivery.reason_class,
      reason_code: type === 'x' ? 'of its own' : delivery.reason_code,
      hint_code: delivery.hint_code,
      isPlain: /^[A-Z][^#]*\.$/.test(delivery.reason) && delivery.hint !== null,
      isDue: delivery.next_attempt_at !== null,
      seen: await seen(),
      channel: await healthOf(type),
    }
  })
  expect(results).toEqual(
    rows.map((row) => ({
      row: nameOf(row),
      reason_class: reasonClass,
      reason_code: row[0] === 'x' ? 'of its own' : [row[1], ...Object.values(row[2] ?? {})].join('/'),
      hint_code: hint,
      isPlain: true,
      isDue: state !== 'failed',
      seen: [],
      channel: 'connected',
    })),
  )
})

it('a token refused for one message of a sound channel is tried again, and the channel stays', async () => {
  const rows: Row[] = [
    ...meta('facebook', 190, [190, 458], [190, 459], [190, 460], [190, 463]),
    ...meta('whatsapp', [190, 464], 102, 3, 200, 10),
    ...meta('instagram', [190, 467], [190, 492], [10, 2018028], [10, 2534041]),
    ...x([401, 32], [401, 89], [401, 99]),
    ['x', 403, { problem: 'client-forbidden' }],
  ]
  const results = await tryAll(rows, true, async (row) => {
    const [type] = row
    const { id, seen } = await refuseOnce(row, `A whim: ${nameOf(row)}`)
    // Another row may have hurried it already.
    await stage.becomes(id, 'retrying', 'sent', 'delivered')
    await stage.hurry()
    const { delivery } = await stage.becomes(id, 'sent', 'delivered')
    const outcomes = delivery.attempts.map(({ outcome }: { outcome: string }) => outcome)
    return { row: nameOf(row), outcomes, seen: (await seen()).length, channel: await healthOf(type) }
  })
  expect(results).toEqual(
    rows.map((row) => ({ row: nameOf(row), outcomes: ['retry', 'sent'], seen: 1, channel: 'connected' })),
  )
})

it('sent although the network says that it failed: settled by the echo, shown once', async () => {
  const { person, conversationId } = await stage.customer('facebook')
  await stage.control('POST', 'faults', { fault: 'sent_with_error', network: 'meta', count: 1 })
  const said = await stage.say(conversationId, { text: 'There all the same' })
  await stage.becomes(said.id, 'sent', 'delivered')
  expect((await stage.seen('facebook', person)).map(({ text }) => text)).toEqual(['There all the same'])
})

it('a failure that comes late overrules what was sent', async () => {
  const { conversationId } = await stage.customer('whatsapp')
  await stage.control('POST', 'meta/fail_late', {
    channel: '106540352242922',
    code: 131026,
    title: 'Message undeliverable',
  })
  const said = await stage.say(conversationId, { text: 'Hello?' })
  const failed = await stage.becomes(said.id, 'failed')
  expect(failed.delivery).toMatchObject({ reason_class: 'recipient', reason_code: '131026', hint_code: 'other_way' })
})

it.each(['facebook', 'instagram', 'whatsapp', 'x'] as const)(
  '%s: a dead token asks for a reconnection',
  async (type) => {
    const { conversationId } = await stage.customer(type)
    await stage.control('POST', 'faults', { fault: 'expired_token', network: type === 'x' ? 'x' : 'meta' })
    const said = await stage.say(conversationId, { text: 'Wait for me' })
    const waits = await stage.becomes(said.id, 'retrying')
    expect(waits.delivery).toMatchObject({ reason_class: 'token', hint_code: 'reconnect' })
    expect(await healthOf(type)).toBe('reconnect_needed')
  },
)
