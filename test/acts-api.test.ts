/* eslint-disable @typescript-eslint/no-unsafe-member-access -- answers are looked into at will */
/** Acts over HTTP: who may ask for what, and in which words it is refused. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newId } from '../infra/ids.ts'
import { beginConversation, connectChannels, openSite } from './web-site.ts'
import type { Node, Site } from './web-site.ts'

let site: Site
let node: Node
let pageId: string

beforeAll(async () => {
  site = await openSite()
  node = await site.addNode()
  pageId = (await connectChannels(site, site.ana.accountId)).pageId
})
afterAll(() => site.close())

const begin = () => beginConversation(site, site.ana.accountId, pageId)

describe('asking for an act', () => {
  test('it is queued, told with the message, and one under one Idempotency-Key', async () => {
    const { messageId } = await begin()
    const body = { what: 'react', emoji: '🎉' }
    const key = { 'idempotency-key': newId() }
    const first = await node.ask(site.ben, 'POST', `/messages/${messageId}/acts`, body, key)
    expect(first).toMatchObject({
      status: 202,
      json: { what: 'react', emoji: '🎉', state: 'queued', attempts: 0, reason: null, by: site.ben.userId },
    })
    const again = await node.ask(site.ben, 'POST', `/messages/${messageId}/acts`, body, key)
    expect(again.json).toEqual(first.json)
    const { json } = await node.ask(site.ben, 'GET', `/messages/${messageId}/acts`)
    expect(json).toEqual({ items: [first.json], next_cursor: null })
    const message = () => node.ask(site.ben, 'GET', `/messages/${messageId}`)
    expect((await message()).json.acts).toEqual([first.json])
    // What has failed is told until something else is asked for.
    const setState = (state: string) =>
      site.storage.write((tx) => tx.run('update acts set state = ? where message_id = ?', [state, messageId]))
    await setState('failed')
    expect((await message()).json.acts).toMatchObject([{ state: 'failed' }])
    await node.ask(site.ben, 'POST', `/messages/${messageId}/acts`, { what: 'unreact' })
    expect((await message()).json.acts).toMatchObject([{ what: 'unreact', state: 'queued' }])
    await setState('done')
    expect((await message()).json.acts).toEqual([])
  })

  test.each([
    ['hide', {}, 'act_not_possible'],
    ['delete', {}, 'act_not_possible'],
    ['react', {}, 'emoji_missing'],
    ['react', { emoji: 'yes' }, 'emoji_not_possible'],
    ['unreact', { emoji: '🎉' }, 'emoji_not_possible'],
    ['typing', {}, 'invalid'],
    ['react', { emoji: 'x'.repeat(65) }, 'invalid'],
    ['react', { emoji: '🎉', colour: 'red' }, 'invalid'],
  ])('%s %j of a direct message is refused: %s', async (what, more, code) => {
    const { messageId } = await begin()
    expect(await node.ask(site.ben, 'POST', `/messages/${messageId}/acts`, { what, ...more })).toMatchObject({
      status: 422,
      json: { code },
    })
    expect((await node.ask(site.ben, 'GET', `/messages/${messageId}/acts`)).json.items).toEqual([])
  })

  test('DELETE asks for the same', async () => {
    const { messageId } = await begin()
    expect(await node.ask(site.ben, 'DELETE', `/messages/${messageId}`)).toMatchObject({
      status: 422,
      json: { code: 'act_not_possible' },
    })
  })

  test('of another account there is nothing', async () => {
    const { messageId, id } = await begin()
    for (const [method, path, body] of [
      ['POST', `/messages/${messageId}/acts`, { what: 'react', emoji: '🎉' }],
      ['GET', `/messages/${messageId}/acts`, undefined],
      ['DELETE', `/messages/${messageId}`, undefined],
      ['POST', `/conversations/${id}/typing`, {}],
      ['POST', `/conversations/${id}/seen`, {}],
    ] as const)
      expect(await node.ask(site.zoe, method, path, body)).toMatchObject({ status: 404 })
  })
})

describe('signals', () => {
  test('are taken at once, however often, and refused where the network shows none', async () => {
    const { id } = await begin()
    for (const what of ['typing', 'typing', 'seen'])
      expect((await node.ask(site.ben, 'POST', `/conversations/${id}/${what}`, {})).status).toBe(204)
    await site.storage.write((tx) => tx.run("update conversations set visibility = 'public' where id = ?", [id]))
    expect(await node.ask(site.ben, 'POST', `/conversations/${id}/typing`, {})).toMatchObject({
      status: 422,
      json: { code: 'act_not_possible' },
    })
  })
})
