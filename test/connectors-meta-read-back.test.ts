/** Reading back from Meta: what webhooks told, under the same ids. */
import { describe, expect, test } from 'vitest'
import type { ParsedItem } from '../messaging/connectors/connector.ts'
import {
  access,
  came,
  connector,
  control,
  customer,
  good,
  ids,
  items,
  people,
  send,
  signal,
  until,
} from './meta-stage.ts'
import type { Type } from './meta-stage.ts'

describe('reading back', () => {
  async function readAll(type: Type, since: Date): Promise<{ items: ParsedItem[]; pages: number }> {
    const all: ParsedItem[] = []
    let cursor: string | undefined
    let pages = 0
    do {
      const page = good(await connector(type).readBack?.(access(type), since, cursor, signal))
      all.push(...page.items)
      cursor = page.cursor
      pages += 1
    } while (cursor !== undefined && pages < 50)
    return { items: all, pages }
  }
  const utterances = (list: readonly ParsedItem[]): unknown[] =>
    list
      .flatMap(({ event, channelType, channelExternalId }) =>
        event.type === 'message' || event.type === 'echo'
          ? [
              [
                event.type,
                event.kind,
                event.externalId,
                event.text,
                Math.floor(event.occurredAt.getTime() / 1000),
                event.thread,
                event.inReplyTo,
                event.attachments.length,
                channelType,
                channelExternalId,
              ],
            ]
          : [],
      )
      .sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))

  test.each(['facebook', 'instagram'] as const)('%s: all that webhooks told, and nothing else', async (type) => {
    for (let index = 0; index < 30; index += 1)
      await control('POST', 'meta/say', {
        channel: ids[type],
        person: { id: `${people[type].id}${String(index)}`, name: `P ${String(index)}` },
        text: `message ${String(index)}`,
      })
    await customer(type, { text: 'With a picture', files: [{ kind: 'image' }] })
    await send(type)
    const { external_id: first } = await customer(type, { kind: 'comment', text: 'top' })
    for (let index = 0; index < 45; index += 1) await customer(type, { kind: 'comment', text: `more ${String(index)}` })
    await customer(type, { kind: 'comment', text: 'below', in_reply_to: first })
    await send(type, { kind: 'comment', inReplyTo: String(first) })
    await came('echo', (event) => event.kind === 'comment')
    const told = utterances(items.filter(({ event }) => event.type !== 'receipt' && event.type !== 'post'))
    const { items: read, pages } = await readAll(type, new Date(Date.now() - 3_600_000))
    // An Instagram webhook tells comments with the entry's time, in whole seconds; the comment itself has the same second or the one before.
    const timeless = (list: unknown[]): unknown[] =>
      list.map((one) => (one as unknown[]).map((value, index) => (index === 4 ? 0 : value)))
    const same = (list: unknown[]): unknown[] => (type === 'instagram' ? timeless(list) : list)
    expect(same(utterances(read))).toEqual(same(told))
    expect(told).toHaveLength(31 + 1 + 46 + 1 + 1)
    expect(pages).toBeGreaterThan(2)
    expect(read.find(({ event }) => event.type === 'message' && event.text === 'message 3')?.event).toMatchObject({
      from: { externalId: `${people[type].id}3` },
    })
  })

  test('Facebook: a post with more comments than one page, to the last one', async () => {
    for (let index = 0; index < 120; index += 1)
      void customer('facebook', { kind: 'comment', text: `n ${String(index)}` })
    await until(() => (items.filter(({ event }) => event.type === 'message').length >= 120 ? true : undefined))
    const { items: read } = await readAll('facebook', new Date(Date.now() - 3_600_000))
    expect(new Set(read.flatMap(({ event }) => (event.type === 'message' ? [event.text] : []))).size).toBe(120)
  })

  test('nothing older than asked, nothing from a broken cursor', async () => {
    await customer('facebook', { text: 'old', occurred_at: new Date(Date.now() - 7_200_000).toISOString() })
    await customer('facebook', { text: 'new' })
    const { items: read } = await readAll('facebook', new Date(Date.now() - 3_600_000))
    expect(read.flatMap(({ event }) => (event.type === 'message' ? [event.text] : []))).toEqual(['new'])
    for (const cursor of [
      '',
      'nonsense',
      Buffer.from('[1,2,3]').toString('base64url'),
      Buffer.from('["posts-x",null,[["a"]]]').toString('base64url'),
    ])
      expect((await connector('facebook').readBack?.(access('facebook'), new Date(), cursor, signal))?.type).toBe('ok')
    expect('readBack' in connector('whatsapp')).toBe(false)
  })

  test('a refusal is told, not thrown', async () => {
    await control('PUT', 'meta/token', { channel: ids.facebook, is_valid: false, subcode: 460 })
    expect(await connector('facebook').readBack?.(access('facebook'), new Date(0), undefined, signal)).toMatchObject({
      type: 'refused',
      class: 'token',
      code: '190/460',
    })
  })
})
