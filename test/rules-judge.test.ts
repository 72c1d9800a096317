/** What conditions, words, hours and variables mean: tables. */
import { expect, it } from 'vitest'
import { fillIn, checkVariables } from '../backend/fill-in.ts'
import { judge } from '../backend/judge.ts'
import { isOpenAt } from '../backend/open-hours.ts'
import { conditionsShape, triggerShape } from '../backend/rule-shapes.ts'
import { holds, wordsOf } from '../backend/rule-words.ts'
import type { Conditions, RuleFacts } from '../storage/model/rules.ts'

const facts: RuleFacts = {
  at: new Date('2026-03-02T10:00:00Z'),
  channelId: 'page',
  network: 'facebook',
  visibility: 'direct',
  kind: 'message',
  text: 'Where is my ORDER? I want a refund…',
  status: 'open',
  priority: 'high',
  assigneeId: null,
  teamId: 'sales',
  labelIds: ['vip', 'late'],
  waitingSince: new Date('2026-03-02T09:00:00Z'),
  isContactNew: true,
  isContactBlocked: false,
  attributes: { plan: 'Gold', orders: 12, since: '2024-05-01' },
  isOpenHours: false,
}

const table: readonly (readonly [Conditions, boolean])[] = [
  [{ all: [] }, true],
  [{ field: 'channel', op: 'any', value: ['page', 'other'] }, true],
  [{ field: 'channel', op: 'none', value: ['page'] }, false],
  [{ field: 'network', op: 'any', value: ['x'] }, false],
  [{ field: 'kind', op: 'any', value: ['message'] }, true],
  [{ field: 'visibility', op: 'any', value: ['public'] }, false],
  [{ field: 'status', op: 'none', value: ['resolved'] }, true],
  [{ field: 'priority', op: 'any', value: ['high', 'urgent'] }, true],
  [{ field: 'assignee', op: 'any', value: ['nobody'] }, true],
  [{ field: 'team', op: 'any', value: ['none'] }, false],
  [{ field: 'team', op: 'any', value: ['sales'] }, true],
  [{ field: 'label', op: 'all', value: ['vip', 'late'] }, true],
  [{ field: 'label', op: 'all', value: ['vip', 'new'] }, false],
  [{ field: 'label', op: 'none', value: ['new'] }, true],
  [{ field: 'text', op: 'any', value: ['refund', 'money back'] }, true],
  [{ field: 'text', op: 'all', value: ['order', 'refund'] }, true],
  [{ field: 'text', op: 'none', value: ['refund'] }, false],
  [{ field: 'contact_new', op: 'is', value: true }, true],
  [{ field: 'contact_blocked', op: 'is', value: false }, true],
  [{ field: 'business_hours', op: 'is', value: true }, false],
  [{ field: 'waiting', op: 'over', value: 60 }, true],
  [{ field: 'waiting', op: 'over', value: 61 }, false],
  [{ field: 'attribute', key: 'plan', op: 'is', value: 'gold' }, true],
  [{ field: 'attribute', key: 'plan', op: 'is_not', value: 'gold' }, false],
  [{ field: 'attribute', key: 'plan', op: 'contains', value: 'ol' }, true],
  [{ field: 'attribute', key: 'orders', op: 'over', value: '9' }, true],
  [{ field: 'attribute', key: 'since', op: 'under', value: '2025-01-01' }, true],
  [{ field: 'attribute', key: 'none', op: 'set' }, false],
  [{ field: 'attribute', key: 'none', op: 'unset' }, true],
  [
    {
      any: [
        { field: 'priority', op: 'any', value: ['low'] },
        {
          all: [
            { field: 'team', op: 'any', value: ['sales'] },
            { field: 'text', op: 'any', value: ['refund'] },
          ],
        },
      ],
    },
    true,
  ],
]

it.each(table)('%j is %s', (conditions, expected) => {
  const parsed =
    'field' in conditions ? conditionsShape.parse({ all: [conditions] }) : conditionsShape.parse(conditions)
  expect(judge(parsed, facts).is).toBe(expected)
})

it('says of each part whether it is so', () => {
  const verdict = judge(
    {
      all: [
        { field: 'kind', op: 'any', value: ['message'] },
        { field: 'network', op: 'any', value: ['x'] },
      ],
    },
    facts,
  )
  expect([verdict.is, verdict.parts?.map(({ is }) => is)]).toEqual([false, [true, false]])
})

