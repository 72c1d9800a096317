/** Conformance of Meta's connectors: what may arrive, in the network's own form, and what we take it to mean. */
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { arrivalsOf, networks } from '../messaging/connectors/registry.ts'
import type { ParsedItem } from '../messaging/connectors/connector.ts'
import { facebookRows, instagramRows, whatsappRows } from './connectors-meta-rows.ts'
import type { Row } from './connectors-meta-rows.ts'

const folder = (type: string): URL => new URL(`../messaging/connectors/${type}/fixtures/`, import.meta.url)
const read = (type: string, fixture: string): ParsedItem[] =>
  networks.meta.parse(readFileSync(new URL(`${fixture}.json`, folder(type))))

describe.each([
  ['facebook', facebookRows],
  ['instagram', instagramRows],
  ['whatsapp', whatsappRows],
] as const)('%s', (type, rows: readonly Row[]) => {
  test.each(rows)('%s: %s', (_what, fixture, expected) => {
    const items = read(type, fixture)
    expect(items.map(({ event }) => event)).toMatchObject(expected)
    expect(items).toHaveLength(expected.length)
    for (const { event } of items)
      if (event.type !== 'kept') expect(Number.isFinite(event.occurredAt.getTime())).toBe(true)
  })

  test('the written list and the fixtures are about the same', () => {
    expect([...new Set(rows.map(([what]) => what))].sort()).toEqual(
      arrivalsOf(type)
        .map(({ what }) => what)
        .sort(),
    )
    expect(rows.map(([, fixture]) => `${fixture}.json`).sort()).toEqual(readdirSync(folder(type)).sort())
  })

  test('a body that comes again gives the same items', () => {
    for (const [, fixture] of rows) {
      const ids = (): unknown[] =>
        read(type, fixture).map(({ event }) => ('externalId' in event ? event.externalId : event.type))
      expect(ids()).toEqual(ids())
    }
  })
})

test('items name their channel', () => {
  const channels = (type: string, fixture: string) =>
    read(type, fixture).map((item) => [item.at, item.channelType, item.channelExternalId])
  expect(channels('facebook', 'two-pages-standby')).toEqual([
    ['entry.0.messaging.0', 'facebook', '1122334455'],
    ['entry.0.standby.0', 'facebook', '1122334455'],
    ['entry.1.messaging.0', 'facebook', '66'],
  ])
  expect(channels('instagram', 'list-at-the-top')).toEqual([['0.entry.0.changes.0', 'instagram', '17841400000000001']])
  expect(channels('whatsapp', 'two-numbers')).toEqual([
    ['entry.0.changes.0.messages.0', 'whatsapp', 'n1'],
    ['entry.0.changes.1.messages.0', 'whatsapp', 'n2'],
  ])
  // What concerns the whole business account is addressed by its id.
  expect(channels('whatsapp', 'account')[0]).toEqual(['entry.0.changes.0', 'whatsapp', '102290129340398'])
  expect(channels('facebook', 'permission-withdrawn')[0]).toEqual(['entry.0.changes.0', 'facebook', '1122334455'])
  for (const type of ['facebook', 'instagram', 'whatsapp'])
    expect(channels(type, 'dashboard-test')[0]?.[2]).toBeUndefined()
})

test('a secret that came along stays in the received log', () => {
  expect(JSON.stringify(read('facebook', 'optins'))).not.toContain('secret-token')
})

test('a story is kept for a day and no longer, and no page is fetched that a customer links to', () => {
  const fixtures: readonly (readonly [string, string])[] = [['facebook', 'fallback-shares'], ['facebook', 'templates'], ['facebook', 'appointment']] // prettier-ignore
  for (const [type, fixture] of fixtures)
    for (const { event } of read(type, fixture))
      for (const one of event.type === 'message' ? event.attachments : [])
        expect([one.url, one.externalId]).toEqual([undefined, undefined])
  for (const fixture of ['story-mention', 'story-shared', 'story-reply'])
    for (const { event } of read('instagram', fixture)) {
      if (event.type !== 'message') throw new Error(`${fixture} is no message`)
      for (const { url, keepUntil } of event.attachments)
        expect([typeof url, keepUntil?.getTime()]).toEqual(['string', event.occurredAt.getTime() + 86_400_000])
      expect(JSON.stringify(event.extra ?? {})).not.toContain('cdn.example')
    }
})
