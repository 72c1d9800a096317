/** Channels: connected addresses. Their credentials lie sealed in the row. */
import { z } from 'zod'
import { newId } from '../../infra/ids.ts'
import type { Reader, Writer } from '../database.ts'
import type { ChannelState, ChannelType } from '../model/words.ts'
import type { Secrets } from '../secrets.ts'

export interface Channel {
  readonly id: string
  readonly accountId: string
  readonly appId: string
  readonly type: ChannelType
  readonly name: string
  readonly externalId: string
  /** See `channels.openCredentials`. */
  readonly sealedCredentials: Buffer
  readonly apiBaseUrl: string | null
  readonly state: ChannelState
  readonly stateReason: string | null
  readonly lastEventAt: Date | null
  readonly tokenExpiresAt: Date | null
  readonly createdAt: Date
  readonly updatedAt: Date
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

interface Row {
  id: string
  account_id: string
  app_id: string
  type: ChannelType
  name: string
  external_id: string
  sealed_credentials: Buffer
  api_base_url: string | null
  state: ChannelState
  state_reason: string | null
  last_event_at: Date | null
  token_expires_at: Date | null
  created_at: Date
  updated_at: Date
}

const columns = `id, account_id, app_id, type, name, external_id, sealed_credentials, api_base_url, state, state_reason, last_event_at, token_expires_at,
  created_at, updated_at`

const present = (row: Row): Channel => ({
  id: row.id,
  accountId: row.account_id,
  appId: row.app_id,
  type: row.type,
  name: row.name,
  externalId: row.external_id,
  sealedCredentials: row.sealed_credentials,
  apiBaseUrl: row.api_base_url,
  state: row.state,
  stateReason: row.state_reason,
  lastEventAt: row.last_event_at,
  tokenExpiresAt: row.token_expires_at,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
})

const place = (id: string) => `channels|sealed_credentials|${id}`

export const channels = {
  /** The id. @param sealer the storage. The same address twice in one account is refused (ER_DUP_ENTRY). */
  async create(tx: Writer, sealer: { readonly secrets: Secrets }, channel: NewChannel): Promise<string> {
    const id = channel.id ?? newId()
    const now = new Date()
    await tx.run(
      `insert into channels (${columns}) values (?, ?, ?, ?, ?, ?, ?, ?, 'connected', null, null, ?, ?, ?)`,
      [
        id,
        channel.accountId,
        channel.appId,
        channel.type,
        channel.name,
        channel.externalId,
        sealer.secrets.seal(JSON.stringify(channel.credentials), place(id)),
        channel.apiBaseUrl,
        channel.tokenExpiresAt,
        now,
        now,
      ],
    )
    return id
  },

  async get(reader: Reader, accountId: string, id: string): Promise<Channel | undefined> {
    const row = await reader.first<Row>(`select ${columns} from channels where account_id = ? and id = ?`, [
      accountId,
      id,
    ])
    return row && present(row)
  },

  async list(reader: Reader, accountId: string): Promise<Channel[]> {
    return (
      await reader.query<Row>(`select ${columns} from channels where account_id = ? order by name, id`, [accountId])
    ).map(present)
  },

  /** Whom an inbound item is for: networks name the address, and the webhook the app. */
  async byExternalId(
    reader: Reader,
    appId: string,
    type: ChannelType,
    externalId: string,
  ): Promise<Channel | undefined> {
    const row = await reader.first<Row>(
      `select ${columns} from channels where app_id = ? and type = ? and external_id = ?`,
      [appId, type, externalId],
    )
    return row && present(row)
  },

  /** All channels of one app. */
  async listByApp(reader: Reader, accountId: string, appId: string): Promise<Channel[]> {
    return (
      await reader.query<Row>(`select ${columns} from channels where account_id = ? and app_id = ? order by id`, [
        accountId,
        appId,
      ])
    ).map(present)
  },

  /** Opens the credentials. Never log or present them. */
  openCredentials(
    sealer: { readonly secrets: Secrets },
    channel: Pick<Channel, 'id' | 'sealedCredentials'>,
  ): Credentials {
    return credentials.parse(JSON.parse(sealer.secrets.open(channel.sealedCredentials, place(channel.id))))
  },

  /** New credentials, as after a refresh or a reconnection. */
  async setCredentials(
    tx: Writer,
    sealer: { readonly secrets: Secrets },
    accountId: string,
    id: string,
    value: Credentials,
    tokenExpiresAt: Date | null,
  ): Promise<void> {
    await tx.run(
      'update channels set sealed_credentials = ?, token_expires_at = ?, updated_at = utc_timestamp(3) where account_id = ? and id = ?',
      [sealer.secrets.seal(JSON.stringify(value), place(id)), tokenExpiresAt, accountId, id],
    )
  },

  /** Whether anything changed: only then is there a fact to announce. */
  async setState(
    tx: Writer,
    accountId: string,
    id: string,
    state: ChannelState,
    reason: string | null,
  ): Promise<boolean> {
    const { affectedRows } = await tx.run(
      'update channels set state = ?, state_reason = ?, updated_at = utc_timestamp(3) where account_id = ? and id = ? and not (state = ? and state_reason <=> ?)',
      [state, reason, accountId, id, state, reason],
    )
    return affectedRows > 0
  },

  /** Notes that the network spoke; at most one write in ten seconds, so that busy channels do not meet on one row. */
  async touch(tx: Writer, accountId: string, id: string, at: Date): Promise<void> {
    await tx.run(
      'update channels set last_event_at = ? where account_id = ? and id = ? and (last_event_at is null or last_event_at < ? - interval 10 second)',
      [at, accountId, id, at],
    )
  },
}
