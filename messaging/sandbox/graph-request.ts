/** A call of the Graph API, taken apart: whatever carried its parameters, query, JSON, form or multipart. */
import { fieldsOf, readJson, textOf } from '../connectors/reading.ts'
import type { Fields } from '../connectors/reading.ts'
import type { Request } from './http.ts'
import { baseOf } from './media.ts'
import { readForm } from './multipart.ts'

/** A file that came with the call. */
export interface SentFile {
  readonly field: string
  readonly name: string
  readonly contentType: string
  readonly data: Buffer
}

export interface GraphRequest {
  readonly method: string
  readonly id: string
  readonly edge: string
  readonly parameters: Fields
  readonly base: string
  readonly file: SentFile | undefined
}

/** Where the call goes and what it says beside a multipart body. */
export function takeApart(request: Request): GraphRequest {
  const [id = '', ...rest] = request.path
    .replace(/^\/v\d+\.\d+(?=\/|$)/, '')
    .split('/')
    .filter((part) => part !== '')
    .map(decode)
  const parameters = { ...Object.fromEntries(request.url.searchParams), ...readParameters(request) }
  return { method: request.method, id, edge: rest.join('/'), parameters, base: baseOf(request), file: undefined }
}

/** The same with the multipart body, if it has one. A broken one says nothing. */
export async function takeWholeApart(request: Request): Promise<GraphRequest> {
  const call = takeApart(request)
  const form = await readForm(request)
  const texts: Record<string, string> = {}
  let file: SentFile | undefined
  for (const [field, value] of form)
    if (typeof value === 'string') texts[field] = value
    else file = { field, name: value.name, contentType: value.type, data: Buffer.from(await value.arrayBuffer()) }
  return { ...call, parameters: { ...call.parameters, ...texts }, file }
}

/** A parameter that is an object or a list, or the JSON of one. */
export const jsonOf = (value: unknown): unknown => (typeof value === 'string' ? readJson(value) : value)

export const tokenOf = (request: Request): string =>
  /^(?:Bearer|OAuth) (.+)$/i.exec(request.headers.authorization ?? '')?.[1] ??
  request.url.searchParams.get('access_token') ??
  textOf(readParameters(request).access_token) ??
  ''

function decode(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

function readParameters(request: Request): Fields {
  const type = request.headers['content-type'] ?? ''
  if (type.includes('multipart/form-data')) return {}
  if (type.includes('application/x-www-form-urlencoded'))
    return Object.fromEntries(new URLSearchParams(request.body.toString('utf8')))
  return fieldsOf(readJson(request.body))
}
