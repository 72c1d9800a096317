/** Nobody answers twice, nobody waits unseen: who is there, what they have begun to write, and who is given what. */
import { z } from 'zod'
import { changeAssignment } from '../../backend/assignment-settings.ts'
import { DraftChanged, putDraft } from '../../backend/drafts.ts'
import { giveBack, takeOldest } from '../../backend/take.ts'
import { conflict, notFound } from '../../infra/errors.ts'
import type { Draft, DraftKey } from '../../storage/index.ts'
import { conversationStatuses, outboundKinds } from '../../storage/model/words.ts'
import { need } from '../admit.ts'
import { presentConversations } from '../presenters/conversation.ts'
import { conversationShape, page } from '../presenters/shapes.ts'
import {
  assignmentSettingsShape,
  assignmentWayField,
  draftMarkShape,
  draftShape,
  hereShape,
  presentAssignment,
  presentDraft,
  presentDraftMark,
} from '../presenters/together.ts'
import type { DraftJson } from '../presenters/together.ts'
import { limitField, Reply, route } from '../route.ts'
import type { Call } from '../route.ts'

const params = z.strictObject({ id: z.string() })
const mostAsked = 200
const draftAnswer = z.object({ draft: draftShape.nullable().describe('null: there is none') })

export const togetherRoutes = [
  route({
    method: 'post',
    path: '/presence',
    tag: 'presence',
    summary: 'What this tab of yours shows: told when it changes and every 5 s; forgotten after 15 s without a word',
    permission: 'conversations.read',
    body: z.strictObject({
      conversation_id: z.string().max(64).nullable().describe('null: none'),
      typing: z.enum(outboundKinds).nullable().optional().describe('what is being written there'),
      is_away: z.boolean().optional().describe('nobody has touched it for a while'),
      tab: z.string().max(40).optional().describe('a name of the tab, where there may be several'),
    }),
    async handle({ body }, { asker, parts }) {
      await parts.presence.note(asker, {
        tab: body.tab ?? '',
        conversationId: body.conversation_id,
        typing: body.conversation_id === null ? null : (body.typing ?? null),
        isAway: body.is_away ?? false,
      })
      return undefined
    },
  }),
  route({
    method: 'get',
    path: '/presence',
    tag: 'presence',
    summary: 'Who is there and looks at what; changes come as `presence` in the live stream',
    permission: 'conversations.read',
    query: z.strictObject({
      conversation_ids: z
        .string()
        .max(mostAsked * 37)
        .optional()
        .describe('only who looks at one of these, with commas in between'),
    }),
    answer: page(hereShape),
    async handle({ query }, { asker, parts }) {
      const here = await parts.presence.here(asker)
      if (query.conversation_ids === undefined) return { items: here, next_cursor: null }
      const asked = new Set(query.conversation_ids.split(','))
      const items = here
        .map((each) => ({ ...each, viewing: each.viewing.filter((view) => asked.has(view.conversation_id)) }))
        .filter(({ viewing }) => viewing.length > 0)
      return { items, next_cursor: null }
    },
  }),
  route({
    method: 'get',
    path: '/drafts',
    tag: 'drafts',
    summary: 'Where you have begun to write, the newest first',
    permission: 'conversations.read',
    query: z.strictObject({ limit: limitField }),
    answer: page(draftMarkShape),
    async handle({ query }, { storage, asker }) {
      const marks = await storage.drafts.list(storage.fresh, asker.accountId, asker.userId, query.limit)
      return { items: marks.map(presentDraftMark), next_cursor: null }
    },
  }),
  route({
    method: 'get',
    path: '/conversations/:id/draft',
    tag: 'drafts',
    summary: 'What you have begun to write here; nobody else sees it',
    permission: 'conversations.read',
    params,
    answer: draftAnswer,
    async handle({ params }, call) {
      const key = await draftKey(params.id, call)
      return { draft: await presented(await call.storage.drafts.get(call.storage.fresh, key), call) }
    },
  }),
  route({
    method: 'put',
    path: '/conversations/:id/draft',
    tag: 'drafts',
    summary: 'Keep what you have begun to write; without text and files, there is no draft any more',
    permission: 'conversations.read',
    params,
    body: z.strictObject({
      kind: z.enum(outboundKinds),
      text: z.string().max(100_000).default(''),
      attachment_ids: z.array(z.string().max(64)).max(50).default([]).describe('documents of POST /documents'),
      in_reply_to: z.string().max(190).nullable().optional(),
      version: z
        .int()
        .min(0)
        .optional()
        .describe('what you saw, 0 for none: if another tab has changed it since, it stays (409 `draft_changed`)'),
    }),
    answer: draftAnswer,
    async handle({ params, body }, call) {
      const key = await draftKey(params.id, call)
      const wish = {
        kind: body.kind,
        text: body.text,
        inReplyTo: body.in_reply_to ?? null,
        documentIds: body.attachment_ids,
      }
      try {
        const draft = await putDraft(call.storage, key, wish, body.version)
        call.parts.presence.noteDraft(call.asker, key.conversationId, draft?.version ?? null)
        return { draft: await presented(draft, call) }
      } catch (error) {
        if (!(error instanceof DraftChanged)) throw error
        throw conflict('draft_changed', 'You have changed this draft in another tab.', {
          now: await presented(error.now, call),
        })
      }
    },
  }),
  route({
    method: 'delete',
    path: '/conversations/:id/draft',
    tag: 'drafts',
    summary: 'Discard what you have begun to write',
    permission: 'conversations.read',
    params,
    async handle({ params }, call) {
      const { storage, asker, parts } = call
      const key = await draftKey(params.id, call)
      if (await storage.write((tx) => storage.drafts.remove(tx, key)))
        parts.presence.noteDraft(asker, key.conversationId, null)
      return undefined
    },
  }),
  route({
    method: 'post',
    path: '/conversations/take',
    tag: 'assignment',
    summary: 'Take the conversation that has waited longest and that nobody has; 204: none waits',
    permission: 'conversations.reply',
    body: z
      .strictObject({
        team: z.string().max(64).optional().describe('the id of a team, or `none`; left out: any'),
        channel_id: z.string().max(64).optional(),
      })
      .default({}),
    answer: conversationShape,
    async handle({ body }, call) {
      const { storage, asker } = call
      const id = await takeOldest(call, {
        teamId: body.team === 'none' ? null : body.team,
        channelId: body.channel_id,
      })
      if (id === undefined) return new Reply(204, undefined as never)
      const conversation = await storage.conversations.shown(storage.fresh, asker.accountId, id)
      const [shown] =
        conversation === undefined
          ? []
          : await presentConversations(storage, storage.fresh, asker.accountId, [conversation])
      if (shown === undefined) throw notFound('conversation')
      return shown
    },
  }),
  route({
    method: 'post',
    path: '/users/:id/reassign',
    tag: 'assignment',
    summary: 'Give back what someone has, as when they are away: it waits for whoever has a place',
    permission: 'conversations.assign',
    params,
    body: z
      .strictObject({ statuses: z.array(z.enum(conversationStatuses)).min(1).max(4).default(['open']) })
      .default({ statuses: ['open'] }),
    answer: z.object({ count: z.int().describe('how many') }),
    async handle({ params, body }, call) {
      if (params.id !== call.asker.userId) need(call.asker, 'users.read')
      return { count: await giveBack(call, params.id, [...new Set(body.statuses)]) }
    },
  }),
  route({
    method: 'get',
    path: '/assignment',
    tag: 'assignment',
    summary: 'How conversations of no team are given out; teams say so themselves',
    permission: 'users.read',
    answer: assignmentSettingsShape,
    handle: async (_input, { storage, asker }) =>
      presentAssignment(await storage.assignments.settings(storage.fresh, asker.accountId)),
  }),
  route({
    method: 'patch',
    path: '/assignment',
    tag: 'assignment',
    summary: 'Change how conversations of no team are given out, and whether people go offline by themselves',
    permission: 'teams.manage',
    body: z.strictObject({ assignment: assignmentWayField.optional(), goes_offline: z.boolean().optional() }),
    answer: assignmentSettingsShape,
    async handle({ body }, call) {
      const after = await changeAssignment(call, { assignment: body.assignment, goesOffline: body.goes_offline })
      return presentAssignment(after)
    },
  }),
]

/** @throws Problem 404 for a conversation that the asker does not see */
async function draftKey(id: string, { storage, asker }: Call): Promise<DraftKey> {
  const conversation = await storage.conversations.get(storage.fresh, asker.accountId, id, asker.scope)
  if (conversation === undefined) throw notFound('conversation')
  return { accountId: asker.accountId, userId: asker.userId, conversationId: conversation.id }
}

async function presented(draft: Draft | undefined, { storage, asker }: Call): Promise<DraftJson | null> {
  if (draft === undefined) return null
  return presentDraft(draft, await storage.documents.getMany(storage.fresh, asker.accountId, draft.documentIds))
}
