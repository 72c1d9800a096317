/** Looking after channels of Meta: tokens, permissions, subscriptions, allowances, signing in. */
import { describe, expect, test } from 'vitest'
import { quota } from '../messaging/connectors/meta/usage.ts'
import {
  access,
  came,
  connector,
  control,
  customer,
  good,
  hearsAt,
  ids,
  items,
  origin,
  outbound,
  send,
  signal,
  webhook,
} from './meta-stage.ts'
import type { Type } from './meta-stage.ts'

describe('how a channel stands', () => {
  const examine = async (type: Type, credentials = {}) => connector(type).examine?.(access(type, credentials), signal)

  test.each(['facebook', 'instagram', 'whatsapp'] as const)('%s is well', async (type) => {
    expect(await examine(type)).toEqual({
      state: 'connected',
      code: undefined,
      reason: undefined,
      tokenExpiresAt: undefined,
      missingPermissions: [],
    })
  })

  test.each([
    [460, /password/],
    [458, /app was removed/],
    [459, /facebook\.com/],
    [463, /expired/],
    [492, /role/],
    [undefined, /not valid/],
  ])('a dead token, subcode %s', async (subcode, words) => {
    await control('PUT', 'meta/token', {
      channel: ids.facebook,
      is_valid: false,
      ...(subcode === undefined ? {} : { subcode }),
    })
    const condition = await examine('facebook')
    expect(condition).toMatchObject({
      state: 'reconnect_needed',
      code: subcode === undefined ? '190' : `190/${String(subcode)}`,
    })
    expect(condition?.reason).toMatch(words)
  })

  test('the end of a token is told days before, and then it is dead', async () => {
    await control('PUT', 'meta/token', { channel: ids.facebook, expires_in_ms: 3 * 86_400_000 })
    const condition = await examine('facebook')
    expect(condition?.state).toBe('connected')
    const days = ((condition?.tokenExpiresAt?.getTime() ?? 0) - Date.now()) / 86_400_000
    expect(days > 2.9 && days < 3.1).toBe(true)
    await control('POST', 'clock', { ms: 4 * 86_400_000 })
    expect(await examine('facebook')).toMatchObject({ state: 'reconnect_needed', code: '190/463' })
  })

  test('missing permissions, a wrong token, none, a wrong secret, nobody there', async () => {
    await control('PUT', 'meta/token', { channel: ids.whatsapp, scopes: ['whatsapp_business_messaging'] })
    expect(await examine('whatsapp')).toMatchObject({
      state: 'degraded',
      code: 'permissions_missing',
      missingPermissions: ['whatsapp_business_management'],
    })
    expect(await examine('facebook', { access_token: 'other' })).toMatchObject({
      state: 'reconnect_needed',
      code: '190',
    })
    expect(await examine('facebook', { access_token: '' })).toMatchObject({
      state: 'reconnect_needed',
      code: 'no_token',
    })
    const wrong = { ...access('facebook'), app: { ...access('facebook').app, secret: 'other' } }
    expect(await connector('facebook').examine?.(wrong, signal)).toMatchObject({ state: 'degraded', code: '100' })
    const nobody = { ...access('facebook'), apiBaseUrl: 'http://127.0.0.1:1', allowHosts: ['127.0.0.1:1'] }
    expect(await connector('facebook').examine?.(nobody, signal)).toMatchObject({ state: 'degraded' })
  })

  test('the newest use of the allowance', async () => {
    await customer('facebook', { text: 'Hello' })
    await send('facebook')
    expect(quota(ids.facebook)).toEqual([{ name: 'app', used: 0.01, resetsAt: undefined }])
    await customer('whatsapp', { text: 'Hello' })
    await send('whatsapp')
    expect(quota(ids.whatsapp)).toMatchObject([{ name: 'whatsapp', used: 0.02 }])
    expect(quota('unknown')).toEqual([])
  })
})

