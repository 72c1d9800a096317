/** Connecting pages and Instagram accounts by Facebook Login (manual login flow; Pages API: me/accounts). */
import type { AppAccess, Asked, Connectable, SignIn } from '../connector.ts'
import { fieldsOf, idOf, listOf, textOf } from '../reading.ts'
import { callGraphAs, graphHost, graphVersion } from './graph.ts'
import { exchange, readToken } from './refresh.ts'
import { instagramPermissions, pagePermissions } from './permissions.ts'

const dialogHost = 'https://www.facebook.com'
const mostPages = 10

export const metaSignIn: SignIn = {
  /** The dialog takes no PKCE challenge from apps with a secret; `state` guards the way back. */
  authorizeUrl(app, { redirectUri, state }) {
    const query = new URLSearchParams({
      client_id: clientIdOf(app) ?? '',
      redirect_uri: redirectUri,
      state,
      response_type: 'code',
      scope: [...new Set(['pages_show_list', 'business_management', ...pagePermissions, ...instagramPermissions])].join(
        ',',
      ),
    })
    return `${app.apiBaseUrl ?? dialogHost}/${graphVersion}/dialog/oauth?${query.toString()}`
  },

  /** Code, then the short token, then the long one, then every page with its own token and its Instagram account. */
  async exchange(app, { code, redirectUri }, signal) {
    const clientId = clientIdOf(app)
    const secret = app.app.clientSecret ?? app.app.secret
    if (clientId === undefined || secret === undefined)
      return {
        type: 'refused',
        class: 'token',
        code: 'no_app',
        reason: 'The id or the secret of the app is not known.',
      }
    const query = { client_id: clientId, client_secret: secret, redirect_uri: redirectUri, code }
    const call = { method: 'GET', path: 'oauth/access_token', query, isOpen: true } as const
    const short = readToken(await callGraphAs(app, undefined, graphHost, call, signal))
    if (short.type !== 'ok') return short
    const long = await exchange(app, short.value.token, signal)
    if (long.type !== 'ok') return long
    return listPages(app, long.value.token, signal)
  },
}

/** Facebook knows the app by the id that its webhooks are registered under. */
const clientIdOf = (app: AppAccess): string | undefined => app.app.clientId ?? app.externalId

async function listPages(app: AppAccess, userToken: string, signal: AbortSignal): Promise<Asked<Connectable[]>> {
  const found: Connectable[] = []
  let after: string | undefined
  for (let page = 0; page < mostPages; page += 1) {
    const query = {
      fields: 'id,name,access_token,instagram_business_account{id,username,name}',
      limit: '100',
      ...(after === undefined ? {} : { after }),
    }
    const result = await callGraphAs(app, userToken, graphHost, { method: 'GET', path: 'me/accounts', query }, signal)
    if (!result.ok) return result.outcome
    const answer = fieldsOf(result.json)
    found.push(...listOf(answer.data).flatMap((one) => connectablesOf(fieldsOf(one), userToken)))
    const paging = fieldsOf(answer.paging)
    after = textOf(fieldsOf(paging.cursors).after)
    if (after === undefined || textOf(paging.next) === undefined) break
  }
  return { type: 'ok', value: found }
}

/** The page, and the Instagram account that is linked to it: both speak with the page's token, which has no end of its own. */
function connectablesOf(page: Readonly<Record<string, unknown>>, userToken: string): Connectable[] {
  const pageId = idOf(page.id)
  const token = textOf(page.access_token)
  // Without a token the person has no right to speak for the page.
  if (pageId === undefined || token === undefined) return []
  const credentials = { access_token: token, user_access_token: userToken }
  const name = textOf(page.name) ?? pageId
  const account = fieldsOf(page.instagram_business_account)
  const accountId = idOf(account.id)
  const own: Connectable = { type: 'facebook', externalId: pageId, name, credentials, tokenExpiresAt: undefined }
  if (accountId === undefined) return [own]
  const linked = textOf(account.username) ?? textOf(account.name) ?? name
  return [
    own,
    {
      type: 'instagram',
      externalId: accountId,
      name: linked,
      credentials: { ...credentials, page_id: pageId },
      tokenExpiresAt: undefined,
    },
  ]
}
