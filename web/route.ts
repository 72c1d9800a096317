/**
 * A route says everything about itself: where it stands, who may call it, what goes in, what comes out. Express and the
 * OpenAPI document are both made of it.
 */
import type { Request, Response } from 'express'
import { z } from 'zod'
import type { Config } from '../infra/config.ts'
import { invalid } from '../infra/errors.ts'
import type { FieldFault } from '../infra/errors.ts'
import type { Logger } from '../infra/logger.ts'
import type { Broker } from '../messaging/broker/contract.ts'
import type { Actor, Position, Scope, Storage } from '../storage/index.ts'
import type { Permission } from '../storage/model/permissions.ts'
import type { Auth, Identity } from './auth.ts'
import type { Limiter } from './limits.ts'
import type { ListCache } from './list-cache.ts'
import type { Live } from './live.ts'
import type { Presence } from './presence.ts'

/** Who is asking. */
export interface Asker {
  readonly userId: string
  readonly accountId: string
  readonly role: string
  /** What they may do, by role, limits and token. */
  readonly permissions: ReadonlySet<Permission>
  /** To which channels and teams they are limited: every list and every row that belongs to one is asked for with it. */
  readonly scope: Scope
}

/** The permission that a route needs · `none`: any user, for what is their own · `public`: nobody needs to be known. */
export type Need = Permission | 'none' | 'public'

/** The parts of a web node that some routes use. */
export interface RouteParts {
  readonly auth: Auth
  readonly live: Live
  readonly lists: ListCache
  readonly presence: Presence
  /** For what is handed on at once or never; all else is written down first. */
  readonly broker: Pick<Broker, 'publish'>
  /** Count failed attempts to sign in. */
  readonly signInLimiters: { readonly byAddress: Limiter; readonly byEmail: Limiter }
}

/** What every handler gets beside its parsed input. `storage` sees the asker's own writes. */
export interface Call {
  readonly config: Config
  readonly logger: Logger
  readonly storage: Storage
  /** Throws on a public route that nobody has signed in for; elsewhere it is always there. */
  readonly asker: Asker
  /** The asker as the audit log names them: who, by what, from where. */
  readonly actor: Actor
  readonly identity: Identity | undefined
  /** How far the asker must see; moves with what is written here. */
  readonly position: Position
  readonly parts: RouteParts
  /** The id for what this request makes: the same for every repetition under one Idempotency-Key. */
  readonly effectId: string
  readonly request: Request
  readonly response: Response
}

/** Answer with another status than the route's own. */
export class Reply<Body> {
  readonly status: number
  readonly body: Body

  constructor(status: number, body: Body) {
    this.status = status
    this.body = body
  }
}

/** The handler has answered by itself (streams, files). */
export const answered = Symbol('answered')

export type Method = 'get' | 'post' | 'put' | 'patch' | 'delete'

/** `params` are the path's names, each a string. */
export interface Definition<Params extends z.ZodType, Query extends z.ZodType, Body extends z.ZodType, Answer> {
  readonly method: Method
  /** Below /api/v1, with express's names: `/apps/:id`. */
  readonly path: string
  readonly tag: string
  readonly summary: string
  readonly permission: Need
  /** A sensitive act: someone in a browser must have given the password within the last ten minutes. */
  readonly isSensitive?: boolean
  /** Open also to someone who must set up a second factor first. */
  readonly isBeforeTotp?: boolean
  /** The answer shows a secret, once: it is not kept for repetitions under one Idempotency-Key but sealed. */
  readonly showsSecret?: boolean
  readonly params?: Params
  readonly query?: Query
  readonly body?: Body
  /** `stream`: the handler reads the body itself. */
  readonly reads?: 'json' | 'stream'
  /** Shape of the answer; absent: no content, or not JSON. */
  readonly answer?: z.ZodType<Answer>
  /** Default 200, or 204 without an answer. */
  readonly status?: number
  /** Content type of an answer that is not JSON. */
  readonly contentType?: string
  readonly handle: (
    input: { params: z.output<Params>; query: z.output<Query>; body: z.output<Body> },
    call: Call,
  ) => Promise<Answer | Reply<Answer> | typeof answered>
}

/** A definition whose types have been put away: `run` parses and handles. */
export interface Route {
  readonly method: Method
  readonly path: string
  readonly tag: string
  readonly summary: string
  readonly permission: Need
  readonly isSensitive: boolean
  readonly isBeforeTotp: boolean
  readonly showsSecret: boolean
  readonly params: z.ZodType
  readonly query: z.ZodType
  readonly body: z.ZodType | undefined
  readonly reads: 'json' | 'stream'
  readonly answer: z.ZodType | undefined
  readonly status: number
  readonly contentType: string
  run(input: { params: unknown; query: unknown; body: unknown }, call: Call): Promise<Reply<unknown> | typeof answered>
}

const nothing = z.strictObject({})

/** Closes a definition into a route. */
export function route<
  Answer = undefined,
  Params extends z.ZodType = typeof nothing,
  Query extends z.ZodType = typeof nothing,
  Body extends z.ZodType = z.ZodType<undefined>,
>(definition: Definition<Params, Query, Body, Answer>): Route {
  const status = definition.status ?? (definition.answer === undefined ? 204 : 200)
  const names = [...definition.path.matchAll(/:(\w+)/g)].map(([, name]) => name ?? '')
  const params = definition.params ?? z.strictObject(Object.fromEntries(names.map((name) => [name, z.string()])))
  const query = definition.query ?? nothing
  return {
    method: definition.method,
    path: definition.path,
    tag: definition.tag,
    summary: definition.summary,
    permission: definition.permission,
    isSensitive: definition.isSensitive ?? false,
    isBeforeTotp: definition.isBeforeTotp ?? false,
    showsSecret: definition.showsSecret ?? false,
    params,
    query,
    body: definition.body,
    reads: definition.reads ?? 'json',
    answer: definition.answer,
    status,
    contentType: definition.contentType ?? 'application/json',
    async run(raw, call) {
      const faults: FieldFault[] = []
      const input = {
        params: parse(params, raw.params, faults) as z.output<Params>,
        query: parse(query, raw.query, faults) as z.output<Query>,
        body: (definition.body === undefined ? undefined : parse(definition.body, raw.body, faults)) as z.output<Body>,
      }
      if (faults.length > 0) throw invalid(faults)
      const result = await definition.handle(input, call)
      if (result === answered) return answered
      return result instanceof Reply ? result : new Reply(status, result)
    },
  }
}

function parse(schema: z.ZodType, raw: unknown, faults: FieldFault[]): unknown {
  const parsed = schema.safeParse(raw)
  if (parsed.success) return parsed.data
  faults.push(...parsed.error.issues.flatMap(faultsOf))
  return undefined
}

/** One fault per field; unknown fields are named one by one. */
function faultsOf(issue: z.core.$ZodIssue): FieldFault[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ field: [...issue.path, key].join('.'), message: 'There is no such field.' }))
  }
  return [{ field: issue.path.join('.') || 'body', message: issue.message }]
}

// ------------------------------------------------------------------------------------------------- what many routes ask

/** `?limit=`: 1 to 200 (default 50). Query values are strings, so a number is spelled. */
export const limitField = z
  .string()
  .regex(/^\d{1,3}$/, 'Expected a number from 1 to 200.')
  .transform(Number)
  .pipe(z.number().int().min(1).max(200))
  .default(50)

/** Body of an action that needs no more words: absent or `{}`. */
export const emptyBody = z.strictObject({}).optional()

/** Fields of every list. */
export const listFields = { limit: limitField, cursor: z.string().max(500).optional() }
