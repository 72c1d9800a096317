import type { Config } from '../../infra/config.ts'
import type { App, CatchUp, Channel, Storage } from '../../storage/index.ts'
import { doorPath } from '../webhooks.ts'
import type { AppJson, ChannelJson } from './shapes.ts'

/** An app with its webhook address and verify token; its secrets are never shown. */
export function presentApp(app: App, storage: Storage, config: Config): AppJson {
  const sealed = storage.apps.openSecrets(storage, app)
  return {
    id: app.id,
    network: app.network,
    name: app.name,
    external_id: app.externalId,
    webhook_url: webhookUrlOf(app, config),
    verify_token: sealed.verifyToken,
    consumer_key: app.consumerKey,
    client_id: app.clientId,
    has_client_secret: sealed.clientSecret !== null,
    secret_count: sealed.secrets.length,
    api_base_url: app.apiBaseUrl,
    created_at: app.createdAt.toISOString(),
  }
}

/** What the network calls. */
export const webhookUrlOf = (app: Pick<App, 'webhookKey'>, config: Config): string =>
  `${config.publicUrl}${doorPath}${app.webhookKey}`

/** A channel with its health; its credentials are never shown. */
export function presentChannel(channel: Channel, catchUp: CatchUp | undefined): ChannelJson {
  return {
    id: channel.id,
    app_id: channel.appId,
    type: channel.type,
    name: channel.name,
    external_id: channel.externalId,
    api_base_url: channel.apiBaseUrl,
    health: {
      state: channel.state,
      reason: channel.stateReason,
      last_event_at: channel.lastEventAt?.toISOString() ?? null,
      token_expires_at: channel.tokenExpiresAt?.toISOString() ?? null,
      code: channel.stateCode,
      cure: channel.stateCure,
      checked_at: channel.checkedAt?.toISOString() ?? null,
      subscription: channel.subscriptionState && {
        state: channel.subscriptionState,
        missing: [...(channel.subscriptionMissing ?? [])],
      },
      quotas: (channel.quotas ?? []).map(({ name, used, resets_at }) => ({ name, used, resets_at })),
      caught_up_to: channel.caughtUpTo?.toISOString() ?? null,
      catching_up:
        catchUp === undefined
          ? null
          : {
              since: catchUp.since.toISOString(),
              pages: catchUp.pages,
              found: catchUp.found,
              fresh: catchUp.fresh,
              last_error: catchUp.lastError,
            },
    },
    disconnected_at: channel.disconnectedAt?.toISOString() ?? null,
    created_at: channel.createdAt.toISOString(),
  }
}
