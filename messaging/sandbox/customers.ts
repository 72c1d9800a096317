/** What customers and channels say: into the ledger, and out as webhooks. */
import type { WebhookSender } from './webhooks.ts'
import { deliveryEvent, feedChange, messengerEvent, pageDelivery, readEvent, xDeliveries, xReadMark } from './wire.ts'
import type { SandboxChannel, SandboxPerson, SandboxType, Utterance, World } from './world.ts'

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
}

/** The sandbox's parts that act together. */
export interface Stage {
  readonly world: World
  readonly webhooks: WebhookSender
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
    ...(said.occurred_at === undefined ? {} : { at: said.occurred_at }),
  })
  return { utterance, delivered: tell(stage, [utterance]) }
}

/** Sends the webhooks of these utterances, Meta's in one body. */
export async function tell(stage: Stage, all: readonly Utterance[]): Promise<void> {
  const { world, webhooks } = stage
  const [first] = all
  const channel = first === undefined ? undefined : world.channels.get(first.channel)
  const app = channel === undefined ? undefined : world.apps.get(channel.app_id)
  if (channel === undefined || app === undefined) return
  if (channel.type === 'facebook') {
    const isPublic = (said: Utterance): boolean =>
      said.kind === 'comment' || said.kind === 'post' || said.kind === 'mention'
    const messaging = all.filter((said) => !isPublic(said)).map((said) => messengerEvent(said, app.app_id))
    const changes = all.filter(isPublic).map((said) => feedChange(said, authorOf(world, channel, said)))
    await Promise.all([
      ...(messaging.length > 0
        ? [webhooks.post(app, pageDelivery(channel.external_id, { messaging }), channel.external_id)]
        : []),
      ...(changes.length > 0
        ? [webhooks.post(app, pageDelivery(channel.external_id, { changes }), channel.external_id)]
        : []),
    ])
    return
  }
  const bodies = all.flatMap((said) => {
    const parent = said.in_reply_to === undefined ? undefined : world.byId.get(said.in_reply_to)
    const repliedToUser =
      parent === undefined ? undefined : parent.direction === 'outbound' ? parent.channel : parent.person
    return xDeliveries(said, { channel, person: world.people.get(said.person) }, app, {
      repliedToUser,
      rootId: rootOf(world, said),
    })
  })
  await Promise.all(bodies.map((body) => webhooks.post(app, body, channel.external_id)))
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
  const channel = stage.world.channels.get(channelId)
  const app = stage.world.apps.get(channel?.app_id ?? '')
  const last = stage.world
    .between(channelId, personId)
    .findLast((said) => said.direction === 'outbound' && (said.kind === 'reply' || said.kind === 'private_reply'))
  if (channel === undefined || app === undefined || last === undefined) return
  const body =
    channel.type === 'facebook'
      ? pageDelivery(channelId, { messaging: [readEvent(channelId, personId, Date.parse(last.at))] })
      : xReadMark(channelId, personId, last.external_id)
  await stage.webhooks.post(app, body, channelId)
}

/** The channel's first post: the one under which the demonstration's customers comment. */
export const firstPost = (world: World, channel: string): Utterance | undefined =>
  world.ledger.find((said) => said.channel === channel && said.kind === 'post' && said.direction === 'outbound')

/** The top of a thread on X. */
export function rootOf(world: World, said: Utterance): string {
  let top = said
  for (let depth = 0; depth < 1000 && top.in_reply_to !== undefined; depth += 1) {
    const parent = world.byId.get(top.in_reply_to)
    if (parent === undefined) return top.in_reply_to
    top = parent
  }
  return top.external_id
}

function authorOf(world: World, channel: SandboxChannel, said: Utterance): { id: string; name: string } {
  const person: SandboxPerson | undefined = world.people.get(said.person)
  return said.direction === 'outbound'
    ? { id: channel.external_id, name: channel.name }
    : { id: said.person, name: person?.name ?? said.person }
}
