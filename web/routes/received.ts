/** What networks sent, raw, and what became of it. */
import { z } from 'zod'
import { replayReceived } from '../../backend/received.ts'
import { invalid, notFound } from '../../infra/errors.ts'
import type { ReceivedChoice } from '../../storage/index.ts'
import { receivedStates } from '../../storage/model/words.ts'
import { pageOf, readCursor } from '../cursor.ts'
import { presentReceived, presentReceivedEntry } from '../presenters/received.ts'
import { page, receivedEntryShape, receivedShape, replayShape } from '../presenters/shapes.ts'
import type { ReceivedJson } from '../presenters/shapes.ts'
import { emptyBody, listFields, route } from '../route.ts'
import type { Call } from '../route.ts'

const filterId = z.string().max(64).optional()
const instant = z.iso.datetime({ offset: true }).optional()

/** Which rows of the log. */
const choiceFields = {
  app_id: filterId,
  channel_id: filterId,
  state: z.enum(receivedStates).optional(),
  from: instant.describe('received at this instant or later'),
  to: instant.describe('received before this instant'),
  q: z
    .string()
    .trim()
    .min(1)
    .max(190)
    .optional()
    .describe('the beginning of its id, or the whole id of a message that it became: ours or the network’s'),
}

/** Larger bodies are shown by themselves only. */
const smallBytes = 8_192

export const receivedRoutes = [
  route({
    method: 'get',
    path: '/received',
    tag: 'received',
    summary: 'Webhook bodies as they came, the newest first',
    permission: 'received.read',
    query: z.strictObject({
      ...listFields,
      ...choiceFields,
      body: z.enum(['yes', 'no']).default('yes').describe('`no`: leave the bodies out'),
    }),
    answer: page(receivedEntryShape),
    async handle({ query }, { storage, asker }) {
      const before = readCursor(query.cursor)
      const rows = await storage.received.list(storage.fresh, asker.accountId, {
        ...choiceOf(query),
        limit: query.limit + 1,
        before: before && { receivedAt: before.at, id: before.id },
      })
      const { items, next_cursor } = pageOf(rows, query.limit, (row) => ({ at: row.receivedAt, id: row.id }))
      const wanted = query.body === 'no' ? [] : items.filter(({ size }) => size <= smallBytes).map(({ id }) => id)
      const bodies = await storage.received.bodies(storage.fresh, asker.accountId, wanted)
      return { items: items.map((row) => presentReceivedEntry(row, bodies.get(row.id))), next_cursor }
    },
  }),
  route({
    method: 'get',
    path: '/received/:id',
    tag: 'received',
    summary: 'One webhook body, and where to find what it became',
    permission: 'received.read',
    params: z.strictObject({ id: z.string() }),
    answer: receivedShape,
    handle: ({ params }, call) => answerReceived(params.id, call),
  }),
  route({
    method: 'post',
    path: '/received/replay',
    tag: 'received',
    summary: 'Process many again, the newest first, at most 10,000 in one call',
    permission: 'received.replay',
    body: z.strictObject({ filter: z.strictObject(choiceFields) }),
    answer: replayShape,
    status: 202,
    async handle({ body }, { storage, asker, actor }) {
      if (Object.values(body.filter).every((value) => value === undefined))
        throw invalid([{ field: 'filter', message: 'Say which ones: by state, app, channel, time or id.' }])
      const { count, isComplete, nextTo } = await replayReceived(storage, asker.accountId, choiceOf(body.filter), actor)
      return { count, is_complete: isComplete, next_to: nextTo?.toISOString() ?? null }
    },
  }),
  route({
    method: 'post',
    path: '/received/:id/replay',
    tag: 'received',
    summary: 'Process it again; what is there already stays as it is',
    permission: 'received.replay',
    params: z.strictObject({ id: z.string() }),
    body: emptyBody,
    answer: receivedShape,
    status: 202,
    async handle({ params }, call) {
      const { storage, asker } = call
      const isThere = await storage.write((tx) => storage.received.replay(tx, asker.accountId, params.id))
      if (!isThere) throw notFound('received body')
      return answerReceived(params.id, call)
    },
  }),
]

interface Asked {
  readonly app_id?: string | undefined
  readonly channel_id?: string | undefined
  readonly state?: (typeof receivedStates)[number] | undefined
  readonly from?: string | undefined
  readonly to?: string | undefined
  readonly q?: string | undefined
}

const choiceOf = (asked: Asked): ReceivedChoice => ({
  appId: asked.app_id,
  channelId: asked.channel_id,
  state: asked.state,
  from: asked.from === undefined ? undefined : new Date(asked.from),
  to: asked.to === undefined ? undefined : new Date(asked.to),
  text: asked.q,
})

async function answerReceived(id: string, { storage, asker }: Call): Promise<ReceivedJson> {
  const received = await storage.received.get(storage.fresh, asker.accountId, id)
  if (received === undefined) throw notFound('received body')
  const ids = (received.trace ?? []).flatMap((entry) => entry.id ?? [])
  return presentReceived(received, await storage.received.conversationsOf(storage.fresh, asker.accountId, ids))
}
