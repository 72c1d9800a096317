/** Posts that are planned here: composed, previewed, changed; their way to the networks is in `post-steps.ts`. */
import { z } from 'zod'
import { checkPost } from '../../backend/post-checks.ts'
import { fault } from '../../backend/post-content.ts'
import type { PostContent } from '../../backend/post-checks.ts'
import type { PostActor } from '../../backend/post-steps.ts'
import { changePost, createPost, removePost } from '../../backend/posts.ts'
import { invalid, notFound } from '../../infra/errors.ts'
import { isId } from '../../infra/ids.ts'
import { covers } from '../../storage/index.ts'
import type { PlannedPost, Reader } from '../../storage/index.ts'
import { latePolicies, mostChannels, mostFiles, mostTextLength, plannedStates } from '../../storage/model/posts.ts'
import { pageOf, readCursor } from '../cursor.ts'
import { presentCheck, presentPlannedPosts } from '../presenters/planned-post.ts'
import { channelCheckShape, plannedPostShape, postStepShape } from '../presenters/post-shapes.ts'
import type { PlannedPostJson } from '../presenters/post-shapes.ts'
import { page } from '../presenters/shapes.ts'
import { listFields, route } from '../route.ts'
import type { Call } from '../route.ts'
import { postSettingsRoutes } from './post-settings.ts'

/** An instant with its offset. */
export const instantField = z.iso
  .datetime({ offset: true, error: 'Expected an instant such as 2027-03-01T09:30:00Z.' })
  .transform((text) => new Date(text))

const fileField = z
  .strictObject({ document_id: z.string().max(64), alt_text: z.string().max(1_000).nullish() })
  .transform(({ document_id, alt_text }) => ({ documentId: document_id, altText: alt_text ?? null }))
const filesField = z.array(fileField).max(mostFiles)
const textField = z.string().max(mostTextLength)
const channelField = z
  .strictObject({
    channel_id: z.string().max(64),
    text: textField.nullish().describe('in place of the common one'),
    files: filesField.nullish().describe('in place of the common ones'),
  })
  .transform(({ channel_id, text, files }) => ({ channelId: channel_id, text: text ?? null, files: files ?? null }))

const contentFields = {
  text: textField.optional(),
  link: z
    .url({ protocol: /^https?$/ })
    .max(2_000)
    .nullish(),
  files: filesField.optional(),
  channels: z.array(channelField).max(mostChannels).optional(),
  channel_ids: z.array(z.string().max(64)).max(mostChannels).optional().describe('`channels` that say what is common'),
}
const timeFields = { publish_at: instantField.nullish(), late_policy: z.enum(latePolicies).optional() }
type ContentBody = z.output<z.ZodObject<typeof contentFields>>

