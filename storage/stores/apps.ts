/** Apps: our registrations with the networks. What is secret of them lies sealed in the row. */
import { z } from 'zod'
import { newId } from '../../infra/ids.ts'
import type { Reader, Writer } from '../database.ts'
import type { NetworkName } from '../model/words.ts'
import type { Secrets } from '../secrets.ts'

export interface App {
  readonly id: string
  readonly accountId: string
  readonly network: NetworkName
  readonly name: string
  readonly externalId: string | null
  /** The unguessable last part of the webhook address. */
  readonly webhookKey: string
  /** See `apps.openSecrets`. */
  readonly sealedSecrets: Buffer
  readonly consumerKey: string | null
  readonly clientId: string | null
  readonly apiBaseUrl: string | null
  readonly createdAt: Date
  readonly updatedAt: Date
}

/** What is sealed of an app. */
export interface AppSecrets {
  /** Meta: app secrets; X: consumer secrets; the newest first. A signature by any of them is good. */
  readonly secrets: readonly string[]
  readonly clientSecret: string | null
  /** Meta: what the network must say when the webhook address is entered. */
  readonly verifyToken: string | null
}

const sealedShape = z.object({
  secrets: z.array(z.string()),
  client_secret: z.string().nullable(),
  verify_token: z.string().nullable(),
})

export interface NewApp {
  readonly id?: string | undefined
  readonly accountId: string
  readonly network: NetworkName
  readonly name: string
  readonly externalId: string | null
  readonly webhookKey: string
  readonly secrets: AppSecrets
  readonly consumerKey: string | null
  readonly clientId: string | null
  readonly apiBaseUrl: string | null
}

interface Row {
  id: string
  account_id: string
  network: NetworkName
  name: string
  external_id: string | null
  webhook_key: string
  sealed_secrets: Buffer
  consumer_key: string | null
  client_id: string | null
  api_base_url: string | null
  created_at: Date
  updated_at: Date
}

const columns =
  'id, account_id, network, name, external_id, webhook_key, sealed_secrets, consumer_key, client_id, api_base_url, created_at, updated_at'

const present = (row: Row): App => ({
  id: row.id,
  accountId: row.account_id,
  network: row.network,
  name: row.name,
  externalId: row.external_id,
  webhookKey: row.webhook_key,
  sealedSecrets: row.sealed_secrets,
  consumerKey: row.consumer_key,
  clientId: row.client_id,
  apiBaseUrl: row.api_base_url,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
})

const seal = ({ secrets }: { readonly secrets: Secrets }, id: string, value: AppSecrets): Buffer =>
  secrets.seal(
    JSON.stringify({ secrets: value.secrets, client_secret: value.clientSecret, verify_token: value.verifyToken }),
    place(id),
  )

const place = (id: string) => `apps|sealed_secrets|${id}`

export const apps = {
  /** The id of the new app. @param sealer the storage */
  async create(tx: Writer, sealer: { readonly secrets: Secrets }, app: NewApp): Promise<string> {
    const id = app.id ?? newId()
    const now = new Date()
    await tx.run(`insert into apps (${columns}) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, [
      id,
      app.accountId,
      app.network,
      app.name,
      app.externalId,
      app.webhookKey,
      seal(sealer, id, app.secrets),
      app.consumerKey,
      app.clientId,
      app.apiBaseUrl,
      now,
      now,
    ])
    return id
  },

  async get(reader: Reader, accountId: string, id: string): Promise<App | undefined> {
    const row = await reader.first<Row>(`select ${columns} from apps where account_id = ? and id = ?`, [accountId, id])
    return row && present(row)
  },

  async list(reader: Reader, accountId: string): Promise<App[]> {
    return (await reader.query<Row>(`select ${columns} from apps where account_id = ? order by id`, [accountId])).map(
      present,
    )
  },

  /** For the webhook door, where the address alone names the account. The door keeps a copy for a short time. */
  async byWebhookKey(reader: Reader, webhookKey: string): Promise<App | undefined> {
    const row = await reader.first<Row>(`select ${columns} from apps where webhook_key = ?`, [webhookKey])
    return row && present(row)
  },

  /** For messages from the broker, which name the app only. */
  async byId(reader: Reader, id: string): Promise<App | undefined> {
    const row = await reader.first<Row>(`select ${columns} from apps where id = ?`, [id])
    return row && present(row)
  },

  /** Opens what is sealed. Never log or present it. @param sealer the storage */
  openSecrets(sealer: { readonly secrets: Secrets }, app: Pick<App, 'id' | 'sealedSecrets'>): AppSecrets {
    const opened = sealedShape.parse(JSON.parse(sealer.secrets.open(app.sealedSecrets, place(app.id))))
    return { secrets: opened.secrets, clientSecret: opened.client_secret, verifyToken: opened.verify_token }
  },

  async lock(tx: Writer, accountId: string, id: string): Promise<App | undefined> {
    const row = await tx.first<Row>(`select ${columns} from apps where account_id = ? and id = ? for update`, [
      accountId,
      id,
    ])
    return row && present(row)
  },

  /** Writes what may be another way later on; everything that is not named stays. */
  async change(
    tx: Writer,
    sealer: { readonly secrets: Secrets },
    accountId: string,
    id: string,
    value: Pick<App, 'name' | 'externalId' | 'consumerKey' | 'clientId'> & { readonly secrets: AppSecrets },
  ): Promise<void> {
    await tx.run(
      `update apps set name = ?, external_id = ?, consumer_key = ?, client_id = ?, sealed_secrets = ?, updated_at = utc_timestamp(3)
       where account_id = ? and id = ?`,
      [value.name, value.externalId, value.consumerKey, value.clientId, seal(sealer, id, value.secrets), accountId, id],
    )
  },
}