const phrases: readonly (readonly [string, string, boolean])[] = [
  ['Please send it back', 'send it', true],
  ['Please resend it', 'send it', false],
  ['Please send  IT!', 'send it', true],
  ['Lieferung ist verspätet', 'verspät*', true],
  ['unzustellbar', '*zustell*', true],
  ['cancellation of order', 'cancel* of order', true],
  ['cancel my order', 'cancel* of order', false],
  ['全額返金してください', '返金', true],
  ['really? 🎉', '🎉', true],
  ['ｃａｆé', 'café', true],
  ['anything', '*', false],
]
it.each(phrases)('%j holds %j: %s', (text, phrase, expected) => {
  expect(holds(wordsOf(text), phrase)).toBe(expected)
})

it('looks for hostile patterns in little time', () => {
  const text = wordsOf('a'.repeat(20_000))
  const words = wordsOf('ab '.repeat(6_000))
  const began = performance.now()
  for (let n = 0; n < 50; n++) {
    expect(holds(text, `${'a*'.repeat(48)}b`)).toBe(false)
    expect(holds(words, `${'*a*b* '.repeat(15)}c`)).toBe(false)
  }
  // Far above what it takes; a pattern that goes back would need years.
  expect(performance.now() - began).toBeLessThan(10_000)
})

it('refuses trees that are deep, wide or strange', () => {
  const leaf = { field: 'kind', op: 'any', value: ['message'] }
  const deep = (n: number): unknown => (n === 0 ? leaf : { all: [deep(n - 1)] })
  expect(conditionsShape.safeParse(deep(4)).success).toBe(true)
  expect(conditionsShape.safeParse(deep(5)).success).toBe(false)
  expect(conditionsShape.safeParse(deep(400)).success).toBe(false)
  expect(conditionsShape.safeParse({ all: Array.from({ length: 51 }, () => leaf) }).success).toBe(false)
  const half = { any: Array.from({ length: 26 }, () => leaf) }
  expect(conditionsShape.safeParse({ all: [half, half] }).success).toBe(false)
  for (const bad of [
    { field: 'sql', op: 'any', value: ['1'] },
    { all: [{ ...leaf, more: 1 }] },
    { all: {} },
    'all',
    null,
  ])
    expect(conditionsShape.safeParse(bad).success).toBe(false)
  expect(triggerShape.safeParse({ type: 'unanswered' }).success).toBe(false)
  expect(triggerShape.safeParse({ type: 'message.received', minutes: 5 }).success).toBe(false)
})

it('knows when somebody is there', () => {
  const day: [string, string][] = [['09:00', '17:00']]
  const hours = {
    timeZone: 'Europe/Berlin',
    weekly: [day, day, day, day, [['22:00', '02:00'] as const], [], []],
    holidays: [{ date: '2026-03-03', name: 'closed' }],
  }
  const open = (at: string) => isOpenAt(hours, new Date(at))
  expect(open('2026-03-02T08:00:00Z')).toBe(true)
  expect(open('2026-03-02T07:59:00Z')).toBe(false)
  expect(open('2026-03-02T16:00:00Z')).toBe(false)
  expect(open('2026-03-03T10:00:00Z')).toBe(false)
  expect(open('2026-03-06T21:30:00Z')).toBe(true)
  expect(open('2026-03-07T00:59:00Z')).toBe(true)
  expect(open('2026-03-07T01:00:00Z')).toBe(false)
  // Summer time: 09:00 in Berlin is 07:00 UTC then.
  expect(open('2026-06-01T07:00:00Z')).toBe(true)
  expect(isOpenAt(undefined, new Date())).toBe(true)
})

it('fills in once, and names what there is not', () => {
  const values = {
    'contact.name': '{{account.name}} & Söhne',
    'contact.first_name': null,
    'agent.name': null,
    'channel.name': 'Page',
    'account.name': 'Harbour',
  }
  expect(fillIn('Hi {{contact.first_name|there}}, {{ contact.name }} at {{channel.name}}{{agent.name}}', values)).toBe(
    'Hi there, {{account.name}} & Söhne at Page',
  )
  expect(() => {
    checkVariables('{{contact.password}}', 'text')
  }).toThrow('contact.password')
})
