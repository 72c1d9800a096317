/** What an app may cost, through the API. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connectChannels, openSite } from './web-site.ts'
import type { Node, Site } from './web-site.ts'

let site: Site
let node: Node
let xId: string
let metaId: string
beforeAll(async () => {
  site = await openSite()
  node = await site.addNode()
  ;({ xId, metaId } = await connectChannels(site, site.ana.accountId))
})
afterAll(() => site.close())

const patch = (id: string, body: object) => node.ask(site.ana, 'PATCH', `/apps/${id}`, body)
const spend = (id: string) => node.ask(site.ana, 'GET', `/apps/${id}/spend`)

describe('the spend of an app', () => {
  it('shows documented prices, no cap and nothing spent at first', async () => {
    const { status, json } = await spend(xId)
    expect(status).toBe(200)
    expect(json).toMatchObject({ month: new Date().toISOString().slice(0, 7), cap: null, spent: 0, months: [] })
    expect(json).toMatchObject({ kinds: expect.arrayContaining([{ kind: 'dm', price: 0.015, count: 0, spent: 0 }]) as unknown }) // prettier-ignore
  })

  it('takes a cap and prices, and takes them back', async () => {
    expect((await patch(xId, { spend_cap: 12.5, prices: { dm: 0.02 } })).status).toBe(200)
    expect((await spend(xId)).json).toMatchObject({
      cap: 12.5,
      kinds: expect.arrayContaining([expect.objectContaining({ kind: 'dm', price: 0.02 })]) as unknown,
    })
    expect((await patch(xId, { spend_cap: null, prices: null })).status).toBe(200)
    expect((await spend(xId)).json).toMatchObject({
      cap: null,
      kinds: expect.arrayContaining([expect.objectContaining({ kind: 'dm', price: 0.015 })]) as unknown,
    })
  })

  it('is refused where nothing is paid by use, for prices that there are not, and for amounts that are none', async () => {
    for (const [id, body] of [
      [metaId, { spend_cap: 1 }],
      [xId, { prices: { poem: 1 } }],
      [xId, { spend_cap: -1 }],
      [xId, { spend_cap: 'much' }],
    ] as const)
      expect((await patch(id, body)).status, JSON.stringify(body)).toBe(422)
    expect((await spend(metaId)).json).toMatchObject({ kinds: [] })
  })

  it('is nothing that another account, or who may not manage apps, can see or resume', async () => {
    expect((await node.ask(site.zoe, 'GET', `/apps/${xId}/spend`)).status).toBe(404)
    expect((await node.ask(site.zoe, 'POST', `/apps/${xId}/resume`, {})).status).toBe(404)
    expect((await node.ask(site.zoe, 'PATCH', `/apps/${xId}`, { spend_cap: 1 })).status).toBe(404)
    expect((await node.ask(site.ben, 'GET', `/apps/${xId}/spend`)).status).toBe(403)
    expect((await node.ask(site.ana, 'POST', `/apps/${xId}/resume`, {})).json).toEqual({ resumed: true })
    expect((await node.ask(site.ana, 'GET', '/apps/nothing/spend')).status).toBe(404)
  })
})
