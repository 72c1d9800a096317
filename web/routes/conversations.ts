/** Conversations: the list, one, its state, and what is said in it. */
import { z } from 'zod'
import { resolveWish } from '../../backend/conversation-acts.ts'
import { changeConversation } from '../../backend/conversations.ts'
import { invalid, notFound } from '../../infra/errors.ts'
import { isId } from '../../infra/ids.ts'
import { refusal } from '../../messaging/check-content.ts'
import { extrasShape, readExtras } from '../../messaging/extras.ts'
import { nudgeNow } from '../../messaging/nudges.ts'
import { addNote, sendReply } from '../../messaging/send.ts'
import { conversationStatuses, outboundKinds } from '../../storage/model/words.ts'
import { covers, everything } from '../../storage/index.ts'
import type { ConversationFilter, Reader, ShownConversation } from '../../storage/index.ts'
import { need } from '../admit.ts'
import { builtInFilter, builtInViews, queryFields, keptFilter, readFilter, withView } from '../conversation-filter.ts'
import { pageOf, readCursor } from '../cursor.ts'
import { presentConversations } from '../presenters/conversation.ts'
import { presentMessages } from '../presenters/message.ts'
import { noteFiles, noteLength, presentSayable } from '../presenters/sayable.ts'
import { conversationShape, messageShape, page } from '../presenters/shapes.ts'
import type { ConversationJson } from '../presenters/shapes.ts'
import { answered, listFields, route } from '../route.ts'
import type { Call } from '../route.ts'
import { careShape, needForCare } from './care.ts'
import { answerMessage } from './messages.ts'

const listQuery = z.strictObject({
  ...listFields,
  ...queryFields,
  view: z
    .string()
    .max(64)
    .optional()
    .describe('`all`, `mine`, `unassigned`, `mentions` or the id of a view; what is asked beside it goes before'),
})
type ListQuery = z.output<typeof listQuery>
const conversationPage = page(conversationShape)
type ConversationPage = z.output<typeof conversationPage>

