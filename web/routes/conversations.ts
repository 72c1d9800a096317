/** Conversations: the list, one, its state, and what is said in it. */
import { z } from 'zod'
import { changeConversation } from '../../backend/conversations.ts'
import { invalid, notFound } from '../../infra/errors.ts'
import { isId } from '../../infra/ids.ts'
import { refusal } from '../../messaging/check-content.ts'
import { extrasShape, readExtras } from '../../messaging/extras.ts'
import { addNote, sendReply } from '../../messaging/send.ts'
import { conversationStatuses, outboundKinds } from '../../storage/model/words.ts'
import { covers } from '../../storage/index.ts'
import type { ConversationFilter, Reader } from '../../storage/index.ts'
import { need } from '../admit.ts'
import { askerOf } from '../auth.ts'
import { pageOf, readCursor } from '../cursor.ts'
import { presentConversations } from '../presenters/conversation.ts'
import { presentMessages } from '../presenters/message.ts'
import { noteFiles, noteLength, presentSayable } from '../presenters/sayable.ts'
import { conversationShape, messageShape, page } from '../presenters/shapes.ts'
import type { ConversationJson } from '../presenters/shapes.ts'
import { listFields, route } from '../route.ts'
import type { Call } from '../route.ts'
import { answerMessage } from './messages.ts'

const filterId = z.string().max(64).optional()

export const conversationRoutes = [
  route({
    method: 'get',
    path: '/conversations',
    tag: 'conversations',
    summary: 'Conversations, the newest activity first',
    permission: 'conversations.read',
    query: z.strictObject({
      ...listFields,
      channel_id: filterId,
      contact_id: filterId,
      status: z.enum(conversationStatuses).optional(),
      assignee: z.string().max(64).optional().describe('the id of a user, `me` or `none`'),
      team: filterId,
      label: z.string().max(100).optional().describe('no conversation carries labels yet, so none is found'),
      q: z.string().max(200).optional().describe("part of the contact's name or of the newest message"),
      view: z.enum(['all', 'mine', 'unassigned']).optional(),
    }),
    answer: page(conversationShape),
    async handle({ query }, { storage, asker }) {
      if (query.label !== undefined) return { items: [], next_cursor: null }
      const assigneeId = assigneeOf(query.assignee, query.view, asker.userId)
      const before = readCursor(query.cursor)
      const filter: ConversationFilter = {
        limit: query.limit + 1,
        ...(query.channel_id !== undefined && { channelId: query.channel_id }),
        ...(query.contact_id !== undefined && { contactId: query.contact_id }),
        ...(query.status !== undefined && { status: query.status }),
        ...(assigneeId !== undefined && { assigneeId }),
        ...(query.team !== undefined && { teamId: query.team }),
        ...(query.q !== undefined && query.q !== '' && { q: query.q }),
        ...(before !== undefined && { before: { lastActivityAt: before.at, id: before.id } }),
      }
      const rows = await storage.conversations.list(storage.fresh, asker.accountId, filter, asker.scope)
      const { items, next_cursor } = pageOf(rows, query.limit, (row) => ({ at: row.lastActivityAt, id: row.id }))
      return { items: await presentConversations(storage, storage.fresh, asker.accountId, items), next_cursor }
    },
  }),
  route({
    method: 'get',
    path: '/conversations/:id',
    tag: 'conversations',
    summary: 'One conversation, with what may be said in it now',
    permission: 'conversations.read',
    params: z.strictObject({ id: z.string() }),
    answer: conversationShape,
    handle: ({ params }, call) => answerConversation(params.id, call),
  }),
  route({
    method: 'patch',
    path: '/conversations/:id',
    tag: 'conversations',
    summary: 'Change status or assignee',
    permission: 'conversations.read',
    params: z.strictObject({ id: z.string() }),
    body: z.strictObject({
      status: z.enum(conversationStatuses).optional(),
      assignee_id: z.string().max(64).nullable().optional(),
    }),
    answer: conversationShape,
    async handle({ params, body }, call) {
      const { storage, asker } = call
      if (body.status !== undefined) need(asker, 'conversations.change')
      if (body.assignee_id !== undefined) need(asker, 'conversations.assign')
      const conversation = await needConversation(params.id, call, storage.primary)
      if (body.assignee_id !== undefined) {
        const user =
          body.assignee_id === null
            ? null
            : isId(body.assignee_id)
              ? await storage.users.get(storage.primary, asker.accountId, body.assignee_id)
              : undefined
        if (user === undefined || (user !== null && user.disabledAt !== null))
          throw invalid([{ field: 'assignee_id', message: 'There is no such user.' }])
        if (user !== null && !covers((await askerOf(storage, user, null)).scope, conversation))
          throw invalid([{ field: 'assignee_id', message: 'This user does not see this channel or team.' }])
      }
      await changeConversation(
        storage,
        asker.accountId,
        params.id,
        { status: body.status, assigneeId: body.assignee_id },
        asker.userId,
      )
      return answerConversation(params.id, call)
    },
  }),
  route({
    method: 'get',
    path: '/conversations/:id/messages',
    tag: 'messages',
    summary: 'What was said: the newest page first, each page in the order of time; `next_cursor` leads to older ones',
    permission: 'conversations.read',
    params: z.strictObject({ id: z.string() }),
    query: z.strictObject(listFields),
    answer: page(messageShape),
    async handle({ params, query }, call) {
      const { storage, asker } = call
      await needConversation(params.id, call)
      const before = readCursor(query.cursor)
      const rows = await storage.messages.list(storage.fresh, asker.accountId, {
        conversationId: params.id,
        limit: query.limit + 1,
        ...(before !== undefined && { before: { occurredAt: before.at, id: before.id } }),
      })
      const { items, next_cursor } = pageOf(rows, query.limit, (row) => ({ at: row.occurredAt, id: row.id }))
      return { items: await presentMessages(storage, storage.fresh, asker.accountId, items.reverse()), next_cursor }
    },
  }),
  route({
    method: 'post',
    path: '/conversations/:id/messages',
    tag: 'messages',
    summary: 'Say something: a reply, a public comment, a private reply to a comment, or a note among ourselves',
    permission: 'conversations.read',
    params: z.strictObject({ id: z.string() }),
    body: z.strictObject({
      kind: z.enum(outboundKinds),
      text: z.string().max(100_000).optional(),
      attachment_ids: z.array(z.string().max(64)).max(50).optional().describe('documents of POST /documents'),
      attachments: z
        .array(z.strictObject({ id: z.string().max(64), alt_text: z.string().max(1_000).optional() }))
        .max(50)
        .optional()
        .describe('the same, with what is said to people who do not see the picture'),
      ...extrasShape,
      in_reply_to: z
        .string()
        .max(190)
        .optional()
        .describe('the id of the message that is answered; default: the newest one by the contact'),
      seen: z
        .strictObject({
          message_id: z.string().max(64).optional().describe('the newest message'),
          status: z.enum(conversationStatuses).optional(),
          assignee_id: z.string().max(64).nullable().optional(),
        })
        .optional()
        .describe('what the writer saw: if that has changed meanwhile, nothing is sent (409)'),
      draft_version: z.int().optional().describe('of your draft here: it is gone then, unless changed since'),
      send_at: z.iso.datetime({ offset: true }).optional().describe('when it is to be sent, within a year'),
      cancel_if_answered: z.boolean().optional().describe('with `send_at`: called off when the contact writes before'),
    }),
    answer: messageShape,
    status: 201,
    async handle({ params, body }, call) {
      const { storage, asker } = call
      need(asker, body.kind === 'note' ? 'notes.write' : 'conversations.reply')
      await needConversation(params.id, call, storage.primary)
      const later =
        body.send_at === undefined
          ? undefined
          : { at: new Date(body.send_at), endsIfAnswered: body.cancel_if_answered ?? false }
      if (later !== undefined && body.kind === 'note')
        throw invalid([{ field: 'send_at', message: 'A note is kept at once; please leave it out.' }])
      const { kind, text = '', seen } = body
      const said = {
        id: call.effectId,
        accountId: asker.accountId,
        conversationId: params.id,
        userId: asker.userId,
        text,
        files: filesOf(body),
        draftVersion: body.draft_version,
      }
      const answer = (messageId: string) => {
        if (body.draft_version !== undefined) call.parts.presence.noteDraft(asker, params.id, null)
        return answerMessage(messageId, call)
      }
      if (kind === 'note') {
        checkNote(said)
        return answer((await addNote(storage, said)).id)
      }
      const message = await sendReply(storage, {
        ...said,
        kind,
        inReplyTo: body.in_reply_to,
        extras: readExtras(body),
        seen: seen && { messageId: seen.message_id, status: seen.status, assigneeId: seen.assignee_id },
        later,
      })
      return answer(message.id)
    },
  }),
]

