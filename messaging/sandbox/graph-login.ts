/**
 * Facebook Login as it is played here: the dialog with one button, codes, short and long tokens, the pages of whoever
 * signed in, and what `debug_token` says of a token. Everybody who signs in owns all pages of the app.
 */
import { randomBytes } from 'node:crypto'
import { fieldsOf, textOf } from '../connectors/reading.ts'
import type { Fields } from '../connectors/reading.ts'
import type { Stage } from './customers.ts'
import { businessAccountOf, channelsOf, grantToken, permissionsOf, setTokenState, tokenState } from './graph-channel.ts'
import { graphError } from './graph-error.ts'
import type { Answer } from './http.ts'
import { setSubscribed } from './subscriptions.ts'
import type { SandboxApp, SandboxChannel, World } from './world.ts'

const dayMs = 24 * 60 * 60 * 1000
const hourMs = 60 * 60 * 1000
const codeMs = 10 * 60 * 1000

/** What needs no token: the dialog and the token endpoints. `undefined` for any other path. */
export function answerLogin(stage: Stage, method: string, path: string, parameters: Fields): Answer | undefined {
  if (path === 'dialog/oauth' && method === 'GET') return showDialog(stage, parameters)
  if (path === 'dialog/oauth/allow' && method === 'GET') return allow(stage, parameters)
  if (path === 'oauth/access_token') return giveToken(stage, parameters)
  if (path === 'refresh_access_token' && method === 'GET') return refreshInstagram(stage, parameters)
  return undefined
}

function showDialog(stage: Stage, parameters: Fields): Answer {
  const app = appOf(stage.world, textOf(parameters.client_id))
  const redirect = textOf(parameters.redirect_uri)
  if (app === undefined) return page(400, '<h1>This app is not known</h1><p>The app id is wrong.</p>')
  if (redirect === undefined || !URL.canParse(redirect)) return page(400, '<h1>The redirect address is missing</h1>')
  const hidden = ['client_id', 'redirect_uri', 'state', 'scope']
    .map((name) => `<input type="hidden" name="${name}" value="${escapeHtml(textOf(parameters[name]) ?? '')}">`)
    .join('')
  const scopes = (textOf(parameters.scope) ?? '')
    .split(',')
    .map((scope) => `<li>${escapeHtml(scope)}</li>`)
    .join('')
  return page(
    200,
    `<h1>Sandbox login</h1><p>The app ${escapeHtml(app.app_id)} wants:</p><ul>${scopes}</ul>
<form action="oauth/allow" method="get">${hidden}<button name="answer" value="allow">Allow</button> <button name="answer" value="deny">Not now</button></form>`,
  )
}

/** Back to the app: with a code, or with the error of whoever does not want to. */
function allow(stage: Stage, parameters: Fields): Answer {
  const app = appOf(stage.world, textOf(parameters.client_id))
  const redirect = URL.parse(textOf(parameters.redirect_uri) ?? '')
  if (app === undefined || redirect === null) return page(400, '<h1>This app is not known</h1>')
  if (parameters.answer === 'deny') {
    redirect.searchParams.set('error', 'access_denied')
    redirect.searchParams.set('error_reason', 'user_denied')
    redirect.searchParams.set('error_description', 'Permissions error')
  } else {
    const code = randomBytes(24).toString('base64url')
    const scopes = (textOf(parameters.scope) ?? '').split(',')
    stage.world.note(`meta.code.${code}`, {
      app_id: app.app_id,
      redirect_uri: textOf(parameters.redirect_uri),
      at: stage.clock.now(),
      scopes,
    })
    redirect.searchParams.set('code', code)
  }
  const state = textOf(parameters.state)
  if (state !== undefined) redirect.searchParams.set('state', state)
  return { status: 302, json: null, headers: { location: redirect.href } }
}

