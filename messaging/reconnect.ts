/** A channel is connected, gets new credentials, or is disconnected: what waited goes on, what was missed is read back. */
import { conflict, notFound } from '../infra/errors.ts'
import { platformActor } from '../storage/index.ts'
import type { Actor, Channel, Credentials, Storage, Writer } from '../storage/index.ts'
import type { NewEvent } from '../storage/model/events.ts'
import type { ChannelType } from '../storage/model/words.ts'
import { requestCatchUp } from './gaps.ts'
import { setTrouble } from './health.ts'
import type { CareContext } from './health.ts'
import { endSubscription, prepareLeave } from './subscriptions.ts'
import type { Ended } from './subscriptions.ts'

/** A channel that was connected: new, or one that was there and has new credentials. */
export interface Connected {
  readonly channelId: string
  readonly isNew: boolean
}

/** A channel as it is connected. */
export interface ChannelGrant {
  readonly appId: string
  readonly type: ChannelType
  readonly externalId: string
  readonly name: string
  readonly credentials: Credentials
  readonly apiBaseUrl: string | null
  readonly tokenExpiresAt: Date | null
}

/** Creates the channel, or reconnects the one under the same address. */
export async function putChannel(
  context: Pick<CareContext, 'storage'>,
  tx: Writer,
  accountId: string,
  grant: ChannelGrant,
  by: Actor = platformActor,
): Promise<Connected> {
  const { storage } = context
  const { appId, type, externalId, name } = grant
  const entry = (id: string, action: string) => ({ accountId, by, action, subject: { type: 'channel', id, name } })
  const known = await storage.channels.lockByAddress(tx, accountId, grant.type, grant.externalId)
  if (known === undefined) {
    const channelId = await storage.channels.create(tx, storage, { accountId, ...grant })
    await storage.outbox.append(tx, { type: 'channel.created', accountId, data: { channel_id: channelId } })
    const after = { type, name, external_id: externalId, app_id: appId }
    await storage.audit.append(tx, { ...entry(channelId, 'channel.connected'), after })
    return { channelId, isNew: true }
  }
  const apiBaseUrl = grant.apiBaseUrl ?? known.apiBaseUrl
  await storage.channels.move(tx, accountId, known.id, { appId: grant.appId, name: known.name, apiBaseUrl })
  await renew(context, tx, accountId, known.id, grant)
  await storage.audit.append(tx, { ...entry(known.id, 'channel.reconnected') })
  return { channelId: known.id, isNew: false }
}

/**
 * New credentials for a channel, by hand. What waited to be sent goes out, what was missed is read back.
 * @throws Problem 404
 */
export function reconnectChannel(
  context: Pick<CareContext, 'storage'>,
  accountId: string,
  channelId: string,
  grant: { readonly credentials: Credentials; readonly tokenExpiresAt: Date | null },
  by: Actor = platformActor,
): Promise<void> {
  return context.storage.write(async (tx) => {
    const known = await context.storage.channels.lock(tx, accountId, channelId)
    if (known === undefined) throw notFound('channel')
    await renew(context, tx, accountId, channelId, grant)
    await context.storage.audit.append(tx, {
      ...{
        accountId,
        by,
        action: 'channel.reconnected',
        subject: { type: 'channel', id: channelId, name: known.name },
      },
    })
  })
}

/** Sound until it is looked at, which happens at once; whatever was wrong belonged to the old credentials. */
async function renew(
  { storage }: Pick<CareContext, 'storage'>,
  tx: Writer,
  accountId: string,
  channelId: string,
  grant: { readonly credentials: Credentials; readonly tokenExpiresAt: Date | null },
): Promise<void> {
  await storage.channels.setCredentials(tx, storage, accountId, channelId, grant.credentials, grant.tokenExpiresAt)
  await storage.channels.setDisconnected(tx, accountId, channelId, false)
  await storage.health.clearTroubles(tx, accountId, channelId)
  await storage.attachments.hurryOf(tx, accountId, channelId)
  const channel = await storage.channels.lock(tx, accountId, channelId)
  // One that was never read back begins with its first look.
  if (channel?.checkedAt != null) await requestCatchUp(storage, tx, channel, 'reconnected')
  const data = { channel_id: channelId, state: 'connected', code: null, reason: null, cure: null }
  await storage.outbox.append(tx, { type: 'channel.changed', accountId, data })
}

/**
 * Forgets the credentials and takes nothing in any more; conversations stay, what is queued waits for a reconnection. Once that
 * is committed the network is asked to tell nothing more; that it does not do so keeps nothing from being disconnected.
 * @throws Problem 404, 409 `disconnected`
 */
export async function disconnectChannel(
  context: CareContext,
  accountId: string,
  channelId: string,
  by: Actor = platformActor,
): Promise<Ended> {
  const { storage, logger } = context
  const channel = await storage.channels.get(storage.primary, accountId, channelId)
  const leave =
    channel?.disconnectedAt === null
      ? await prepareLeave(context, channel).catch((error: unknown) => {
          logger.warn({ channel: channelId, err: error }, 'the credentials of a channel cannot be opened')
          return undefined
        })
      : undefined
  await storage.write(async (tx) => {
    const { name } = await leaveChannel(storage, tx, accountId, channelId)
    await storage.audit.append(tx, {
      ...{ accountId, by, action: 'channel.disconnected', subject: { type: 'channel', id: channelId, name } },
    })
  })
  if (channel === undefined || leave === undefined) return { result: 'not_possible', reason: null }
  const ended = await endSubscription(context, channel, leave)
  // Connected again meanwhile: what was just ended is needed, and looked after at once.
  await storage
    .write(async (tx) => {
      const current = await storage.channels.get(tx, accountId, channelId)
      if (current?.disconnectedAt === null) await storage.health.hurry(tx, accountId, channelId)
    })
    .catch((error: unknown) => logger.warn({ channel: channelId, err: error }, 'a channel could not be looked at'))
  return ended
}

async function leaveChannel(storage: Storage, tx: Writer, accountId: string, channelId: string): Promise<Channel> {
  const channel = await storage.channels.lock(tx, accountId, channelId)
  if (channel === undefined) throw notFound('channel')
  if (channel.disconnectedAt !== null) throw conflict('disconnected', 'This channel is disconnected already.')
  await storage.channels.setCredentials(tx, storage, accountId, channelId, {}, null)
  await storage.channels.setDisconnected(tx, accountId, channelId, true)
  await storage.catchUps.forget(tx, channelId)
  const facts: NewEvent[] = []
  const cure = 'Connect the channel again to go on.'
  const trouble = {
    state: 'reconnect_needed' as const,
    code: 'disconnected',
    reason: 'The channel was disconnected.',
    cure,
  }
  await storage.health.clearTroubles(tx, accountId, channelId)
  await setTrouble(storage, tx, { accountId, channelId }, 'disconnected', trouble, facts)
  await storage.outbox.appendMany(tx, facts)
  return channel
}

/** Asks for a reading back by hand. @throws Problem 404 */
export function askCatchUp(
  { storage }: Pick<CareContext, 'storage'>,
  accountId: string,
  channelId: string,
  since?: Date,
): Promise<void> {
  return storage.write(async (tx) => {
    const channel = await storage.channels.get(tx, accountId, channelId)
    if (channel === undefined) throw notFound('channel')
    await requestCatchUp(storage, tx, channel, 'asked', since)
  })
}
