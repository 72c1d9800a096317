/** Channels: connected addresses. Their credentials lie sealed in the row; how they are is written by `health.ts`. */
import { z } from 'zod'
import { newId } from '../../infra/ids.ts'
import type { Reader, Writer } from '../database.ts'
import type { ChannelState, ChannelType } from '../model/words.ts'
import type { Secrets } from '../secrets.ts'
import { everything, within } from './scope.ts'
import type { Scope } from './scope.ts'

export interface Channel {
  readonly id: string
  readonly accountId: string
  readonly appId: string
  readonly type: ChannelType
  readonly name: string
  readonly externalId: string
  /** See `channels.openCredentials`. */
  readonly sealedCredentials: Buffer
  /** Rises with every change of the credentials. */
  readonly credentialsVersion: number
  readonly apiBaseUrl: string | null
  readonly state: ChannelState
  readonly stateCode: string | null
  readonly stateReason: string | null
  readonly stateCure: string | null
  readonly subscriptionState: SubscriptionState | null
  readonly subscriptionMissing: readonly string[] | null
  /** The newest known share of each quota, 0 to 1. */
  readonly quotas: readonly Quota[] | null
  readonly lastEventAt: Date | null
  readonly tokenExpiresAt: Date | null
  readonly tokenIssuedAt: Date | null
  /** A refresh whose end is not known. */
  readonly refreshBeganAt: Date | null
  readonly checkedAt: Date | null
  /** What happened until then is here. */
  readonly caughtUpTo: Date | null
  readonly disconnectedAt: Date | null
  readonly createdAt: Date
  readonly updatedAt: Date
}

/** `partial`: something that should be subscribed is not. */
export type SubscriptionState = 'active' | 'partial' | 'missing'

export interface Quota {
  readonly name: string
  readonly used: number
  /** ISO 8601. */
  readonly resets_at: string | null
}

const credentials = z.record(z.string(), z.string())

/** As the API takes them: `access_token`, `refresh_token`, … */
export type Credentials = z.infer<typeof credentials>

export interface NewChannel {
  readonly id?: string | undefined
  readonly accountId: string
  readonly appId: string
  readonly type: ChannelType
  readonly name: string
  readonly externalId: string
  readonly credentials: Credentials
  readonly apiBaseUrl: string | null
  readonly tokenExpiresAt: Date | null
}

export interface Sealer {
  readonly secrets: Secrets
}

/** What every select of a channel reads. */
export const channelColumns = `id, account_id accountId, app_id appId, type, name, external_id externalId, sealed_credentials sealedCredentials,
  credentials_version credentialsVersion, api_base_url apiBaseUrl, state, state_code stateCode, state_reason stateReason, state_cure stateCure,
  subscription_state subscriptionState, subscription_missing subscriptionMissing, quotas, last_event_at lastEventAt, token_expires_at tokenExpiresAt,
  token_issued_at tokenIssuedAt, refresh_began_at refreshBeganAt, checked_at checkedAt, caught_up_to caughtUpTo, disconnected_at disconnectedAt,
  created_at createdAt, updated_at updatedAt`

const select = `select ${channelColumns} from channels`
const place = (id: string) => `channels|sealed_credentials|${id}`
const seal = (sealer: Sealer, id: string, value: Credentials): Buffer =>
  sealer.secrets.seal(JSON.stringify(value), place(id))

