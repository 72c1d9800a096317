/**
 * The settings for people in Chromium, on a whole cluster: someone is invited, joins, sets up a second factor, signs in with it;
 * a role and a team are made; the audit log tells of it. Each place is looked at by axe, wide and narrow, light and dark.
 */
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium } from 'playwright-core'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { stepAt, totpCode } from '../../backend/totp.ts'
import { startCluster } from '../../infra/cluster/cluster.ts'
import type { Cluster } from '../../infra/cluster/cluster.ts'
import { queueNames } from '../../messaging/broker/queues.ts'

const axeSource = readFileSync(new URL('../../node_modules/axe-core/axe.min.js', import.meta.url), 'utf8')
const password = 'a lantern in the fog'
let home: string
let cluster: Cluster
let browser: Browser
let admin: Page

async function openPage(options: Parameters<Browser['newContext']>[0] = {}): Promise<Page> {
  const context: BrowserContext = await browser.newContext({ bypassCSP: true, reducedMotion: 'reduce', ...options })
  const page = await context.newPage()
  page.setDefaultTimeout(20_000)
  return page
}

async function signIn(page: Page, email: string, secret: string): Promise<void> {
  await page.getByLabel('Email').fill(email)
  await page.getByLabel('Password').first().fill(secret)
  await page.getByRole('button', { name: 'Sign in' }).click()
}

async function faultsOf(page: Page): Promise<string[]> {
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

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'parley-people-'))
  cluster = await startCluster(home, {
    queues: queueNames,
    port: 0,
    demo: false,
    settings: { PARLEY_ADMIN_PASSWORD: password },
  })
  browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update'],
  })
  admin = await openPage()
  await admin.goto(`${cluster.publicUrl}/settings/users`)
  await signIn(admin, cluster.administrator.email, password)
  await admin.getByRole('heading', { name: 'People', level: 1 }).waitFor()
})
afterAll(async () => {
  await browser.close()
  await cluster.stop()
  await rm(home, { recursive: true, force: true })
})

describe('people', () => {
  it('are invited by a link, join, and sign in with a second factor', async () => {
    await admin.getByRole('button', { name: 'Invite' }).click()
    const dialog = admin.getByRole('dialog')
    await dialog.getByLabel('Email').fill('noa@harbour.example')
    await dialog.getByRole('button', { name: 'Make the link' }).click()
    const url = await admin.getByRole('dialog').locator('code').innerText()
    await admin.getByRole('button', { name: 'Done' }).click()

    const noa = await openPage()
    await noa.goto(`${cluster.publicUrl}/join${new URL(url).hash}`)
    await noa.getByLabel('Your name').fill('Noa Lind')
    await noa.getByLabel('Password').first().fill('password1234')
    await noa.getByRole('button', { name: 'Join' }).click()
    await noa.getByRole('alert').waitFor()
    await noa.getByLabel('Password').first().fill('a ferry at first light')
    await noa.getByRole('button', { name: 'Join' }).click()
    await noa.getByRole('link', { name: 'Go to sign-in' }).click()
    await signIn(noa, 'noa@harbour.example', 'a ferry at first light')
    await noa.getByRole('navigation', { name: 'Places' }).waitFor()
    await noa.goto(`${cluster.publicUrl}/settings/profile`)
    await noa.getByRole('region', { name: 'Second factor' }).getByRole('button', { name: 'Set up' }).click()
    const setUp = noa.getByRole('dialog')
    await setUp.getByRole('button', { name: 'Set up' }).click()
    const secret = (await setUp.locator('.secret').innerText()).replaceAll(' ', '')
    const step = stepAt(Date.now())
    await setUp.getByLabel('Then enter the six digits').fill(totpCode(secret, step))
    await setUp.getByRole('button', { name: 'Confirm' }).click()
    await noa.locator('.codes li').nth(9).waitFor()
    await noa.getByRole('button', { name: 'I have kept them' }).click()
    await noa.getByRole('region', { name: 'Second factor' }).getByText('Set up', { exact: true }).waitFor()

    const phone = await openPage({ viewport: { width: 390, height: 844 } })
    await phone.goto(`${cluster.publicUrl}/settings/profile`)
    await signIn(phone, 'noa@harbour.example', 'a ferry at first light')
    // Each code is taken once: the next one, which clocks that differ make good already.
    await phone.getByLabel('Code').fill(totpCode(secret, step + 1))
    await phone.getByRole('button', { name: 'Sign in' }).click()
    await phone.getByRole('heading', { name: 'My profile' }).waitFor()
    expect(await phone.getByRole('region', { name: 'Where you are signed in' }).getByRole('listitem').count()).toBe(2)
    await phone.goto(`${cluster.publicUrl}/settings/audit`)
    await phone.getByText('Your role does not show this').waitFor()
  })

  it('get roles and teams, and the log tells of it', async () => {
    await admin.goto(`${cluster.publicUrl}/settings/roles`)
    await admin.getByRole('button', { name: 'New role' }).click()
    await admin.getByRole('dialog').getByLabel('Name').fill('Weekend desk')
    await admin.getByRole('dialog').getByLabel('reply').check()
    await admin.getByRole('dialog').getByRole('button', { name: 'Save' }).click()
    await admin.getByRole('columnheader', { name: /Weekend desk/ }).waitFor()
    await admin.goto(`${cluster.publicUrl}/settings/teams`)
    await admin.getByRole('button', { name: 'New team' }).click()
    await admin.getByRole('dialog').getByLabel('Name').fill('Tickets')
    await admin.getByRole('dialog').getByRole('button', { name: 'Save' }).click()
    await admin.getByText('nobody yet').waitFor()
    await admin.goto(`${cluster.publicUrl}/settings/audit?action=role`)
    await admin.getByText('role.created').waitFor()
    expect(await admin.getByText('team.created').count()).toBe(0)
    await admin.getByRole('button', { name: 'Verify the chain' }).click()
    await admin.getByText(/^Whole: \d+ entries/).waitFor()
  })

  it('find nothing that axe or a narrow screen objects to', async () => {
    const cookies = await admin.context().cookies()
    for (const [width, scheme, locale] of [
      [1280, 'light', 'en'],
      [390, 'dark', 'de'],
    ] as const) {
      const page = await openPage({ viewport: { width, height: 844 }, colorScheme: scheme, locale })
      await page.context().addCookies(cookies)
      for (const part of ['profile', 'users', 'teams', 'roles', 'audit']) {
        await page.goto(`${cluster.publicUrl}/settings/${part}`)
        await page.getByRole('heading', { level: 1 }).waitFor()
        await expect.poll(() => page.locator('[aria-busy]').count(), { timeout: 20_000 }).toBe(0)
        expect([part, width, await faultsOf(page)]).toEqual([part, width, []])
      }
      await page.goto(`${cluster.publicUrl}/join#nothing`)
      await page.getByRole('heading', { level: 1 }).waitFor()
      expect([width, await faultsOf(page)]).toEqual([width, []])
    }
  })
})