interface GivenFiles {
  readonly attachment_ids?: readonly string[] | undefined
  readonly attachments?: readonly { readonly id: string; readonly alt_text?: string | undefined }[] | undefined
}

const filesOf = ({ attachment_ids: ids = [], attachments = [] }: GivenFiles) => [
  ...ids.map((documentId) => ({ documentId })),
  ...attachments.map(({ id, alt_text: altText }) => ({ documentId: id, altText })),
]

function checkNote({ text, files }: { readonly text: string; readonly files: readonly unknown[] }): void {
  if (text.length > noteLength)
    throw refusal('too_long', 'text', `A note has at most ${String(noteLength)} characters.`)
  if (files.length > noteFiles)
    throw refusal('too_many_attachments', 'attachments', `A note has at most ${String(noteFiles)} files.`)
}

async function needConversation(id: string, { storage, asker }: Call, reader: Reader = storage.fresh) {
  const conversation = await storage.conversations.get(reader, asker.accountId, id, asker.scope)
  if (conversation === undefined) throw notFound('conversation')
  return conversation
}

async function answerConversation(id: string, call: Call): Promise<ConversationJson> {
  const { storage, asker } = call
  const conversation = await needConversation(id, call)
  const [presented] = await presentConversations(storage, storage.fresh, asker.accountId, [conversation])
  if (presented === undefined) throw notFound('conversation')
  const channel = await storage.channels.get(storage.fresh, asker.accountId, conversation.channelId)
  if (channel === undefined) throw notFound('conversation')
  return { ...presented, sayable: await presentSayable(storage, storage.fresh, conversation, channel) }
}

/** `undefined`: whoever's; null: nobody's. */
function assigneeOf(assignee: string | undefined, view: string | undefined, userId: string): string | null | undefined {
  if (assignee === 'none' || (assignee === undefined && view === 'unassigned')) return null
  if (assignee === 'me' || (assignee === undefined && view === 'mine')) return userId
  return assignee
}
