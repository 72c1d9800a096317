/** What is done beside speaking, for Pages and Instagram accounts (Send API: sender actions; comments: hide, like, delete). */
import type { ChannelAccess, Connector, OutboundAct, Outcome } from '../connector.ts'
import { callGraph } from './graph.ts'
import type { GraphCall } from './graph.ts'
import { refuse } from './refuse.ts'

type Acted = Awaited<ReturnType<NonNullable<Connector['act']>>>

/** Makes the call, unless the act was refused before any. Never throws. */
export async function doAct(
  channel: ChannelAccess,
  call: GraphCall | Exclude<Outcome, { readonly type: 'sent' }>,
  signal: AbortSignal,
): Promise<Acted> {
  if ('type' in call) return call
  const result = await callGraph(channel, call, signal)
  return result.ok ? { type: 'done' } : result.outcome
}

/** Instagram calls its parameters otherwise, knows no likes of comments, and one reaction alone. */
export function actCall(
  act: OutboundAct,
  network: 'facebook' | 'instagram',
): GraphCall | Exclude<Outcome, { readonly type: 'sent' }> {
  const { what, targetExternalId: target, contactExternalId: person, emoji } = act
  if (what === 'react' || what === 'unreact' || what === 'typing' || what === 'seen') {
    if (person === undefined) return refuse('recipient', 'nobody', 'There is nobody to show it to.')
    if (what === 'typing') return senderAction(person, 'typing_on')
    if (what === 'seen') return senderAction(person, 'mark_seen')
    if (target === undefined) return nothing
    const reaction = network === 'instagram' ? 'love' : (emoji ?? '❤️')
    return senderAction(person, what, { message_id: target, ...(what === 'react' ? { reaction } : {}) })
  }
  if (target === undefined) return nothing
  const path = encodeURIComponent(target)
  switch (what) {
    case 'hide':
    case 'unhide':
      return { method: 'POST', path, body: { [network === 'instagram' ? 'hide' : 'is_hidden']: what === 'hide' } }
    case 'delete':
      return { method: 'DELETE', path }
    case 'like':
    case 'unlike':
      return network === 'instagram'
        ? refuse('content', 'not_spoken', 'Instagram lets nobody like comments from outside.')
        : { method: what === 'like' ? 'POST' : 'DELETE', path: `${path}/likes` }
  }
}

const senderAction = (personId: string, action: string, payload?: Readonly<Record<string, unknown>>): GraphCall => ({
  method: 'POST',
  path: 'me/messages',
  body: { recipient: { id: personId }, sender_action: action, ...(payload === undefined ? {} : { payload }) },
})

const nothing = refuse('content', 'nothing', 'There is nothing named that it could be done to.')