describe('webhook subscriptions', () => {
  test.each(['facebook', 'instagram', 'whatsapp'] as const)('%s: seen when it ends, and renewed', async (type) => {
    const check = async () => good(await connector(type).checkSubscription?.(access(type), webhook, signal))
    expect(await check()).toEqual({ isActive: true, missing: [], reason: undefined })
    await control('PUT', 'subscriptions', { channel: type === 'instagram' ? ids.facebook : ids[type], is_on: false })
    expect(await check()).toMatchObject({ isActive: false })
    items.length = 0
    await customer(type, { text: 'unheard' })
    expect(items).toEqual([])
    expect(good(await connector(type).subscribe?.(access(type), webhook, signal))).toEqual({
      isActive: true,
      missing: [],
      reason: undefined,
    })
    await customer(type, { text: 'heard' })
    expect(await came('message')).toMatchObject({ text: 'heard' })
  })
})

test('the webhook of the app: set up where it is missing, left alone where it leads elsewhere', async () => {
  const check = async (to = webhook) =>
    good(await connector('instagram').checkSubscription?.(access('instagram'), to, signal))
  const address = hearsAt()
  const app = `${origin()}/v25.0/99/subscriptions?access_token=99|meta-secret`
  await fetch(`${app}&object=instagram`, { method: 'DELETE' })
  expect(await check()).toMatchObject({
    isActive: false,
    reason: expect.stringContaining('no active webhook') as unknown,
  })
  const there = { ...webhook, url: address }
  expect(good(await connector('instagram').subscribe?.(access('instagram'), there, signal)).isActive).toBe(true)
  const few = new URLSearchParams({
    object: 'instagram',
    callback_url: address,
    verify_token: 'verify-me',
    fields: 'messages',
  })
  await fetch(`${app}&${few.toString()}`, { method: 'POST' })
  expect((await check()).missing).toContain('comments')
  const other = { ...webhook, url: 'http://127.0.0.1/webhooks/other' }
  expect(good(await connector('instagram').subscribe?.(access('instagram'), other, signal))).toMatchObject({
    isActive: false,
    reason: expect.stringContaining('another address') as unknown,
  })
  // Who does not know the app's secret looks at the channel alone.
  const blind = { ...access('instagram'), app: { ...access('instagram').app, secret: undefined, clientId: undefined } }
  expect(good(await connector('instagram').checkSubscription?.(blind, other, signal)).isActive).toBe(true)
})

test('a page and its Instagram account share one list of fields: neither takes away what the other needs', async () => {
  await fetch(`${origin()}/v25.0/me/subscribed_apps?access_token=page-token&subscribed_fields=messages`, {
    method: 'POST',
  })
  const check = async (type: Type) => good(await connector(type).checkSubscription?.(access(type), webhook, signal))
  expect((await check('facebook')).missing).toContain('feed')
  await connector('facebook').subscribe?.(access('facebook'), webhook, signal)
  await connector('instagram').subscribe?.(access('instagram'), webhook, signal)
  expect([(await check('facebook')).missing, (await check('instagram')).missing]).toEqual([[], []])
})

