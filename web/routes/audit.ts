/** The audit log: who did what, from where, and what it changed. */
import { z } from 'zod'
import { auditEntryShape, chainShape, presentAuditEntry } from '../presenters/people.ts'
import { page } from '../presenters/shapes.ts'
import { limitField, route } from '../route.ts'

const instant = z.iso.datetime({ offset: true }).optional()
const number = z
  .string()
  .regex(/^\d{1,15}$/, 'This is no cursor of this list.')
  .transform(Number)

export const auditRoutes = [
  route({
    method: 'get',
    path: '/audit',
    tag: 'audit',
    summary: 'What was done, the newest first',
    permission: 'audit.read',
    query: z.strictObject({
      limit: limitField,
      cursor: number.optional(),
      actor: z.string().max(64).optional().describe('the id of a user'),
      action: z
        .string()
        .regex(/^[a-z_.]{1,60}$/, 'Expected an action such as role.changed, or its first word.')
        .optional(),
      since: instant,
      until: instant,
    }),
    answer: page(auditEntryShape),
    async handle({ query }, { storage, asker }) {
      const rows = await storage.audit.list(storage.fresh, asker.accountId, {
        actorId: query.actor,
        action: query.action,
        since: query.since === undefined ? undefined : new Date(query.since),
        until: query.until === undefined ? undefined : new Date(query.until),
        before: query.cursor,
        limit: query.limit + 1,
      })
      const items = rows.slice(0, query.limit)
      const last = items.at(-1)
      return {
        items: items.map(presentAuditEntry),
        next_cursor: rows.length > query.limit && last !== undefined ? String(last.sequence) : null,
      }
    },
  }),
  route({
    method: 'get',
    path: '/audit/verify',
    tag: 'audit',
    summary: 'Read the whole log and look whether an entry was changed or removed',
    permission: 'audit.read',
    answer: chainShape,
    async handle(_input, { storage, asker }) {
      const state = await storage.audit.verify(storage.primary, asker.accountId)
      return {
        is_whole: state.isWhole,
        count: state.count,
        broken_at: state.brokenAt,
        head_hash: state.headHash,
      }
    },
  }),
]
