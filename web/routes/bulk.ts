/** Changes of many conversations at once. */
import { z } from 'zod'
import { mostInBulk, startBulkJob, steerBulkJob } from '../../backend/bulk.ts'
import { resolveWish } from '../../backend/conversation-acts.ts'
import { invalid, notFound } from '../../infra/errors.ts'
import { isId } from '../../infra/ids.ts'
import { filterShape, readFilter, withView } from '../conversation-filter.ts'
import { pageOf, readCursor } from '../cursor.ts'
import { bulkShape, presentBulk } from '../presenters/inbox.ts'
import type { BulkJson } from '../presenters/inbox.ts'
import { page } from '../presenters/shapes.ts'
import { emptyBody, listFields, route } from '../route.ts'
import type { Call } from '../route.ts'
import { careShape, needForCare } from './care.ts'

const params = z.strictObject({ id: z.string() })

export const bulkRoutes = [
  route({
    method: 'post',
    path: '/conversations/bulk',
    tag: 'bulk',
    summary: 'Change many conversations: all that a filter finds now, or these',
    permission: 'conversations.bulk',
    body: z.strictObject({
      ids: z.array(z.string().max(64)).min(1).max(1_000).optional(),
      filter: filterShape
        .optional()
        .describe(`as GET /conversations takes it; at most ${String(mostInBulk)} are found`),
      view: z.string().max(64).optional(),
      change: careShape.describe('as PATCH /conversations/:id takes it'),
    }),
    answer: bulkShape,
    status: 202,
    async handle({ body }, call) {
      const { storage, asker, effectId } = call
      const { ids, filter, view, change } = body
      if ((ids === undefined) === (filter === undefined && view === undefined))
        throw invalid([{ field: 'ids', message: 'Please give either ids, or a filter or view.' }])
      if (Object.values(change).every((value) => value === undefined))
        throw invalid([{ field: 'change', message: 'Nothing is to be changed.' }])
      needForCare(asker, change)
      const resolved = await resolveWish(storage, storage.primary, asker.accountId, change, asker.userId)
      const choice =
        ids !== undefined
          ? { ids }
          : {
              filter: {
                ...(await readFilter(await withView(view, filter ?? {}, call), call, storage.primary)),
                limit: mostInBulk,
              },
            }
      await startBulkJob(call, effectId, choice, resolved, change)
      return answerJob(effectId, call)
    },
  }),
  route({
    method: 'get',
    path: '/bulk-jobs',
    tag: 'bulk',
    summary: 'Changes of many conversations, the newest first',
    permission: 'conversations.bulk',
    query: z.strictObject(listFields),
    answer: page(bulkShape),
    async handle({ query }, { storage, asker }) {
      const filter = { before: readCursor(query.cursor), limit: query.limit + 1 }
      const rows = await storage.bulkJobs.list(storage.fresh, asker.accountId, filter)
      const { items, next_cursor } = pageOf(rows, query.limit, ({ createdAt: at, id }) => ({ at, id }))
      return { items: items.map(presentBulk), next_cursor }
    },
  }),
  route({
    method: 'get',
    path: '/bulk-jobs/:id',
    tag: 'bulk',
    summary: 'How far a change of many is',
    permission: 'conversations.bulk',
    params,
    answer: bulkShape,
    handle: ({ params }, call) => answerJob(params.id, call),
  }),
  ...(['undo', 'cancel'] as const).map((to) =>
    route({
      method: 'post',
      path: `/bulk-jobs/:id/${to}`,
      tag: 'bulk',
      summary:
        to === 'undo'
          ? 'Give back what each conversation was, where nobody has changed anything since'
          : 'Stop it; what is done stays, and can be undone',
      permission: 'conversations.bulk',
      params,
      body: emptyBody,
      answer: bulkShape,
      async handle({ params }, call) {
        await steerBulkJob(call, params.id, to)
        return answerJob(params.id, call)
      },
    }),
  ),
]

async function answerJob(id: string, { storage, asker }: Call): Promise<BulkJson> {
  const job = isId(id) ? await storage.bulkJobs.get(storage.fresh, asker.accountId, id) : undefined
  if (job === undefined) throw notFound('job')
  return presentBulk(job)
}
