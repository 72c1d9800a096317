/** The OpenAPI 3.1 document, made of the routes, so that it cannot differ from them. */
import { z } from 'zod'
import type { Route } from './route.ts'

type Json = Readonly<Record<string, unknown>>

/** The document for these routes. Operation ids are `method_path` in words. */
export function describeApi(routes: readonly Route[], version: string): Json {
  const paths: Record<string, Record<string, Json>> = {}
  for (const route of routes) {
    const path = route.path.replace(/:(\w+)/g, '{$1}')
    ;(paths[path] ??= {})[route.method] = describeRoute(route)
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Parley', version, description: 'Everything that the browser app does, and every figure it shows.' },
    servers: [{ url: '/api/v1' }],
    security: [{ bearer: [] }, { session: [], csrf: [] }],
    paths,
    components: {
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer' },
        session: { type: 'apiKey', in: 'cookie', name: 'parley' },
        csrf: {
          type: 'apiKey',
          in: 'header',
          name: 'X-CSRF-Token',
          description: 'Needed with the session cookie for every change.',
        },
      },
      schemas: { Problem: problem },
    },
  }
}

const problem = {
  type: 'object',
  description: 'RFC 9457',
  required: ['type', 'title', 'status', 'code', 'detail', 'request_id'],
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    code: { type: 'string', description: 'stable' },
    detail: { type: 'string' },
    request_id: { type: 'string' },
    faults: {
      type: 'array',
      items: {
        type: 'object',
        required: ['field', 'message'],
        properties: { field: { type: 'string' }, message: { type: 'string' } },
      },
    },
  },
}

function describeRoute(route: Route): Json {
  const body = bodyOf(route)
  return {
    operationId: `${route.method}${route.path.replace(/[:/]+(\w)/g, (_, letter: string) => letter.toUpperCase())}`,
    tags: [route.tag],
    summary: route.summary,
    ...(route.permission === 'public' && { security: [] }),
    'x-permission': route.permission,
    ...(route.isSensitive && {
      description: 'With the session cookie, only within ten minutes after the password was given (`PATCH /session`).',
    }),
    parameters: [
      ...parametersOf(route.params, 'path'),
      ...parametersOf(route.query, 'query'),
      ...(route.method === 'post'
        ? [
            {
              name: 'Idempotency-Key',
              in: 'header',
              required: false,
              schema: { type: 'string', maxLength: 200 },
              description: 'The same key again gives the first answer again.',
            },
          ]
        : []),
    ],
    ...(body !== undefined && { requestBody: body }),
    responses: {
      [String(route.status)]: {
        description: route.status === 204 ? 'Done.' : 'The answer.',
        ...(route.answer !== undefined && {
          content: { [route.contentType]: { schema: schemaOf(route.answer, 'output') } },
        }),
        ...(route.answer === undefined &&
          route.contentType !== 'application/json' && { content: { [route.contentType]: {} } }),
      },
      default: {
        description: 'A refusal.',
        content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
      },
    },
  }
}

function bodyOf(route: Route): Json | undefined {
  if (route.reads === 'stream') {
    const file = { schema: { type: 'string', format: 'binary' } }
    const form = { schema: { type: 'object', properties: { file: { type: 'string', format: 'binary' } } } }
    return { required: true, content: { 'application/octet-stream': file, 'multipart/form-data': form } }
  }
  if (route.body === undefined) return undefined
  return { required: true, content: { 'application/json': { schema: schemaOf(route.body, 'input') } } }
}

function parametersOf(schema: z.ZodType, place: 'path' | 'query'): Json[] {
  if (!(schema instanceof z.ZodObject)) return []
  const shape: Readonly<Record<string, z.ZodType>> = schema.shape
  return Object.entries(shape).map(([name, field]) => ({
    name,
    in: place,
    required: place === 'path',
    ...(field.description !== undefined && { description: field.description }),
    schema: schemaOf(field, 'input'),
  }))
}

function schemaOf(schema: z.core.$ZodType, io: 'input' | 'output'): Json {
  const { $schema: _version, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any', target: 'draft-2020-12' })
  return rest
}
