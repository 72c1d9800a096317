/** What customers and channels say: into the ledger, and out as webhooks. */
import type { WebhookSender } from './webhooks.ts'
import type { SandboxClock } from './clock.ts'
import type { Faults } from './faults.ts'
import type { Uploads } from './uploads.ts'
import { seenBody } from './graph-tellers.ts'
import { tellStatus } from './graph-whatsapp.ts'
import { pack, tellingsOf } from './tellings.ts'
import { deliveryEvent, pageDelivery, readEvent } from './wire.ts'
import { xReadMark } from './wire-x.ts'
import type { SandboxType, Utterance, World } from './world.ts'

export interface Said {
  readonly type: SandboxType
  readonly channel: string
  readonly person: { readonly id: string; readonly name?: string | undefined; readonly handle?: string | undefined }
  readonly kind: 'message' | 'comment' | 'mention' | 'post'
  readonly text: string
  readonly post_id?: string | undefined
  readonly in_reply_to?: string | undefined
  readonly occurred_at?: string | undefined
  readonly picture?: string | undefined
  readonly files?: Utterance['files']
  readonly wire?: Utterance['wire']
}

/** The sandbox's parts that act together. */
export interface Stage {
  readonly world: World
  readonly webhooks: WebhookSender
  readonly clock: SandboxClock
  readonly faults: Faults
  readonly uploads: Uploads
  /** Whether delivery receipts follow sends. */
  hasReceipts: boolean
}

/** A customer says something; the webhook leaves at once and `delivered` settles with its first try. Unknown people are made. */
export function say(stage: Stage, said: Said): { utterance: Utterance; delivered: Promise<void> } {
  const { world } = stage
  const known = world.people.get(said.person.id)
  if (known === undefined || (said.person.name !== undefined && said.person.name !== known.name)) {
    world.putPerson({
      type: said.type,
      id: said.person.id,
      name: said.person.name ?? known?.name ?? said.person.id,
      handle: said.person.handle ?? known?.handle,
    })
  }
  const isComment = said.kind === 'comment'
  const parent = said.in_reply_to === undefined ? undefined : world.byId.get(said.in_reply_to)
  const postId =
    said.post_id ??
    parent?.post_id ??
    (parent?.kind === 'post' ? parent.external_id : undefined) ??
    (isComment ? firstPost(world, said.channel)?.external_id : undefined)
  // On X an answer names what it answers; on Facebook a top-level comment names only its post.
  const inReplyTo = said.in_reply_to ?? (said.type === 'x' && isComment ? postId : undefined)
  const utterance = world.say({
    type: said.type,
    channel: said.channel,
    person: said.person.id,
    direction: 'inbound',
    kind: said.kind,
    text: said.text,
    post_id: postId,
    in_reply_to: inReplyTo,
    picture: said.picture,
    files: said.files,
    wire: said.wire,
    // The past of the sandbox's time when it is said to have been said in the past.
    clock_at: stage.clock.now() - (said.occurred_at === undefined ? 0 : Date.now() - Date.parse(said.occurred_at)),
    ...(said.occurred_at === undefined ? {} : { at: said.occurred_at }),
  })
  return { utterance, delivered: tell(stage, [utterance]) }
}

/** Sends the webhooks of these utterances, Meta's and Account Activity's in few bodies. */
export async function tell(stage: Stage, all: readonly Utterance[]): Promise<void> {
  const { world, webhooks } = stage
  await Promise.all(
    pack(tellingsOf(world, all), 1000).map(({ app, channel, body }) => webhooks.post(app, body, channel)),
  )
}

/** What follows an accepted send: a delivery receipt on Messenger. */
export async function confirmDelivery(stage: Stage, said: Utterance): Promise<void> {
  const app = stage.world.apps.get(stage.world.channels.get(said.channel)?.app_id ?? '')
  if (
    !stage.hasReceipts ||
    app === undefined ||
    said.type !== 'facebook' ||
    (said.kind !== 'reply' && said.kind !== 'private_reply')
  )
    return
  await stage.webhooks.post(app, pageDelivery(said.channel, { messaging: [deliveryEvent(said)] }), said.channel)
}

/** The customer has read everything up to now. */
export async function markRead(stage: Stage, channelId: string, personId: string): Promise<void> {
  const { world } = stage
  const channel = world.channels.get(channelId)
  const app = world.apps.get(channel?.app_id ?? '')
  const last = world
    .between(channelId, personId)
    .findLast((said) => said.direction === 'outbound' && (said.kind === 'reply' || said.kind === 'private_reply'))
  if (channel === undefined || app === undefined || last === undefined) return
  if (channel.type === 'whatsapp') return tellStatus(stage, channel, last, 'read')
  if (channel.type === 'instagram')
    return stage.webhooks.post(app, seenBody(channelId, personId, last.external_id), channelId)
  const body =
    channel.type === 'facebook'
      ? pageDelivery(channelId, { messaging: [readEvent(channelId, personId, Date.parse(last.at))] })
      : xReadMark(world, app, { channel: channelId, person: personId, lastId: last.external_id })
  await stage.webhooks.post(app, body, channelId)
}

/** The channel's first post: the one under which the demonstration's customers comment. */
export const firstPost = (world: World, channel: string): Utterance | undefined =>
  world.ledger.find((said) => said.channel === channel && said.kind === 'post' && said.direction === 'outbound')