describe('signing in', () => {
  const app = () => ({
    externalId: '99',
    apiBaseUrl: origin(),
    allowHosts: [new URL(origin()).host],
    app: access('facebook').app,
  })
  const redirectUri = 'http://127.0.0.1:9/connect/meta/callback'
  const ask = { redirectUri, state: 'state-1', challenge: 'unused' }
  const signIn = () => {
    const found = connector('facebook').signIn
    if (found === undefined) throw new Error('nobody can sign in')
    return found
  }
  async function press(answer: 'allow' | 'deny'): Promise<URL> {
    const dialog = await fetch(signIn().authorizeUrl(app(), ask))
    expect(dialog.status).toBe(200)
    const html = await dialog.text()
    expect(html).toContain('pages_messaging')
    const query = new URLSearchParams()
    for (const [, name = '', value = ''] of html.matchAll(/name="(\w+)" value="([^"]*)"/g))
      query.set(name, value.replaceAll('&amp;', '&'))
    query.set('answer', answer)
    const back = await fetch(new URL(`oauth/allow?${query.toString()}`, dialog.url), { redirect: 'manual' })
    expect(back.status).toBe(302)
    return new URL(back.headers.get('location') ?? '')
  }
  const exchange = (code: string, uri = redirectUri) =>
    signIn().exchange(app(), { code, redirectUri: uri, verifier: '' }, signal)

  test('brings every page and its Instagram account, ready to be used', async () => {
    const back = await press('allow')
    expect(back.searchParams.get('state')).toBe('state-1')
    const found = good(await exchange(back.searchParams.get('code') ?? ''))
    expect(found.map(({ type }) => type).sort()).toEqual(['facebook', 'facebook', 'instagram', 'instagram'])
    expect(found.find((one) => one.externalId === ids.instagram)).toMatchObject({
      type: 'instagram',
      name: 'harbour',
      credentials: { access_token: 'page-token', page_id: ids.facebook },
    })
    const cafe = found.find((one) => one.type === 'facebook' && one.name === 'Lighthouse Café')
    const channel = { ...access('facebook'), externalId: cafe?.externalId ?? '', credentials: cafe?.credentials ?? {} }
    expect(await connector('facebook').examine?.(channel, signal)).toMatchObject({ state: 'connected' })
    // A page that was just connected tells nothing until it is subscribed.
    expect(good(await connector('facebook').checkSubscription?.(channel, webhook, signal)).isActive).toBe(false)
    expect(good(await connector('facebook').subscribe?.(channel, webhook, signal)).isActive).toBe(true)
    const refreshed = good(await connector('facebook').refreshToken?.(channel, signal))
    expect(refreshed.credentials.user_access_token).not.toBe(channel.credentials.user_access_token)
    expect(refreshed.credentials.access_token).toBe(channel.credentials.access_token)
  })

  test('a code is good once, and only with the same address; who does not want to has none', async () => {
    const code = (await press('allow')).searchParams.get('code') ?? ''
    expect(await exchange(code, `${redirectUri}/other`)).toMatchObject({ type: 'refused', code: '100/36008' })
    const second = (await press('allow')).searchParams.get('code') ?? ''
    expect((await exchange(second)).type).toBe('ok')
    expect(await exchange(second)).toMatchObject({ type: 'refused', code: '100/36009' })
    const denied = await press('deny')
    expect([denied.searchParams.get('error'), denied.searchParams.get('code')]).toEqual(['access_denied', null])
    const strangers = { ...app(), app: { ...app().app, secret: 'other' } }
    expect((await signIn().exchange(strangers, { code, redirectUri, verifier: '' }, signal)).type).not.toBe('ok')
  })

  test('a token is exchanged for a longer one', async () => {
    const refreshed = good(await connector('whatsapp').refreshToken?.(access('whatsapp'), signal))
    expect(refreshed.expiresAt?.getTime()).toBeGreaterThan(Date.now() + 59 * 86_400_000)
    await customer('whatsapp', { text: 'Hello' })
    const channel = { ...access('whatsapp'), credentials: refreshed.credentials }
    expect(await connector('whatsapp').send(channel, outbound('whatsapp'), signal)).toMatchObject({ type: 'sent' })
    const login = good(await connector('instagram').refreshToken?.(access('instagram', { login: 'instagram' }), signal))
    expect(login.credentials).toMatchObject({ login: 'instagram' })
    await control('PUT', 'meta/token', { channel: ids.facebook, is_valid: false, subcode: 467 })
    expect(await connector('facebook').refreshToken?.(access('facebook'), signal)).toMatchObject({
      type: 'refused',
      class: 'token',
      code: '190/467',
    })
  })
})
