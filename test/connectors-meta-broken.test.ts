/** Nothing that is signed breaks Meta's connectors: any field missing, null, of the wrong type, huge, nested, not UTF-8. */
import fc from 'fast-check'
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { networks } from '../messaging/connectors/registry.ts'
import type { ParsedItem } from '../messaging/connectors/connector.ts'
import { bad, places, replaced } from './connectors-meta-spoil.ts'

const types = ['facebook', 'instagram', 'whatsapp'] as const
const folder = (type: string): URL => new URL(`../messaging/connectors/${type}/fixtures/`, import.meta.url)
const fixtures = (type: string): unknown[] =>
  readdirSync(folder(type)).flatMap((name) => {
    try {
      return [JSON.parse(readFileSync(new URL(name, folder(type)), 'utf8')) as unknown]
    } catch {
      return []
    }
  })

const deepestExtra = 12
const depthOf = (value: unknown): number =>
  typeof value !== 'object' || value === null ? 0 : 1 + Math.max(0, ...Object.values(value).map(depthOf))

/** Whatever came, the items are fit to be stored and shown. */
function expectSound(items: readonly ParsedItem[]): void {
  expect(items.length).toBeGreaterThan(0)
  for (const { at, channelExternalId, event } of items) {
    expect(at.length).toBeLessThan(500)
    expect(channelExternalId === undefined || (channelExternalId !== '' && channelExternalId.length <= 300)).toBe(true)
    if (event.type === 'kept') {
      expect(event.reason.length).toBeLessThan(1_000)
      continue
    }
    expect(Number.isFinite(event.occurredAt.getTime())).toBe(true)
    if (event.type === 'notice') expect(event.text.length).toBeLessThan(2_000)
    if ('externalId' in event) expect(event.externalId.length > 0 && event.externalId.length <= 190).toBe(true)
    if (event.type !== 'message') continue
    expect(event.from.externalId.length).toBeGreaterThan(0)
    expect(depthOf(event.extra)).toBeLessThan(deepestExtra)
    for (const one of event.attachments) expect((one.title ?? '').length + (one.text ?? '').length).toBeLessThan(5_000)
  }
}

const parse = (body: unknown): ParsedItem[] =>
  networks.meta.parse(
    typeof body === 'string' ? Buffer.from(body) : Buffer.from(body === undefined ? '' : JSON.stringify(body)),
  )

describe.each(types)('%s', (type) => {
  test('every field of every fixture, made wrong in every way by chance', () => {
    const all = fixtures(type).map((body) => ({ body, places: places(body) }))
    const spoilt = fc.constantFrom(...all).chain(({ body, places: list }) =>
      fc
        .array(fc.tuple(fc.constantFrom(...list), fc.constantFrom(...bad)), { minLength: 1, maxLength: 3 })
        .map((changes) => {
          // A place may be gone through an earlier change.
          return changes.reduce<unknown>((now, [path, by]) => {
            try {
              return replaced(now, path, by)
            } catch {
              return now
            }
          }, body)
        }),
    )
    fc.assert(
      fc.property(spoilt, (body) => {
        expectSound(parse(body))
      }),
      { numRuns: 700 },
    )
  })

  test('each single field missing and null', () => {
    for (const body of fixtures(type))
      for (const place of places(body))
        for (const by of [undefined, null]) expectSound(parse(replaced(body, place, by)))
  })

  test('bytes that are not UTF-8, cut bodies, any bytes', () => {
    for (const body of fixtures(type)) {
      const bytes = Buffer.from(JSON.stringify(body))
      const spoilt = Buffer.from(bytes)
      for (let index = 7; index < spoilt.length; index += 13) spoilt[index] = 0xff
      expectSound(networks.meta.parse(spoilt))
      expectSound(networks.meta.parse(bytes.subarray(0, bytes.length - 3)))
    }
    fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => { expectSound(networks.meta.parse(bytes)) }), { numRuns: 200 }) // prettier-ignore
  })

  test('a good item beside bad ones arrives, once', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...bad), { maxLength: 6 }),
        fc.array(fc.constantFrom(...bad), { maxLength: 6 }),
        (before, after) => {
          const items = parse(beside(type, before, after))
          expect(
            items.filter(
              ({ event }) => event.type === 'message' && event.externalId === 'good' && event.text === 'here',
            ),
          ).toHaveLength(1)
        },
      ),
      { numRuns: 100 },
    )
  })
})

/** Not a bomb but a whole batch: a thousand items in one body. */
test.each(types)('%s: a thousand items in one body', (type) => {
  const body = beside(
    type,
    Array.from({ length: 999 }, () => null),
    [],
  )
  expect(parse(body)).toHaveLength(1_000)
})

test('nesting far beyond anything real', () => {
  expectSound(parse(`${'['.repeat(100_000)}${']'.repeat(100_000)}`))
  const referral = `${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}`
  const items = parse(
    `{"object":"page","entry":[{"id":"1","time":1763632800123,"messaging":[{"sender":{"id":"7"},"recipient":{"id":"1"},"timestamp":${referral},"message":{"mid":"m","text":"t","referral":${referral}}}]}]}`,
  )
  expect(items).toMatchObject([{ event: { type: 'message', externalId: 'm', text: 't' } }])
  expectSound(items)
})

function beside(type: (typeof types)[number], before: readonly unknown[], after: readonly unknown[]): unknown {
  if (type === 'whatsapp') {
    const good = { from: '7', id: 'good', timestamp: '1763632799', type: 'text', text: { body: 'here' } }
    const value = { metadata: { phone_number_id: '1' }, messages: [...before, good, ...after] }
    return { object: 'whatsapp_business_account', entry: [{ id: '1', changes: [{ field: 'messages', value }] }] }
  }
  const good = {
    sender: { id: '7' },
    recipient: { id: '1' },
    timestamp: 1763632799000,
    message: { mid: 'good', text: 'here' },
  }
  return {
    object: type === 'facebook' ? 'page' : 'instagram',
    entry: [{ id: '1', time: 1763632800123, messaging: [...before, good, ...after] }],
  }
}
