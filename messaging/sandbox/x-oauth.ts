/** Signing in at X (OAuth 2 with PKCE): the page with "Allow", and the token endpoint with its rotation. */
import { createHash, randomBytes } from 'node:crypto'
import { textOf } from '../connectors/reading.ts'
import type { Stage } from './customers.ts'
import type { Answer, Request } from './http.ts'
import { appByClientId, bearerOf, issueTokens, takeRefresh } from './x-tokens.ts'
import type { SandboxApp } from './world.ts'

interface Code {
  readonly app_id: string
  readonly channel: string
  readonly scope: string
  readonly redirectUri: string
  readonly challenge: string
  readonly expiresAt: number
}

/** Answers `/i/oauth2/authorize`, `/2/oauth2/token`, `/2/oauth2/revoke` and `/oauth2/token`; `undefined` for all else. */
export function openXOAuth({ world, clock }: Stage): (request: Request) => Answer | undefined {
  const codes = new Map<string, Code>()

  function authorize(request: Request): Answer {
    const isAnswer = request.method === 'POST'
    const query = isAnswer ? formOf(request) : request.url.searchParams
    const app = appByClientId(world, query.get('client_id') ?? '')
    const redirect = URL.parse(query.get('redirect_uri') ?? '')
    const challenge = query.get('code_challenge') ?? ''
    const isWhole =
      query.get('response_type') === 'code' && query.get('code_challenge_method') === 'S256' && challenge.length >= 43
    if (app === undefined || redirect === null || !isWhole || (query.get('state') ?? '') === '')
      return page(400, '<h1>Something went wrong</h1><p>You weren’t able to give access to the App.</p>')
    if (!isAnswer) return page(200, allowPage(app, [...world.channels.values()], query))
    redirect.searchParams.set('state', query.get('state') ?? '')
    const channel = world.channels.get(query.get('user_id') ?? '')
    if (query.get('decision') !== 'allow' || channel?.type !== 'x') redirect.searchParams.set('error', 'access_denied')
    else {
      const code = randomBytes(24).toString('base64url')
      codes.set(code, {
        app_id: app.app_id,
        channel: channel.external_id,
        scope: query.get('scope') ?? '',
        redirectUri: query.get('redirect_uri') ?? '',
        challenge,
        expiresAt: clock.now() + 30_000,
      })
      redirect.searchParams.set('code', code)
    }
    return { status: 302, json: null, headers: { location: redirect.href } }
  }

  /** A confidential client names itself in the header, a public one in the form. */
  function clientOf(request: Request, form: URLSearchParams): SandboxApp | undefined {
    const [id, secret] = basicOf(request)
    const app = appByClientId(world, id ?? form.get('client_id') ?? '')
    return app?.client_secret === undefined || app.client_secret === secret ? app : undefined
  }

  function token(request: Request): Answer {
    const form = formOf(request)
    const app = clientOf(request, form)
    if (app === undefined) return refused(401, 'unauthorized_client', 'Missing valid authorization header')
    if (form.get('grant_type') === 'refresh_token') {
      const grant = takeRefresh(world, form.get('refresh_token') ?? '')
      return grant?.app_id === app.app_id ? granted(issueTokens(world, clock, grant)) : invalidToken
    }
    const code = codes.get(form.get('code') ?? '')
    codes.delete(form.get('code') ?? '')
    const proof = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url')
    const isRight =
      form.get('grant_type') === 'authorization_code' &&
      code?.app_id === app.app_id &&
      code.redirectUri === form.get('redirect_uri') &&
      code.challenge === proof &&
      code.expiresAt >= clock.now()
    if (!isRight) return refused(400, 'invalid_request', 'Value passed for the authorization code was invalid.')
    return granted(issueTokens(world, clock, { app_id: code.app_id, channel: code.channel, scope: code.scope }))
  }

  function revoke(request: Request): Answer {
    const form = formOf(request)
    if (clientOf(request, form) === undefined)
      return refused(401, 'unauthorized_client', 'Missing valid authorization header')
    for (const kind of ['token', 'refresh']) world.note(`x.${kind}.${form.get('token') ?? ''}`, undefined)
    return { status: 200, json: { revoked: true } }
  }

  function appToken(request: Request): Answer {
    const [key, secret = ''] = basicOf(request)
    const app = [...world.apps.values()].find((one) => one.network === 'x' && one.consumer_key === key)
    return app?.secrets.includes(secret) === true && formOf(request).get('grant_type') === 'client_credentials'
      ? { status: 200, json: { token_type: 'bearer', access_token: bearerOf(app) } }
      : { status: 403, json: { errors: [{ code: 99, message: 'Unable to verify your credentials' }] } }
  }

  return (request) => {
    if (request.path === '/i/oauth2/authorize') return authorize(request)
    if (request.method !== 'POST') return undefined
    if (request.path === '/2/oauth2/token') return token(request)
    if (request.path === '/2/oauth2/revoke') return revoke(request)
    return request.path === '/oauth2/token' ? appToken(request) : undefined
  }
}

/** The answer may be lost like that of a send: then the old refresh token is dead and the new one unknown. */
const granted = (json: unknown): Answer => ({
  status: 200,
  json,
  accepted: { echo: () => Promise.resolve(), after: () => Promise.resolve() },
})
const refused = (status: number, error: string, error_description: string): Answer => ({
  status,
  json: { error, error_description },
})
const invalidToken = refused(400, 'invalid_request', 'Value passed for the token was invalid.')

const formOf = (request: Request): URLSearchParams => new URLSearchParams(request.body.toString('utf8'))

function basicOf(request: Request): [string | undefined, string | undefined] {
  const given = /^Basic (.+)$/i.exec(request.headers.authorization ?? '')?.[1]
  if (given === undefined) return [undefined, undefined]
  const [id, secret] = Buffer.from(given, 'base64').toString('utf8').split(':')
  return [decode(id), decode(secret)]
}
function decode(text: string | undefined): string | undefined {
  try {
    return text === undefined ? undefined : decodeURIComponent(text)
  } catch {
    return text
  }
}

function allowPage(
  app: SandboxApp,
  channels: readonly {
    readonly type: string
    readonly external_id: string
    readonly name: string
    readonly handle?: string | undefined
  }[],
  query: URLSearchParams,
): string {
  const hidden = [...query].map(
    ([name, value]) => `<input type="hidden" name="${escape(name)}" value="${escape(value)}">`,
  )
  const users = channels.filter(({ type }) => type === 'x')
  const options = users.map(({ external_id, name, handle }) => {
    const shown = `${name} (@${handle ?? external_id})`
    return `<option value="${escape(external_id)}">${escape(shown)}</option>`
  })
  return `<h1>App ${escape(textOf(app.client_id) ?? app.app_id)} wants to access your X account</h1>
<p>It asks for: ${escape(query.get('scope') ?? '')}</p>
<form method="post">${hidden.join('')}
<p><label>Account <select name="user_id">${options.join('')}</select></label></p>
<p><button name="decision" value="allow">Allow</button> <button name="decision" value="deny">Cancel</button></p></form>`
}

const escape = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')

const page = (status: number, body: string): Answer => ({
  status,
  json: null,
  headers: { 'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'", 'cache-control': 'no-store' },
  bytes: {
    contentType: 'text/html; charset=utf-8',
    data: `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>X (sandbox)</title>
<style>body{font:16px/1.5 system-ui;max-width:32rem;margin:3rem auto;padding:0 1rem;color-scheme:light dark}button,select{font:inherit;padding:.5rem 1rem}</style>${body}</html>`,
  },
})
