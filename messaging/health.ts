/** How a channel stands with its network: what is wrong, by code and never by text, who noticed it, and the one step that mends it. */
import type { Config } from '../infra/config.ts'
import type { Logger } from '../infra/logger.ts'
import type { Storage, Trouble, TroubleSource, Writer } from '../storage/index.ts'
import type { NewEvent } from '../storage/model/events.ts'
import type { ChannelType } from '../storage/model/words.ts'
import type { ChannelCondition, Connector } from './connectors/connector.ts'
import { connectorOf } from './connectors/registry.ts'

/** What looking after channels needs. */
export interface CareContext {
  readonly storage: Storage
  readonly config: Pick<Config, 'networkHosts' | 'publicUrl'>
  readonly logger: Logger
  /** Who speaks for a type of channel, where it is not the one of the registry. */
  readonly connectorOf?: (type: ChannelType) => Connector | undefined
}

export const connectorFor = (context: Pick<CareContext, 'connectorOf'>, type: ChannelType): Connector | undefined =>
  (context.connectorOf ?? connectorOf)(type)

interface Place {
  readonly accountId: string
  readonly channelId: string
}

/** Says what one source sees, or takes it back; announced only if the channel's health is another by it. */
export async function setTrouble(
  storage: Storage,
  tx: Writer,
  { accountId, channelId }: Place,
  source: TroubleSource,
  trouble: Trouble | undefined,
  facts: NewEvent[],
): Promise<void> {
  const standing = await storage.health.setTrouble(tx, accountId, channelId, source, trouble)
  if (standing !== undefined)
    facts.push({ accountId, type: 'channel.changed', data: { channel_id: channelId, ...standing } })
}

/** As `setTrouble`, in a transaction of its own. */
export async function reportTrouble(
  storage: Storage,
  place: Place,
  source: TroubleSource,
  trouble: Trouble | undefined,
): Promise<void> {
  await storage.write(async (tx) => {
    const facts: NewEvent[] = []
    await setTrouble(storage, tx, place, source, trouble, facts)
    await storage.outbox.appendMany(tx, facts)
  })
}

export const reconnectCure = 'Reconnect the channel: sign in at the network again, or enter a new access token.'

/** The network refuses our right to the channel. */
export const tokenTrouble = (code: string, reason: string, cure = reconnectCure): Trouble => ({
  state: 'reconnect_needed',
  code,
  reason,
  cure,
})

/** What an examination says as a trouble; `undefined`: all is well. */
export const troubleOf = (condition: ChannelCondition): Trouble | undefined =>
  condition.state === 'connected'
    ? undefined
    : {
        state: condition.state,
        code: condition.code ?? condition.state,
        reason: condition.reason ?? 'The network refuses this channel.',
        cure: condition.state === 'reconnect_needed' ? reconnectCure : null,
      }

/** The work is told to stop after `limitMs`, or when `signal` says so. @throws what the work throws */
export const withLimit = <T>(
  limitMs: number,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> => work(AbortSignal.any([signal, AbortSignal.timeout(limitMs)]))
