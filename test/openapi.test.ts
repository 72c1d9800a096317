/* eslint-disable @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-call, @typescript-eslint/no-unsafe-argument, @typescript-eslint/no-unsafe-return -- answers are looked into at will */
/** The OpenAPI document says what the routes do. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openSite } from './web-site.ts'
import type { Node, Site } from './web-site.ts'

let site: Site
let node: Node
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- a document is looked into at will
let document: any

beforeAll(async () => {
  site = await openSite()
  node = await site.addNode()
  document = (await node.ask(undefined, 'GET', '/openapi.json')).json
})
afterAll(() => site.close())

describe('the document', () => {
  it('is OpenAPI 3.1 and names the promised calls', () => {
    expect(document.openapi).toBe('3.1.0')
    const calls = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods as object).map((method) => `${method} ${path}`),
    )
    expect(calls).toEqual(
      expect.arrayContaining([
        'post /session', 'get /session', 'delete /session', 'post /apps', 'get /apps', 'get /apps/{id}', 'patch /apps/{id}', 'post /channels', 'get /channels',
        'get /channels/{id}', 'get /conversations', 'get /conversations/{id}', 'patch /conversations/{id}', 'get /conversations/{id}/messages',
        'post /conversations/{id}/messages', 'get /messages', 'get /messages/{id}', 'post /messages/{id}/retry', 'post /messages/{id}/cancel', 'get /events',
        'get /live', 'get /received', 'post /received/{id}/replay', 'post /documents', 'get /documents/{id}/content', 'get /users', 'get /contacts/{id}',
        'get /dead-letters', 'post /dead-letters/{id}/replay',
      ]),
    ) // prettier-ignore
  })

  it('describes bodies with their required fields and refuses others', () => {
    const body = document.paths['/apps'].post.requestBody.content['application/json'].schema
    expect(body.required.sort()).toEqual(['name', 'network', 'secrets'])
    expect(body.properties.network.enum).toEqual(['meta', 'x'])
    expect(body.additionalProperties).toBe(false)
    const limit = document.paths['/conversations'].get.parameters.find(
      (parameter: { name: string }) => parameter.name === 'limit',
    )
    expect(limit).toMatchObject({ in: 'query', required: false })
  })

  it('gives every operation its own id, a summary, an answer and the form of refusals', () => {
    const operations = Object.values(document.paths).flatMap((methods) => Object.values(methods as object))
    expect(operations.length).toBeGreaterThan(25)
    expect(new Set(operations.map((operation) => operation.operationId)).size).toBe(operations.length)
    for (const operation of operations) {
      expect(operation.summary.length).toBeGreaterThan(4)
      expect(operation.responses.default.content['application/problem+json'].schema.$ref).toBe(
        '#/components/schemas/Problem',
      )
      expect(Object.keys(operation.responses).some((status) => /^[23]/.test(status))).toBe(true)
    }
    expect(document.components.schemas.Problem.required).toContain('code')
  })

  it('is true of real answers', async () => {
    const shape = document.paths['/users'].get.responses['200'].content['application/json'].schema
    const answer = await node.ask(site.ana, 'GET', '/users')
    expect(Object.keys(answer.json).sort()).toEqual(Object.keys(shape.properties).sort())
    expect(Object.keys(answer.json.items[0]).sort()).toEqual(
      Object.keys(shape.properties.items.items.properties).sort(),
    )
  })
})