export const channels = {
  /** The id. @param sealer the storage. The same address twice in one account is refused (ER_DUP_ENTRY). */
  async create(tx: Writer, sealer: Sealer, channel: NewChannel): Promise<string> {
    const id = channel.id ?? newId()
    const now = new Date()
    await tx.run(
      `insert into channels (id, account_id, app_id, type, name, external_id, sealed_credentials, api_base_url, state, token_expires_at, token_issued_at,
         created_at, updated_at) values (?, ?, ?, ?, ?, ?, ?, ?, 'connected', ?, ?, ?, ?)`,
      [
        id,
        channel.accountId,
        channel.appId,
        channel.type,
        channel.name,
        channel.externalId,
        seal(sealer, id, channel.credentials),
        channel.apiBaseUrl,
        channel.tokenExpiresAt,
        now,
        now,
        now,
      ],
    )
    return id
  },

  get(reader: Reader, accountId: string, id: string, scope: Scope = everything): Promise<Channel | undefined> {
    const limit = within(scope, { channel: 'id' })
    return reader.first<Channel>(`${select} where account_id = ? and id = ?${limit.sql}`, [
      accountId,
      id,
      ...limit.values,
    ])
  },

  lock(tx: Writer, accountId: string, id: string): Promise<Channel | undefined> {
    return tx.first<Channel>(`${select} where account_id = ? and id = ? for update`, [accountId, id])
  },

  list(reader: Reader, accountId: string, scope: Scope = everything): Promise<Channel[]> {
    const limit = within(scope, { channel: 'id' })
    return reader.query<Channel>(`${select} where account_id = ?${limit.sql} order by name, id`, [
      accountId,
      ...limit.values,
    ])
  },

  /** The one under this address in the account, disconnected ones as well; locked. */
  lockByAddress(tx: Writer, accountId: string, type: ChannelType, externalId: string): Promise<Channel | undefined> {
    return tx.first<Channel>(`${select} where account_id = ? and type = ? and external_id = ? for update`, [
      accountId,
      type,
      externalId,
    ])
  },

  /** Whom an inbound item is for: networks name the address, and the webhook the app. */
  byExternalId(reader: Reader, appId: string, type: ChannelType, externalId: string): Promise<Channel | undefined> {
    return reader.first<Channel>(`${select} where app_id = ? and type = ? and external_id = ?`, [
      appId,
      type,
      externalId,
    ])
  },

  /** All channels of one app. */
  listByApp(reader: Reader, accountId: string, appId: string): Promise<Channel[]> {
    return reader.query<Channel>(`${select} where account_id = ? and app_id = ? order by id`, [accountId, appId])
  },

  /** Opens the credentials. Never log or present them. */
  openCredentials(sealer: Sealer, channel: Pick<Channel, 'id' | 'sealedCredentials'>): Credentials {
    return credentials.parse(JSON.parse(sealer.secrets.open(channel.sealedCredentials, place(channel.id))))
  },

  /**
   * New credentials, as after a refresh or a reconnection; an unfinished refresh is forgotten.
   * @param fromVersion only if they are still that version; false: someone else was faster
   */
  async setCredentials(
    tx: Writer,
    sealer: Sealer,
    accountId: string,
    id: string,
    value: Credentials,
    tokenExpiresAt: Date | null,
    fromVersion?: number,
  ): Promise<boolean> {
    const { affectedRows } = await tx.run(
      `update channels set sealed_credentials = ?, credentials_version = credentials_version + 1, token_expires_at = ?, token_issued_at = utc_timestamp(3),
         refresh_began_at = null, updated_at = utc_timestamp(3) where account_id = ? and id = ? and (? is null or credentials_version = ?)`,
      [seal(sealer, id, value), tokenExpiresAt, accountId, id, fromVersion ?? null, fromVersion ?? null],
    )
    return affectedRows > 0
  },

  /** Written before a refresh leaves and taken back when its answer is known: what stays tells of a lost answer. */
  async noteRefresh(tx: Writer, accountId: string, id: string, isUnderWay: boolean): Promise<void> {
    await tx.run(
      'update channels set refresh_began_at = if(?, coalesce(refresh_began_at, utc_timestamp(3)), null) where account_id = ? and id = ?',
      [isUnderWay, accountId, id],
    )
  },

  /** Under another app, name and address of the network's interface, as a reconnection gives them. */
  async move(
    tx: Writer,
    accountId: string,
    id: string,
    to: { readonly appId: string; readonly name: string; readonly apiBaseUrl: string | null },
  ): Promise<void> {
    await tx.run(
      'update channels set app_id = ?, name = ?, api_base_url = ?, updated_at = utc_timestamp(3) where account_id = ? and id = ?',
      [to.appId, to.name, to.apiBaseUrl, accountId, id],
    )
  },

  async setDisconnected(tx: Writer, accountId: string, id: string, isDisconnected: boolean): Promise<void> {
    await tx.run(
      'update channels set disconnected_at = if(?, coalesce(disconnected_at, utc_timestamp(3)), null), updated_at = utc_timestamp(3) where account_id = ? and id = ?',
      [isDisconnected, accountId, id],
    )
  },

  /** Notes that the network spoke; at most one write in ten seconds, so that busy channels do not meet on one row. */
  async touch(tx: Writer, accountId: string, id: string, at: Date): Promise<void> {
    await tx.run(
      'update channels set last_event_at = ? where account_id = ? and id = ? and (last_event_at is null or last_event_at < ? - interval 10 second)',
      [at, accountId, id, at],
    )
  },
}
