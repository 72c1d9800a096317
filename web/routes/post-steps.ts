/** The way of a post: review, approval, a time, now, never; and what people decide about it on one channel. */
import { z } from 'zod'
import { stepPost } from '../../backend/post-steps.ts'
import type { StepWish } from '../../backend/post-steps.ts'
import { retryPublication, settlePublication } from '../../backend/publication-steps.ts'
import { notFound } from '../../infra/errors.ts'
import { isId } from '../../infra/ids.ts'
import { plannedPostShape } from '../presenters/post-shapes.ts'
import type { PlannedPostJson } from '../presenters/post-shapes.ts'
import { emptyBody, route } from '../route.ts'
import type { Call } from '../route.ts'
import { answerPost, instantField, needPost, postActor } from './posts.ts'

const params = z.strictObject({ id: z.string() })
const reasonField = z.string().trim().min(1).max(500)
const own = { method: 'post', tag: 'posts', params, answer: plannedPostShape } as const

export const postStepRoutes = [
  route({
    ...own,
    path: '/posts/:id/submit',
    summary: 'Submit a draft for review',
    permission: 'posts.write',
    body: emptyBody,
    handle: ({ params }, call) => step(params.id, call, { type: 'submit' }),
  }),
  route({
    ...own,
    path: '/posts/:id/approve',
    summary: 'Approve a post; with a time of its own or given here it is scheduled',
    permission: 'posts.approve',
    body: z
      .strictObject({
        at: instantField.optional(),
        version: z
          .number()
          .int()
          .optional()
          .describe('what you have read; 409 `changed_meanwhile` if it is another by now'),
      })
      .optional(),
    handle: ({ params, body }, call) =>
      step(params.id, call, { type: 'approve', at: body?.at, version: body?.version }),
  }),
  route({
    ...own,
    path: '/posts/:id/reject',
    summary: 'Send a post back to its author, with a reason; the author may take it back',
    permission: 'posts.read',
    body: z.strictObject({ reason: reasonField }),
    handle: ({ params, body }, call) => step(params.id, call, { type: 'reject', reason: body.reason }),
  }),
  route({
    ...own,
    path: '/posts/:id/schedule',
    summary: 'Have a post published at a time',
    permission: 'posts.publish',
    body: z
      .strictObject({ publish_at: instantField.optional().describe('default: the time that the post has') })
      .optional(),
    handle: ({ params, body }, call) => step(params.id, call, { type: 'schedule', at: body?.publish_at }),
  }),
  route({
    ...own,
    path: '/posts/:id/publish',
    summary: 'Publish a post now',
    permission: 'posts.publish',
    body: emptyBody,
    handle: ({ params }, call) => step(params.id, call, { type: 'publish' }),
  }),
  route({
    ...own,
    path: '/posts/:id/cancel',
    summary: 'Call a post off; what has left stays published. Whoever may publish, or its author',
    permission: 'posts.read',
    body: z.strictObject({ reason: reasonField.optional() }).optional(),
    handle: ({ params, body }, call) => step(params.id, call, { type: 'cancel', reason: body?.reason }),
  }),
  route({
    ...own,
    path: '/publications/:id/retry',
    summary: 'Publish on one channel what failed, was left out or whose fate nobody could tell',
    permission: 'posts.publish',
    body: emptyBody,
    async handle({ params }, call) {
      const postId = await needPublication(params.id, call)
      await retryPublication(call.storage, call.asker.accountId, params.id, postActor(call))
      return answerPost(postId, call)
    },
  }),
  route({
    ...own,
    path: '/publications/:id/settle',
    summary: 'Say whether a post of an unknown outcome is on the network',
    permission: 'posts.publish',
    body: z.strictObject({
      arrived: z.boolean(),
      external_id: z.string().min(1).max(190).optional().describe("the network's id of it"),
    }),
    async handle({ params, body }, call) {
      const postId = await needPublication(params.id, call)
      await settlePublication(call.storage, call.asker.accountId, params.id, postActor(call), {
        arrived: body.arrived,
        externalId: body.external_id,
      })
      return answerPost(postId, call)
    },
  }),
]

async function step(id: string, call: Call, wish: StepWish): Promise<PlannedPostJson> {
  await needPost(id, call)
  await stepPost(call.storage, call.asker.accountId, id, postActor(call), wish)
  return answerPost(id, call)
}

/** The id of its post. @throws Problem 404 */
async function needPublication(id: string, call: Call): Promise<string> {
  const { storage, asker } = call
  const publication = isId(id) ? await storage.publications.get(storage.primary, asker.accountId, id) : undefined
  if (publication === undefined) throw notFound('publication')
  await needPost(publication.plannedPostId, call)
  return publication.plannedPostId
}