function giveToken(stage: Stage, parameters: Fields): Answer {
  const { world, clock } = stage
  const app = appOf(world, textOf(parameters.client_id))
  if (app === undefined)
    return graphError(
      101,
      undefined,
      'Error validating application. Cannot get application info due to a system error.',
    )
  if (!secretsOf(app).includes(textOf(parameters.client_secret) ?? ''))
    return graphError(1, undefined, 'Error validating client secret.')
  if (parameters.grant_type === 'fb_exchange_token')
    return exchangeToken(stage, textOf(parameters.fb_exchange_token) ?? '')
  const code = textOf(parameters.code) ?? ''
  const known = fieldsOf(world.notes.get(`meta.code.${code}`))
  if (known.app_id !== app.app_id || known.is_used === true)
    return graphError(100, 36009, 'This authorization code has been used.')
  world.note(`meta.code.${code}`, { ...known, is_used: true })
  if (typeof known.at !== 'number' || clock.now() - known.at > codeMs)
    return graphError(100, 36007, 'This authorization code has expired.')
  if (known.redirect_uri !== parameters.redirect_uri)
    return graphError(
      100,
      36008,
      'Error validating verification code. Please make sure your redirect_uri is identical to the one you used in the OAuth dialog request',
    )
  seedPage(world, app)
  return { status: 200, json: newUserToken(stage, app, 2 * hourMs, known.scopes) }
}

function newUserToken(stage: Stage, app: SandboxApp, lifeMs: number, scopes: unknown): Fields {
  const token = `EAAuser${randomBytes(24).toString('hex')}`
  stage.world.note(`meta.user.${token}`, { app_id: app.app_id })
  setTokenState(stage.world, token, {
    is_valid: true,
    expires_at: stage.clock.now() + lifeMs,
    ...(Array.isArray(scopes) ? { scopes: scopes.map(textOf).filter((scope) => scope !== undefined) } : {}),
  })
  return { access_token: token, token_type: 'bearer', expires_in: Math.floor(lifeMs / 1000) }
}

/** A long-lived token for a short one: of a person, or of channels. */
function exchangeToken(stage: Stage, old: string): Answer {
  const { world } = stage
  const state = tokenState(stage, old)
  if (!state.is_valid) return graphError(190, state.subcode, 'Error validating access token.')
  const app = world.apps.get(textOf(fieldsOf(world.notes.get(`meta.user.${old}`)).app_id) ?? '')
  if (app !== undefined) return { status: 200, json: newUserToken(stage, app, 60 * dayMs, state.scopes) }
  return renew(stage, channelsOf(world, old))
}

/** Instagram Login: a token of at least a day's age for another sixty days. */
function refreshInstagram(stage: Stage, parameters: Fields): Answer {
  const old = textOf(parameters.access_token) ?? ''
  const state = tokenState(stage, old)
  if (!state.is_valid) return graphError(190, state.subcode, 'Error validating access token.')
  return renew(stage, channelsOf(stage.world, old))
}

function renew(stage: Stage, channels: readonly SandboxChannel[]): Answer {
  if (channels.length === 0) return graphError(190, undefined, 'Invalid OAuth access token - Cannot parse access token')
  const token = `EAApage${randomBytes(24).toString('hex')}`
  grantToken(stage.world, token, channels)
  setTokenState(stage.world, token, { is_valid: true, expires_at: stage.clock.now() + 60 * dayMs })
  return { status: 200, json: { access_token: token, token_type: 'bearer', expires_in: 60 * 24 * 3600 } }
}

/** What a person's token may ask: who they are, their pages, the token of one of them. */
export function answerUser(stage: Stage, app: SandboxApp, id: string, edge: string, parameters: Fields): Answer {
  const pages = [...stage.world.channels.values()].filter((one) => one.type === 'facebook' && one.app_id === app.app_id)
  if (id === 'me' && edge === '') return { status: 200, json: { id: '5500000000000001', name: 'Sandbox operator' } }
  if (id === 'me' && edge === 'accounts') {
    const limit = Number(parameters.limit) || 25
    const from = Number(parameters.after) || 0
    const data = pages.slice(from, from + limit).map((one) => describe(stage.world, one))
    const cursors = { before: String(from), after: String(from + limit) }
    return {
      status: 200,
      json: {
        data,
        paging: from + limit < pages.length ? { cursors, next: 'https://graph.facebook.com/next' } : { cursors },
      },
    }
  }
  const own = pages.find((one) => one.external_id === id)
  return own === undefined
    ? graphError(100, 33, `Object with ID '${id}' does not exist`)
    : { status: 200, json: describe(stage.world, own) }
}

