/**
 * A working day in Chromium, on a whole cluster: sign in with a second factor, take the oldest, answer, note and mention, snooze and
 * wake, label, resolve many and take it back; two who look at the same customer; and a web node that dies while someone types.
 */
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium } from 'playwright-core'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { stepAt, totpCode } from '../../backend/totp.ts'
import { startCluster } from '../../infra/cluster/cluster.ts'
import type { Cluster } from '../../infra/cluster/cluster.ts'
import { queueNames } from '../../messaging/broker/queues.ts'

const axeSource = readFileSync(new URL('../../node_modules/axe-core/axe.min.js', import.meta.url), 'utf8')
const password = 'a lantern in the fog'
const noaPassword = 'a ferry at first light'
let home: string
let cluster: Cluster
let browser: Browser
/** An administrator, and an agent who signs in with a code. */
let admin: Page
let noa: Page
let phone: Page

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'parley-day-'))
  cluster = await startCluster(home, {
    queues: queueNames,
    port: 0,
    demo: true,
    settings: { PARLEY_ADMIN_PASSWORD: password },
  })
  browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update'],
  })
  admin = await openPage()
  await admin.goto(cluster.publicUrl)
  await signIn(admin, cluster.administrator.email, password)
  for (const name of ['Ana Duarte', 'Tomás Reis', 'Esra Yıldız'])
    await rowOf(admin, name).first().waitFor({ timeout: 60_000 })
})
afterAll(async () => {
  await browser.close()
  await cluster.stop()
  await rm(home, { recursive: true, force: true })
})