export const postRoutes = [
  route({
    method: 'get',
    path: '/posts',
    tag: 'posts',
    summary: 'Posts that are planned here: with `from` or `to` by their time, for a calendar; else the newest first',
    permission: 'posts.read',
    query: z.strictObject({
      ...listFields,
      state: z.enum(plannedStates).optional(),
      channel_id: z.string().max(64).optional(),
      from: instantField.optional(),
      to: instantField.optional(),
    }),
    answer: page(plannedPostShape),
    async handle({ query }, call) {
      const { storage, asker } = call
      if (query.channel_id !== undefined && !isId(query.channel_id)) return { items: [], next_cursor: null }
      const isByTime = query.from !== undefined || query.to !== undefined
      const rows = await storage.plannedPosts.list(storage.fresh, asker.accountId, {
        limit: query.limit + 1,
        scope: asker.scope,
        state: query.state,
        channelId: query.channel_id,
        from: query.from,
        to: query.to,
        beyond: readCursor(query.cursor),
      })
      const { items, next_cursor } = pageOf(rows, query.limit, (row) => ({
        at: (isByTime ? row.publishAt : null) ?? row.createdAt,
        id: row.id,
      }))
      return {
        items: await presentPlannedPosts(storage, storage.fresh, asker.accountId, postActor(call), items, false),
        next_cursor,
      }
    },
  }),
  route({
    method: 'post',
    path: '/posts',
    tag: 'posts',
    summary: 'Compose a post: a draft, or on its way at once',
    permission: 'posts.write',
    body: z.strictObject({
      ...contentFields,
      ...timeFields,
      state: z
        .enum(['draft', 'in_review', 'scheduled', 'publishing'])
        .optional()
        .describe('how far it goes at once; default: `draft`, or with a time `scheduled` if you may, else `in_review`'),
    }),
    answer: plannedPostShape,
    status: 201,
    async handle({ body }, call) {
      const { storage, asker } = call
      const wish = {
        id: call.effectId,
        accountId: asker.accountId,
        publishAt: body.publish_at ?? null,
        latePolicy: body.late_policy ?? 'publish_late',
        state: body.state,
      } as const
      await createPost(storage, postActor(call), {
        ...wish,
        text: '',
        link: null,
        files: [],
        channels: [],
        ...contentOfBody(body),
      })
      return answerPost(call.effectId, call)
    },
  }),
  route({
    method: 'post',
    path: '/posts/check',
    tag: 'posts',
    summary:
      'How each channel would take a post: its length by the counting of the network, and what is wrong; nothing is saved',
    permission: 'posts.write',
    body: z.strictObject({
      ...contentFields,
      post_id: z.string().max(64).optional().describe('the post that is being edited'),
    }),
    answer: z.object({ channels: z.array(channelCheckShape) }),
    async handle({ body: { post_id, ...body } }, { storage, asker }) {
      const content = { text: '', link: null, files: [], channels: [], ...contentOfBody(body) }
      const isThere = (id: string) =>
        isId(id) && covers({ ...asker.scope, teamIds: null }, { channelId: id, teamId: null })
      if (!content.channels.every(({ channelId }) => isThere(channelId))) throw noSuchChannel()
      const own = post_id !== undefined && isId(post_id) ? post_id : undefined
      const checks = await checkPost(storage, storage.fresh, asker.accountId, content, own)
      if (checks.some(({ channel }) => channel === undefined)) throw noSuchChannel()
      return { channels: checks.map((check) => presentCheck(check, content.link)) }
    },
  }),
  ...postSettingsRoutes,
  route({
    method: 'get',
    path: '/posts/:id',
    tag: 'posts',
    summary: 'One post, with its fate on each channel, its links and how many comments stand below it',
    permission: 'posts.read',
    params: z.strictObject({ id: z.string() }),
    answer: plannedPostShape,
    handle: ({ params }, call) => answerPost(params.id, call),
  }),
  route({
    method: 'get',
    path: '/posts/:id/history',
    tag: 'posts',
    summary: 'Who did what with a post, the oldest first',
    permission: 'posts.read',
    params: z.strictObject({ id: z.string() }),
    answer: z.object({ items: z.array(postStepShape) }),
    async handle({ params }, call) {
      const { storage, asker } = call
      await needPost(params.id, call)
      const [steps, users] = await Promise.all([
        storage.plannedPosts.historyOf(storage.fresh, asker.accountId, params.id),
        storage.users.list(storage.fresh, asker.accountId),
      ])
      const items = steps.map(({ step, userId, fromState, toState, detail, at }) => {
        const user = users.find(({ id }) => id === userId)
        return {
          step,
          by: user === undefined ? null : { id: user.id, name: user.name },
          from_state: fromState,
          to_state: toState,
          detail,
          at: at.toISOString(),
        }
      })
      return { items }
    },
  }),
  route({
    method: 'patch',
    path: '/posts/:id',
    tag: 'posts',
    summary: 'Change a post; what was approved goes back to review when its content changes',
    permission: 'posts.write',
    params: z.strictObject({ id: z.string() }),
    body: z.strictObject({
      ...contentFields,
      ...timeFields,
      version: z.number().int().optional().describe('409 `changed_meanwhile` if it is another by now'),
    }),
    answer: plannedPostShape,
    async handle({ params, body: { version, publish_at, late_policy, ...body } }, call) {
      await needPost(params.id, call)
      await changePost(call.storage, call.asker.accountId, params.id, postActor(call), version, {
        ...contentOfBody(body),
        ...(publish_at !== undefined && { publishAt: publish_at }),
        ...(late_policy !== undefined && { latePolicy: late_policy }),
      })
      return answerPost(params.id, call)
    },
  }),
  route({
    method: 'delete',
    path: '/posts/:id',
    tag: 'posts',
    summary: 'Take a post away that nobody outside has seen; one on its way is cancelled',
    permission: 'posts.write',
    params: z.strictObject({ id: z.string() }),
    async handle({ params }, call) {
      await needPost(params.id, call)
      await removePost(call.storage, call.asker.accountId, params.id, postActor(call))
    },
  }),
]

/** What is given of it; the rest stays as it is. */
function contentOfBody({ text, link, files, channels, channel_ids }: ContentBody): Partial<PostContent> {
  if (channels !== undefined && channel_ids !== undefined)
    throw invalid([{ field: 'channel_ids', message: 'Either `channels` or `channel_ids`.' }])
  const named = channels ?? channel_ids?.map((channelId) => ({ channelId, text: null, files: null }))
  return {
    ...(text !== undefined && { text }),
    ...(link !== undefined && { link }),
    ...(files !== undefined && { files }),
    ...(named !== undefined && { channels: named }),
  }
}

/** The asker as the verbs of posts know them. */
export const postActor = ({ asker, actor }: Call): PostActor => ({
  by: actor,
  userId: asker.userId,
  mayWrite: asker.permissions.has('posts.write'),
  mayApprove: asker.permissions.has('posts.approve'),
  mayPublish: asker.permissions.has('posts.publish'),
  scope: asker.scope,
})

/** @throws Problem 404, also for a post on channels that the asker is not let into */
export async function needPost(
  id: string,
  { storage, asker }: Call,
  reader: Reader = storage.primary,
): Promise<PlannedPost> {
  const post = isId(id) ? await storage.plannedPosts.get(reader, asker.accountId, id, asker.scope) : undefined
  if (post === undefined) throw notFound('post')
  return post
}

/** One post as the asker sees it now. @throws Problem 404 */
export async function answerPost(id: string, call: Call): Promise<PlannedPostJson> {
  const { storage, asker } = call
  const post = await needPost(id, call, storage.fresh)
  const [presented] = await presentPlannedPosts(storage, storage.fresh, asker.accountId, postActor(call), [post], true)
  if (presented === undefined) throw notFound('post')
  return presented
}

const noSuchChannel = () => fault('no_such_channel', 'channels', 'There is no such channel.')
