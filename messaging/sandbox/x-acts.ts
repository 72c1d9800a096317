/** What happens at X beside words, on request of the control interface: `POST /control/x/act`. */
import { z } from 'zod'
import { Problem } from '../../infra/errors.ts'
import { readJson } from '../connectors/reading.ts'
import type { Stage } from './customers.ts'
import type { Answer, Request } from './http.ts'
import type { SandboxChannel } from './world.ts'
import { formsOf } from './x-subscriptions.ts'

const text = z.string().min(1)
const act = z.object({
  channel: text,
  /** `close`: this person cannot be written to any more; `open`: again. */
  what: z.enum(['delete', 'like', 'follow', 'typing', 'chat', 'close', 'open']),
  /** Who does it; for a deletion the account itself. */
  person: text.default('1589012345678901201'),
  /** What is deleted or liked. */
  external_id: text.optional(),
})
export interface Happening {
  readonly what: 'delete' | 'like' | 'follow' | 'typing' | 'chat'
  readonly person: string
  readonly external_id?: string | undefined
}

/** Answers `POST /control/x/act`; `undefined` for all else. */
export function openXControl(stage: Stage): (request: Request) => Promise<Answer | undefined> {
  return async (request) => {
    if (request.path !== '/control/x/act' || request.method !== 'POST') return undefined
    const given = act.safeParse(readJson(request.body))
    if (!given.success) throw new Problem(422, 'invalid', z.prettifyError(given.error))
    const channel = stage.world.channels.get(given.data.channel)
    if (channel?.type !== 'x') throw new Problem(404, 'not_found', 'There is no such channel at X.')
    const { what, person, external_id } = given.data
    if (what === 'close' || what === 'open') {
      const closed = what === 'close' ? { messages: true, answers: true } : undefined
      stage.world.note(`x.closed.${channel.external_id}.${person}`, closed)
      return { status: 201, json: { told: 0 } }
    }
    if (what === 'delete' && external_id !== undefined)
      stage.world.act({ channel: channel.external_id, person, by: 'customer', what, external_id })
    const { id, told } = await xHappening(stage, channel, { what, person, external_id })
    return { status: 201, json: { external_id: id, told } }
  }
}

/** Tells of it in the forms that the account is subscribed to. */
export async function xHappening(
  { world, webhooks }: Stage,
  channel: SandboxChannel,
  happening: Happening,
): Promise<{ readonly id: string; readonly told: number }> {
  const id = world.newSnowflake()
  const app = world.apps.get(channel.app_id)
  if (app === undefined) return { id, told: 0 }
  const { aaa, types } = formsOf(world, app, channel.external_id)
  const told = tellingOf(happening, channel, id)
  const filter = { user_id: channel.external_id }
  const newer = { event_uuid: `-${id}`, filter, event_type: told.type, ...told.newer }
  const bodies = [
    ...(aaa && told.older !== undefined ? [{ for_user_id: channel.external_id, ...told.older }] : []),
    ...(types.has(told.type) ? [{ data: newer }] : []),
  ]
  for (const body of bodies) await webhooks.post(app, body, channel.external_id)
  return { id, told: bodies.length }
}

/** The same in both forms; Account Activity knows nothing of encrypted chats. */
function tellingOf(
  { what, person, external_id = '' }: Happening,
  { external_id: us }: SandboxChannel,
  id: string,
): { readonly type: string; readonly older: object | undefined; readonly newer: object } {
  const at = String(Date.now())
  const [source, target] = [{ id_str: person }, { id_str: us }]
  switch (what) {
    case 'delete':
      return {
        type: 'post.delete',
        older: { tweet_delete_events: [{ status: { id: external_id, user_id: us }, timestamp_ms: at }] },
        newer: { payload: { id: external_id, author_id: us } },
      }
    case 'like':
      return {
        type: 'like.create',
        older: {
          favorite_events: [
            { id, timestamp_ms: Number(at), favorited_status: { id_str: external_id, user: target }, user: source },
          ],
        },
        newer: {
          payload: { id, timestamp_ms: at, liked_tweet_id: external_id, liked_tweet_author_id: us },
          includes: { users: [{ id: us }, { id: person }] },
        },
      }
    case 'follow':
      return {
        type: 'follow.follow',
        older: { follow_events: [{ type: 'follow', created_timestamp: at, source, target }] },
        newer: { payload: { source: { data: { id: person } }, target: { data: { id: us } } } },
      }
    case 'typing': {
      const list = {
        direct_message_indicate_typing_events: [
          { created_timestamp: at, sender_id: person, target: { recipient_id: us } },
        ],
      }
      return { type: 'dm.indicate_typing', older: list, newer: { payload: list } }
    }
    case 'chat':
      return {
        type: 'chat.received',
        older: undefined,
        newer: {
          payload: {
            id,
            created_at_msec: at,
            sender_id: person,
            conversation_id: `${person}:${us}`,
            encoded_event: 'CwABAAAAEzIw',
          },
        },
      }
  }
}