describe('a working day', () => {
  it('begins with a password and a code', async () => {
    const { url } = await call<{ url: string }>(admin, 'POST', '/invitations', {
      email: 'noa@harbour.example',
      role: 'supervisor',
    })
    await call(admin, 'POST', '/join', { token: new URL(url).hash.slice(1), name: 'Noa Lind', password: noaPassword })
    noa = await openPage()
    await noa.goto(cluster.publicUrl)
    await signIn(noa, 'noa@harbour.example', noaPassword)
    await liveIn(noa)
    const { secret } = await call<{ secret: string }>(noa, 'POST', '/profile/totp', {})
    const step = stepAt(Date.now())
    await call(noa, 'POST', '/profile/totp/confirm', { code: totpCode(secret, step) })
    await call(noa, 'DELETE', '/session')
    await noa.goto(`${cluster.publicUrl}/inbox?view=mine`)
    await signIn(noa, 'noa@harbour.example', noaPassword)
    await noa.getByLabel('Code').fill(totpCode(secret, step + 1))
    await noa.getByRole('button', { name: 'Sign in' }).click()
    await noa.getByText('Nothing is assigned to you').waitFor()
  })

  it('goes on with the one that waits longest, answered by keys alone', async () => {
    const { items } = await call<{ items: { contact: { name: string } }[] }>(
      noa,
      'GET',
      '/conversations?assignee=none&sort=waiting&status=open&limit=1',
    )
    await noa.keyboard.press('t')
    await noa.waitForURL(/\/inbox\/[0-9a-f-]{36}/)
    const name = items[0]?.contact.name ?? ''
    await noa.locator('.heading-name', { hasText: name }).waitFor()
    await noa.getByRole('group', { name: 'Care' }).getByRole('button', { name: 'Assign: Me' }).waitFor()
    await noa.keyboard.press('r')
    await noa.keyboard.type('Thank you, we look into it.')
    await noa.keyboard.press('Control+Enter')
    await noa.locator('.message[data-side=outbound]').getByText('Thank you, we look into it.').waitFor()
  })

  it('tells a colleague in a note, who finds it among the mentions', async () => {
    await noa.keyboard.press('Escape')
    await noa.keyboard.press('n')
    const { user } = await call<{ user: { name: string } }>(admin, 'GET', '/session')
    await noa.keyboard.type(`Can you check the timetable, @${user.name.slice(0, 2)}`)
    await noa.getByRole('option', { name: `@${user.name}` }).waitFor()
    await noa.keyboard.press('Enter')
    await noa.keyboard.press('Control+Enter')
    await noa.locator('.named', { hasText: `@${user.name}` }).waitFor()
    await admin.getByRole('button', { name: 'Noa Lind mentioned you' }).click()
    await admin.locator('.named').waitFor()
    await admin.getByRole('link', { name: /^@me/, exact: false }).and(admin.locator('[aria-current]')).waitFor()
  })

  it('puts one to sleep until they answer, and they do', async () => {
    await openOf(noa, 'Ana Duarte', '/inbox')
    await noa.keyboard.press('s')
    await noa.getByRole('textbox', { name: 'Snooze' }).fill('answer')
    await noa.keyboard.press('Enter')
    await expect.poll(() => rowOf(noa, 'Ana Duarte').count()).toBe(0)
    phone = await openPage()
    await phone.goto(`${cluster.publicUrl}/sandbox/phone`)
    const device = phone.getByRole('region', { name: "Ana Duarte's phone" }).filter({ hasText: 'Facebook' })
    await device.getByRole('textbox').fill('Are you still there?')
    await device.getByRole('button', { name: 'Send' }).click()
    await rowOf(noa, 'Ana Duarte').filter({ hasText: 'Are you still there?' }).waitFor()
  })

  it('labels with what it has just named', async () => {
    await openOf(admin, 'Ana Duarte', '/inbox')
    await admin.keyboard.press('l')
    await admin.getByRole('textbox', { name: 'Labels' }).fill('refund')
    await admin.getByText('Make the label “refund”').waitFor()
    await admin.keyboard.press('Enter')
    await admin.getByRole('group', { name: 'Care' }).getByText('refund').waitFor()
    await rowOf(noa, 'Ana Duarte').getByText('refund').waitFor()
  })

  it('resolves many at once and takes it back', async () => {
    await noa.goto(`${cluster.publicUrl}/inbox`)
    await rowOf(noa, 'Ana Duarte').waitFor()
    const before = await noa.locator('.row').count()
    expect(before).toBeGreaterThan(2)
    await noa.keyboard.press('x')
    await noa.getByRole('toolbar', { name: 'Selected conversations' }).getByRole('button', { name: /^All/ }).click()
    await noa.keyboard.press('e')
    await noa
      .getByText(`${String(before)} changed`)
      .first()
      .waitFor()
    await expect.poll(() => noa.locator('.row').count()).toBe(0)
    await noa.getByRole('button', { name: 'Undo' }).click()
    await noa
      .getByText(`${String(before)} taken back`)
      .first()
      .waitFor()
    await expect.poll(() => noa.locator('.row').count()).toBe(before)
  })

  it('shows who is there before two answer the same customer, and asks once when something came', async () => {
    await openOf(admin, 'Ana Duarte', '/inbox')
    await openOf(noa, 'Ana Duarte', '/inbox')
    await noa.locator('.conversation .onlooker').waitFor()
    await admin.getByRole('textbox', { name: 'Message' }).pressSequentially('We are')
    await noa.locator('.typing-line').waitFor()
    await noa.getByRole('textbox', { name: 'Message' }).fill('Yes, always.')
    const device = phone.getByRole('region', { name: "Ana Duarte's phone" }).filter({ hasText: 'Facebook' })
    await device.getByRole('textbox').fill('Never mind, I found it.')
    await device.getByRole('button', { name: 'Send' }).click()
    await noa.locator('.messages').getByText('Never mind, I found it.').waitFor()
    await noa.getByRole('button', { name: 'Send', exact: true }).click()
    await noa.getByRole('button', { name: 'Send anyway' }).waitFor()
    expect(await noa.getByRole('textbox', { name: 'Message' }).inputValue()).toBe('Yes, always.')
  })

  it('outlives a web node that dies while someone types', async () => {
    const field = noa.getByRole('textbox', { name: 'Message' })
    await field.fill('A long answer that nobody wants to write twice')
    // Whichever of them has the stream.
    for (const name of ['web-1', 'web-2']) {
      cluster.kill(name)
      await field.pressSequentially('!')
      await cluster.whenReady(name)
    }
    expect(await field.inputValue()).toBe('A long answer that nobody wants to write twice!!')
    await liveIn(noa)
    const device = phone.getByRole('region', { name: "Ana Duarte's phone" }).filter({ hasText: 'Facebook' })
    await device.getByRole('textbox').fill('Thank you all the same!')
    await device.getByRole('button', { name: 'Send' }).click()
    await noa.locator('.messages').getByText('Thank you all the same!').waitFor()
    expect(await field.inputValue()).toBe('A long answer that nobody wants to write twice!!')
    // The draft is on the server too, and waits in another window.
    await expect
      .poll(async () => (await call<{ items: unknown[] }>(noa, 'GET', '/drafts')).items.length, { timeout: 15_000 })
      .toBeGreaterThan(0)
  })

  it('refuses in sight what is changed while offline', async () => {
    await noa.context().setOffline(true)
    await noa.getByRole('button', { name: 'Resolve' }).click()
    await noa.getByText('You are offline: nothing was changed', { exact: false }).waitFor()
    await noa.context().setOffline(false)
    await liveIn(noa)
  })

  it('fetches little before one can answer', async () => {
    const page = await openPage()
    await page.context().addCookies(await admin.context().cookies())
    await page.goto(admin.url())
    await page.getByRole('textbox', { name: 'Message' }).waitFor()
    const bytes = await page.evaluate<number>(
      `performance.getEntriesByType('resource').filter(({ name }) => name.endsWith('.js')).reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0)`,
    )
    expect(bytes).toBeGreaterThan(100_000)
    expect(bytes).toBeLessThanOrEqual(250_000)
    await page.context().close()
  })

  it('finds nothing that axe or a narrow screen objects to', async () => {
    const cookies = await admin.context().cookies()
    for (const [width, scheme] of [
      [1440, 'light'],
      [1440, 'dark'],
      [390, 'light'],
      [390, 'dark'],
    ] as const) {
      const page = await openPage({ viewport: { width, height: 844 }, colorScheme: scheme })
      await page.context().addCookies(cookies)
      await page.goto(`${cluster.publicUrl}/inbox?label=refund`)
      await rowOf(page, 'Ana Duarte').waitFor()
      if (width > 600) await page.keyboard.press('x')
      expect([width, scheme, await faultsOf(page)]).toEqual([width, scheme, []])
      await rowOf(page, 'Ana Duarte').getByRole('link').click()
      await page.getByRole('textbox', { name: 'Message' }).waitFor()
      expect([width, scheme, 'conversation', await faultsOf(page)]).toEqual([width, scheme, 'conversation', []])
      await page.context().close()
    }
  })
})

