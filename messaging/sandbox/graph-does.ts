/** What apps do beside speaking: sender actions, and hiding, liking and deleting comments and posts. */
import { fieldsOf, flagOf, idOf, textOf } from '../connectors/reading.ts'
import type { Fields } from '../connectors/reading.ts'
import type { Stage } from './customers.ts'
import { changeBody } from './graph-changes.ts'
import { graphError, missing } from './graph-error.ts'
import { lacks } from './graph-permissions.ts'
import { isGone } from './graph-reads.ts'
import type { Refuse } from './graph-says.ts'
import type { Answer } from './http.ts'
import type { Act, SandboxChannel, Utterance } from './world.ts'

/** `sender_action` of the Send API. */
export function senderAction(
  stage: Stage,
  channel: SandboxChannel,
  personId: string | undefined,
  parameters: Fields,
  refuse: Refuse,
): Answer {
  const isInstagram = channel.type === 'instagram'
  const said = personId === undefined ? [] : stage.world.between(channel.external_id, personId)
  if (personId === undefined || said.length === 0)
    return isInstagram
      ? graphError(100, 2_534_014, 'The requested user cannot be found.')
      : graphError(100, 2_018_001, 'No matching user found')
  const done = { channel: channel.external_id, person: personId, by: 'channel' } as const
  const action = textOf(parameters.sender_action)?.toLowerCase()
  const ok = { status: 200, json: { recipient_id: personId } }
  if (action === 'typing_off') return ok
  if (action === 'typing_on' || action === 'mark_seen') {
    stage.world.act({ ...done, what: action === 'typing_on' ? 'typing' : 'seen' })
    return ok
  }
  if (action !== 'react' && action !== 'unreact')
    return graphError(
      100,
      undefined,
      'Param sender_action must be one of {MARK_SEEN, TYPING_ON, TYPING_OFF, REACT, UNREACT}',
    )
  const payload = fieldsOf(parameters.payload)
  const target = said.find(({ external_id: id }) => id === idOf(payload.message_id))
  if (target === undefined || isGone(stage, target)) return missing(idOf(payload.message_id) ?? '')
  const reaction = textOf(payload.reaction)
  if (action === 'react' && (reaction === undefined || (isInstagram && reaction !== 'love')))
    return graphError(100, undefined, 'Param payload[reaction] is not a reaction')
  const refused = refuse()
  if (refused !== undefined) return graphError(refused.code, refused.subcode, 'Refused by a fault of the sandbox')
  const emoji = action === 'react' ? { emoji: isInstagram ? '❤️' : (reaction ?? '') } : {}
  stage.world.act({ ...done, what: action, external_id: target.external_id, ...emoji })
  return ok
}

/** Changes of a comment, and of a post its deletion; `undefined` when the call is for nothing of that kind. */
export function changeContent(
  stage: Stage,
  channel: SandboxChannel,
  { method, id, edge, parameters }: { method: string; id: string; edge: string; parameters: Fields },
  refuse: Refuse,
): Answer | undefined {
  const what = whatOf(method, edge, parameters, channel)
  if (what === undefined) return undefined
  const target = stage.world.byId.get(id)
  const isComment = target?.kind === 'comment' || target?.kind === 'mention'
  const isOwnPost = what === 'delete' && target?.kind === 'post' && target.direction === 'outbound'
  if (target?.channel !== channel.external_id || !(isComment || isOwnPost) || isGone(stage, target)) return missing(id)
  const denied = lacks(
    stage,
    channel,
    channel.type === 'instagram' ? 'instagram_manage_comments' : 'pages_manage_engagement',
  )
  if (denied !== undefined) return denied
  const refused = refuse()
  if (refused !== undefined) return graphError(refused.code, refused.subcode, 'Refused by a fault of the sandbox')
  stage.world.act({ channel: channel.external_id, person: target.person, by: 'channel', what, external_id: id })
  return {
    status: 200,
    json: { success: true },
    accepted: { echo: () => tellChange(stage, channel, target, what), after: nothing },
  }
}

const nothing = (): Promise<void> => Promise.resolve()

function whatOf(method: string, edge: string, parameters: Fields, { type }: SandboxChannel): Act['what'] | undefined {
  if (edge === 'likes' && type === 'facebook')
    return method === 'POST' ? 'like' : method === 'DELETE' ? 'unlike' : undefined
  if (edge !== '') return undefined
  if (method === 'DELETE') return 'delete'
  const hidden = type === 'instagram' ? parameters.hide : parameters.is_hidden
  return method === 'POST' && hidden !== undefined ? (flagOf(hidden) ? 'hide' : 'unhide') : undefined
}

/** A page's feed tells of what the page itself does too. */
async function tellChange(stage: Stage, channel: SandboxChannel, target: Utterance, what: Act['what']): Promise<void> {
  const forms = { hide: 'hide', unhide: 'unhide', delete: 'delete', like: 'react', unlike: 'unreact' } as const
  const form = Object.hasOwn(forms, what) ? forms[what as keyof typeof forms] : undefined
  const app = stage.world.apps.get(channel.app_id)
  if (form === undefined || app === undefined) return
  const by = form === 'react' || form === 'unreact' ? { person: channel.external_id } : {}
  const body = changeBody(stage, channel, target, { what: form, emoji: '👍', ...by })
  if (body !== undefined) await stage.webhooks.post(app, body, channel.external_id)
}