export const conversationRoutes = [
  route({
    method: 'get',
    path: '/conversations',
    tag: 'conversations',
    summary:
      'Conversations, by every part of a filter together; the newest activity first, if no other order is asked for',
    permission: 'conversations.read',
    query: listQuery,
    answer: conversationPage,
    async handle({ query }, call) {
      const { asker, parts, response } = call
      const who = isPersonal(query) ? asker.userId : JSON.stringify(asker.scope)
      const key = `${who} ${JSON.stringify(query)}`
      const text = await parts.lists.get(asker.accountId, key, call.position.gtid, async () =>
        JSON.stringify(await answerList(query, call)),
      )
      response.setHeader('cache-control', 'no-store')
      response.type('application/json').send(text)
      return answered
    },
  }),
  route({
    method: 'get',
    path: '/conversations/counts',
    tag: 'conversations',
    summary: 'How many conversations each of some views shows; counted up to 1,000',
    permission: 'conversations.read',
    query: z.strictObject({
      views: z
        .string()
        .max(2_000)
        .describe('`all`, `mine`, `unassigned`, `mentions` and ids of views, by commas; at most 30'),
      status: queryFields.status.describe('of views that name no status; default: open'),
    }),
    answer: z.object({
      counts: z.record(
        z.string(),
        z.object({ count: z.int(), is_more: z.boolean().describe('there are more than these') }),
      ),
    }),
    async handle({ query }, call) {
      const { storage, asker } = call
      const wanted = [...new Set(query.views.split(',').filter((each) => each !== ''))].slice(0, mostCounted)
      const own = wanted.filter((each) => !builtInViews.includes(each))
      const found = own.some(isId)
        ? await storage.views.list(storage.fresh, asker.accountId, asker.userId, own.filter(isId))
        : []
      const inputs = wanted.flatMap((name) => {
        const kept = found.find(({ id }) => id === name)
        const base = builtInFilter(name) ?? (kept && keptFilter(kept.filter))
        return base === undefined ? [] : [{ name, input: { status: query.status ?? ['open' as const], ...base } }]
      })
      const filters = await Promise.all(
        inputs.map(async ({ input }) => ({ ...(await readFilter(input, call, storage.fresh)), limit: mostCount + 1 })),
      )
      const counted = await storage.conversations.count(storage.fresh, asker.accountId, filters, asker.scope)
      const counts = inputs.map(({ name }, index) => {
        const count = counted[index] ?? 0
        return [name, { count: Math.min(count, mostCount), is_more: count > mostCount }] as const
      })
      return { counts: Object.fromEntries(counts) }
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
    summary: 'Change how a conversation is cared for: status, assignee, team, priority, labels, participants',
    permission: 'conversations.read',
    params: z.strictObject({ id: z.string() }),
    body: careShape,
    answer: conversationShape,
    async handle({ params, body }, call) {
      const { storage, asker } = call
      needForCare(asker, body)
      const conversation = await needConversation(params.id, call, storage.primary)
      const { accountId, userId } = asker
      const { change, assigneeScope } = await resolveWish(storage, storage.primary, accountId, body, userId)
      if (
        assigneeScope !== undefined &&
        !covers(assigneeScope, {
          ...conversation,
          teamId: body.team_id === undefined ? conversation.teamId : body.team_id,
        })
      )
        throw invalid([{ field: 'assignee_id', message: 'This user does not see this channel or team.' }])
      await changeConversation(storage, accountId, params.id, change, userId)
      // It is shown once more to whoever has given it away.
      return answerConversation(params.id, call, everything)
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
      const before = readCursor(query.cursor)
      const rows = await storage.messages.list(
        storage.fresh,
        asker.accountId,
        {
          conversationId: params.id,
          limit: query.limit + 1,
          ...(before !== undefined && { before: { occurredAt: before.at, id: before.id } }),
        },
        asker.scope,
      )
      // Where there are some, it is within the scope.
      if (rows.length === 0) await needConversation(params.id, call)
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
      if (later === undefined) nudgeNow(call.parts.broker, message)
      return answer(message.id)
    },
  }),
]

async function answerList({ limit, cursor, view, ...asked }: ListQuery, call: Call): Promise<ConversationPage> {
  const { storage, asker } = call
  const input = await withView(view, asked, call)
  const after = readCursor(cursor)
  const filter: ConversationFilter = {
    ...(await readFilter(input, call, storage.fresh)),
    limit: limit + 1,
    ...(after !== undefined && { after }),
  }
  const rows = await storage.conversations.list(storage.fresh, asker.accountId, filter, asker.scope)
  const { items, next_cursor } = pageOf(rows, limit, (row) => placeIn(filter, row))
  return { items: await presentConversations(storage, storage.fresh, asker.accountId, items), next_cursor }
}

/** Whether it depends on who asks, beside what they may see. */
const isPersonal = ({ assignee, participant, mentioned, team, view }: ListQuery): boolean =>
  [assignee, participant, mentioned].includes('me') ||
  team === 'mine' ||
  (view !== undefined && view !== 'all' && view !== 'unassigned')

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

async function answerConversation(id: string, call: Call, scope = call.asker.scope): Promise<ConversationJson> {
  const { storage, asker } = call
  const conversation = await storage.conversations.shown(storage.fresh, asker.accountId, id, scope)
  if (conversation === undefined) throw notFound('conversation')
  const [presented] = await presentConversations(storage, storage.fresh, asker.accountId, [conversation])
  if (presented === undefined) throw notFound('conversation')
  const channel = await storage.channels.get(storage.fresh, asker.accountId, conversation.channelId)
  if (channel === undefined) throw notFound('conversation')
  return { ...presented, sayable: await presentSayable(storage, storage.fresh, conversation, channel) }
}

const mostCount = 1_000
const mostCounted = 30

/** Where a page ends. */
const placeIn = ({ sort, priority }: ConversationFilter, row: ShownConversation) => ({
  at: sort === 'waiting' ? (row.waitingSince ?? row.lastActivityAt) : row.lastActivityAt,
  id: row.id,
  ...(sort === 'priority' && priority === undefined && { rank: row.priority }),
})