function describe(world: World, own: SandboxChannel): Fields {
  const linked = [...world.channels.values()].find((one) => one.type === 'instagram' && one.page_id === own.external_id)
  return {
    id: own.external_id,
    name: own.name,
    access_token: own.access_token,
    tasks: ['MESSAGING', 'MODERATE', 'CREATE_CONTENT', 'MANAGE'],
    ...(linked === undefined
      ? {}
      : {
          instagram_business_account: {
            id: linked.external_id,
            username: linked.handle ?? linked.name,
            name: linked.name,
          },
        }),
  }
}

/** Who signs in finds at least one page that is not connected yet, with an Instagram account. */
function seedPage(world: World, app: SandboxApp): void {
  const id = `88${app.app_id.replace(/\D/g, '').slice(-10).padStart(12, '0')}`
  if (world.channels.has(id)) return
  const access_token = `EAApage${randomBytes(24).toString('hex')}`
  world.putChannel({ type: 'facebook', external_id: id, name: 'Lighthouse Café', access_token, app_id: app.app_id })
  world.putChannel({
    type: 'instagram',
    external_id: `1784${id}`,
    name: 'Lighthouse Café',
    handle: 'lighthouse.cafe',
    access_token,
    app_id: app.app_id,
    page_id: id,
  })
  for (const one of [id, `1784${id}`]) setSubscribed(world, one, false, 'Never subscribed.')
}

/** `debug_token`: what is known of a token. */
export function debugToken(stage: Stage, token: string): Answer {
  const { world } = stage
  const channels = channelsOf(world, token)
  const userApp = textOf(fieldsOf(world.notes.get(`meta.user.${token}`)).app_id)
  const [channel] = channels
  if (channel === undefined && userApp === undefined)
    return {
      status: 200,
      json: { data: { is_valid: false, error: { code: 190, message: 'Invalid OAuth access token.' }, scopes: [] } },
    }
  const state = tokenState(stage, token)
  const scopes = state.scopes ?? [...new Set(['pages_show_list', ...channels.flatMap((one) => permissionsOf(one))])]
  const targets = channels.filter((one) => one.type === 'whatsapp').map((one) => businessAccountOf(one))
  const data = {
    app_id: userApp ?? channel?.app_id,
    type: userApp !== undefined ? 'USER' : channel?.type === 'whatsapp' ? 'SYSTEM_USER' : 'PAGE',
    is_valid: state.is_valid,
    expires_at: state.expires_at === undefined ? 0 : Math.floor(state.expires_at / 1000),
    data_access_expires_at: 0,
    scopes,
    ...(targets.length === 0
      ? {}
      : { granular_scopes: [{ scope: 'whatsapp_business_management', target_ids: targets }] }),
    ...(channel === undefined ? {} : { profile_id: channel.external_id }),
    ...(state.is_valid
      ? {}
      : { error: { code: 190, subcode: state.subcode, message: 'Error validating access token.' } }),
  }
  return { status: 200, json: { data } }
}

export const appOf = (world: World, clientId: string | undefined): SandboxApp | undefined =>
  [...world.apps.values()].find((app) => app.network === 'meta' && (app.client_id ?? app.app_id) === clientId)
export const secretsOf = (app: SandboxApp): readonly string[] => [
  ...(app.client_secret === undefined ? [] : [app.client_secret]),
  ...app.secrets,
]

const escapeHtml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')

const page = (status: number, body: string): Answer => ({
  status,
  json: null,
  bytes: {
    contentType: 'text/html; charset=utf-8',
    data: `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Sandbox login</title><style>body{font:1rem system-ui;max-width:30rem;margin:3rem auto;padding:0 1rem}button{font:inherit;padding:.5rem 1rem}</style>${body}</html>`,
  },
})