async function openPage(options: Parameters<Browser['newContext']>[0] = {}): Promise<Page> {
  const context = await browser.newContext({ bypassCSP: true, reducedMotion: 'reduce', ...options })
  const page = await context.newPage()
  page.setDefaultTimeout(20_000)
  return page
}

async function signIn(page: Page, email: string, secret: string): Promise<void> {
  await page.getByLabel('Email').fill(email)
  await page.getByLabel('Password').first().fill(secret)
  await page.getByRole('button', { name: 'Sign in' }).click()
}

const rowOf = (page: Page, name: string) =>
  page.getByRole('listitem').filter({ has: page.getByRole('link', { name, exact: true }) })

async function openOf(page: Page, name: string, path: string): Promise<void> {
  await page.goto(cluster.publicUrl + path)
  await rowOf(page, name).getByRole('link').click()
  await page.locator('.heading-name', { hasText: name }).waitFor()
  await page.getByRole('textbox', { name: 'Message' }).waitFor()
}

const liveIn = (page: Page): Promise<void> => page.getByText('Live', { exact: true }).waitFor()

/** As the page itself asks. */
function call<Answer>(page: Page, method: string, path: string, body?: unknown): Promise<Answer> {
  return page.evaluate(
    async ([verb, to, json]) => {
      const session = (await (await fetch('/api/v1/session')).json()) as { csrf_token: string }
      const response = await fetch(`/api/v1${to}`, {
        method: verb,
        headers: { 'content-type': 'application/json', 'x-csrf-token': session.csrf_token },
        ...(json === undefined ? {} : { body: json }),
      })
      const text = await response.text()
      if (!response.ok) throw new Error(`${verb} ${to}: ${text}`)
      return text === '' ? undefined : (JSON.parse(text) as unknown)
    },
    [method, path, body === undefined ? undefined : JSON.stringify(body)] as const,
  ) as Promise<Answer>
}

async function faultsOf(page: Page): Promise<string[]> {
  // Colours are looked at once they have changed.
  await page.waitForTimeout(400)
  await page.waitForFunction("document.getAnimations().every(({ playState }) => playState !== 'running')")
  await page.evaluate(axeSource)
  const found = await page.evaluate(async () => {
    const { axe } = globalThis as unknown as {
      axe: { run: () => Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> }
    }
    return (await axe.run()).violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html ?? ''}`)
  })
  const isCut = await page.evaluate('document.documentElement.scrollWidth > innerWidth')
  return isCut === true ? [...found, 'the page scrolls sideways'] : found
}
