/**
 * A post's whole way, in Chromium, on a whole cluster: written once for two channels with a picture, refused where it is too long,
 * adapted, submitted by an agent, approved by the administrator for a minute to come, published, seen on the customers' phones, and
 * commented below. Then what the calendar does besides. Each place is looked at by axe, wide and narrow, light and dark.
 */
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium } from 'playwright-core'
import type { Browser, Page } from 'playwright-core'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startCluster } from '../../infra/cluster/cluster.ts'
import type { Cluster } from '../../infra/cluster/cluster.ts'
import { queueNames } from '../../messaging/broker/queues.ts'

const axeSource = readFileSync(new URL('../../node_modules/axe-core/axe.min.js', import.meta.url), 'utf8')
const password = 'a lantern in the fog'
const common =
  'The night ferry sails from Friday. It leaves the pier every full hour from ten in the evening until four in the morning, takes bicycles and dogs on the lower deck, and costs what the day ferry costs. Tickets are sold on board and at the pier; whoever has a month’s card needs no other. See you on the water!'
const short = 'The night ferry sails from Friday: every hour until four, dogs welcome.'

let home: string
let cluster: Cluster
let browser: Browser
let admin: Page
let agent: Page
let phone: Page

async function openPage(options: Parameters<Browser['newContext']>[0] = {}): Promise<Page> {
  const context = await browser.newContext({
    bypassCSP: true,
    reducedMotion: 'reduce',
    viewport: { width: 1440, height: 900 },
    ...options,
  })
  const page = await context.newPage()
  page.setDefaultTimeout(20_000)
  return page
}

async function signIn(page: Page, email: string): Promise<void> {
  await page.getByLabel('Email').fill(email)
  await page.getByLabel('Password').first().fill(password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('navigation', { name: 'Places' }).waitFor()
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

const two = (value: number): string => String(value).padStart(2, '0')

async function fillTime(page: Page, at: Date): Promise<void> {
  await page
    .getByLabel('Day', { exact: true })
    .fill(`${String(at.getFullYear())}-${two(at.getMonth() + 1)}-${two(at.getDate())}`)
  await page.getByLabel('Time', { exact: true }).fill(`${two(at.getHours())}:${two(at.getMinutes())}`)
}

const inDays = (days: number, hour = 9): Date => {
  const at = new Date()
  at.setDate(at.getDate() + days)
  at.setHours(hour, 0, 0, 0)
  return at
}

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'parley-posts-'))
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
  await admin.goto(`${cluster.publicUrl}/settings/users`)
  await signIn(admin, cluster.administrator.email)
  await admin.getByRole('button', { name: 'Invite' }).click()
  await admin.getByRole('dialog').getByLabel('Email').fill('noa@harbour.example')
  await admin.getByRole('dialog').getByLabel('Role').selectOption({ label: 'Agent' })
  await admin.getByRole('dialog').getByRole('button', { name: 'Make the link' }).click()
  const link = await admin.getByRole('dialog').locator('code').innerText()
  agent = await openPage()
  await agent.goto(`${cluster.publicUrl}/join${new URL(link).hash}`)
  await agent.getByLabel('Your name').fill('Noa Lind')
  await agent.getByLabel('Password').first().fill(password)
  await agent.getByRole('button', { name: 'Join' }).click()
  await agent.getByRole('link', { name: 'Go to sign-in' }).click()
  await signIn(agent, 'noa@harbour.example')
  phone = await openPage()
  await phone.goto(`${cluster.publicUrl}/sandbox/phone`)
})
afterAll(async () => {
  await browser.close()
  await cluster.stop()
  await rm(home, { recursive: true, force: true })
})

describe('a post', () => {
  it('is written once for two channels with a picture, and refused while it is too long for one', async () => {
    await agent.goto(`${cluster.publicUrl}/calendar`)
    await agent.getByText('Nothing is planned here yet').waitFor()
    await agent.keyboard.press('n')
    const editor = agent.getByRole('complementary', { name: 'New post' })
    await editor.getByText('Harbour', { exact: true }).click()
    await editor.getByText('@harbour', { exact: true }).click()
    await editor.getByLabel('Text', { exact: true }).fill(common)
    const picture = await sharp({ create: { width: 600, height: 400, channels: 3, background: '#0f6d88' } })
      .jpeg()
      .toBuffer()
    await editor
      .locator('input[type=file]')
      .setInputFiles({ name: 'ferry.jpg', mimeType: 'image/jpeg', buffer: picture })
    await editor.getByLabel('What ferry.jpg shows').fill('The ferry at night')
    // The whole of it is in both previews, by the words for who does not see it.
    await expect.poll(() => editor.getByRole('img', { name: 'The ferry at night' }).count()).toBe(2)
    await editor.getByText(`${String(common.length - 280)} too many`).waitFor()
    await editor.getByRole('button', { name: 'Submit for review' }).click()
    await editor.getByRole('alert').getByText('mend what is named first').waitFor()
    await editor
      .getByText(`${String(common.length)} of at most 280 characters as X counts them.`)
      .first()
      .waitFor()
    expect(agent.url()).toContain('/calendar/new')
    expect(await faultsOf(agent)).toEqual([])
  })

  it('is adapted for that one and submitted by who may not approve', async () => {
    const editor = agent.getByRole('complementary', { name: 'New post' })
    await editor.getByRole('tab', { name: '@harbour' }).click()
    await editor.getByRole('button', { name: 'Write another text here' }).click()
    await editor.getByLabel('Text for @harbour').fill(short)
    await editor.getByText(`${String(short.length)} of 280`).waitFor()
    await editor.getByRole('button', { name: 'Submit for review' }).click()
    const saved = agent.getByRole('complementary', { name: 'Post', exact: true })
    await saved.getByText('In review').first().waitFor()
    expect(await saved.getByRole('button', { name: /Approve|Publish|Schedule/ }).count()).toBe(0)
  })

  it(
    'is approved with a name and a time, published in its minute, and seen by customers',
    { timeout: 300_000 },
    async () => {
      await admin.goto(`${cluster.publicUrl}/calendar`)
      await admin
        .getByRole('region', { name: /Ideas and drafts/ })
        .getByRole('link', { name: /The night ferry/ })
        .click()
      const editor = admin.getByRole('complementary', { name: 'Post', exact: true })
      await editor.getByRole('button', { name: 'Approve as Administrator' }).waitFor()
      // The next minute that can still be reached.
      const at = new Date(Math.ceil((Date.now() + 15_000) / 60_000) * 60_000)
      await fillTime(admin, at)
      await editor.getByRole('button', { name: /^Approve as Administrator · / }).click()
      await editor.getByText('Scheduled', { exact: true }).first().waitFor()
      const published = editor.locator('.post-fate[data-state=published]')
      // Both by themselves: no reload anywhere.
      await expect.poll(() => published.count(), { timeout: 120_000 }).toBe(2)
      expect(Date.now()).toBeGreaterThanOrEqual(at.getTime())
      expect(await editor.getByRole('link', { name: /^Open on/ }).count()).toBe(2)
      await editor.getByText('approved it').waitFor()
      await agent.locator('.post-fate[data-state=published]').nth(1).waitFor()

      const ana = phone.getByRole('region', { name: "Ana Duarte's phone" }).filter({ hasText: 'Facebook' })
      await ana.getByRole('tab', { name: 'Post' }).click()
      await ana.getByText(common).waitFor()
      const ben = phone.getByRole('region', { name: "Ben Okafor's phone" }).filter({ hasText: 'X' })
      await ben.getByRole('tab', { name: 'Posts' }).click()
      await ben.getByText(short).waitFor()
    },
  )

  it('has the comments below it in the inbox', async () => {
    const ana = phone.getByRole('region', { name: "Ana Duarte's phone" }).filter({ hasText: 'Facebook' })
    await ana.getByRole('button', { name: /^Reply to Harbour: The night ferry sails from Friday. It le/ }).click()
    await ana.getByRole('textbox').fill('Is there coffee on board?')
    await ana.getByRole('button', { name: 'Send' }).click()
    const editor = admin.getByRole('complementary', { name: 'Post', exact: true })
    await expect.poll(() => editor.getByText('1 comment').count(), { timeout: 60_000 }).toBe(1)
    await editor.getByRole('link', { name: '1 comment' }).click()
    const row = admin.getByRole('listitem').filter({ hasText: 'Is there coffee on board?' })
    await row.getByRole('link', { name: 'Ana Duarte' }).click()
    await admin.getByRole('article', { name: 'Post by Harbour' }).getByText('The night ferry sails').waitFor()
  })
})

describe('the calendar', () => {
  it('keeps a draft without a time aside, moves it without a mouse, and says why the past is refused', async () => {
    await admin.goto(`${cluster.publicUrl}/calendar?view=list`)
    await admin.getByRole('link', { name: 'New post' }).waitFor()
    await admin.keyboard.press('n')
    const editor = admin.getByRole('complementary', { name: 'New post' })
    await editor.getByText('Harbour', { exact: true }).click()
    await editor.getByLabel('Text', { exact: true }).fill('An idea for spring')
    await editor.getByRole('button', { name: 'Save draft' }).click()
    await admin.getByRole('complementary', { name: 'Post', exact: true }).waitFor()
    await admin.keyboard.press('Escape')
    await admin.keyboard.press('Escape')
    const idea = admin
      .getByRole('region', { name: /Ideas and drafts/ })
      .getByRole('link', { name: /An idea for spring/ })
    await idea.focus()
    await admin.keyboard.press('m')
    const dialog = admin.getByRole('dialog')
    await fillTime(admin, inDays(-1))
    await dialog.getByRole('button', { name: 'Move', exact: true }).click()
    await dialog.getByRole('alert').getByText('That time is past').waitFor()
    await fillTime(admin, inDays(1))
    await dialog.getByRole('button', { name: 'Move', exact: true }).click()
    await dialog.waitFor({ state: 'detached' })
    await idea.waitFor({ state: 'detached' })
  })

  it('moves a post by dragging it to another day', async () => {
    const tomorrow = inDays(1)
    const next = inDays(2)
    const dayOf = (at: Date) =>
      `[data-day="${String(at.getFullYear())}-${two(at.getMonth() + 1)}-${two(at.getDate())}"]`
    await admin.goto(
      `${cluster.publicUrl}/calendar?date=${String(next.getFullYear())}-${two(next.getMonth() + 1)}-${two(next.getDate())}`,
    )
    const card = (at: Date) => admin.locator(dayOf(at)).getByRole('link', { name: /An idea for spring/ })
    await card(tomorrow).dragTo(admin.locator(dayOf(next)))
    await card(next).waitFor()
    expect(await card(tomorrow).count()).toBe(0)
  })

  it('shows both where two people changed the same, and keeps what one wrote', async () => {
    await admin.getByRole('link', { name: /An idea for spring/ }).click()
    const mine = admin.getByRole('complementary', { name: 'Post', exact: true })
    await mine.getByLabel('Text', { exact: true }).fill('An idea for spring: sunset trips')
    await agent.goto(admin.url())
    const theirs = agent.getByRole('complementary', { name: 'Post', exact: true })
    await theirs.getByLabel('Text', { exact: true }).fill('An idea for summer')
    await theirs.getByRole('button', { name: 'Save draft' }).click()
    const notice = mine.getByRole('alert').filter({ hasText: 'Changed meanwhile by Noa Lind' })
    await notice.getByText('An idea for summer').waitFor()
    await notice.getByText('An idea for spring: sunset trips').waitFor()
    await notice.getByRole('button', { name: 'Keep mine' }).click()
    await mine.getByRole('button', { name: 'Save draft' }).click()
    await agent.getByRole('complementary').getByText('An idea for spring: sunset trips').first().waitFor()
  })

  it('asks before what was written is left behind', async () => {
    const mine = admin.getByRole('complementary', { name: 'Post', exact: true })
    await mine.getByLabel('Text', { exact: true }).fill('Not saved')
    await admin.getByRole('link', { name: 'Inbox' }).click()
    const dialog = admin.getByRole('dialog')
    await dialog.getByText('Leave without saving?').waitFor()
    await dialog.getByRole('button', { name: 'Back', exact: true }).click()
    expect(admin.url()).toContain('/calendar/')
    await admin.waitForFunction("Object.values(sessionStorage).some((kept) => kept.includes('Not saved'))")
    await admin.reload()
    await mine.getByText('What you had not saved is here again').waitFor()
    await mine.getByRole('button', { name: 'Discard it' }).click()
    await admin.getByRole('link', { name: 'Inbox' }).click()
    await admin.waitForURL(/\/inbox(\?|$)/)
  })

  it('finds no fault of accessibility, wide and narrow, light and dark', async () => {
    const state = await admin.context().storageState()
    for (const [width, colorScheme] of [
      [1440, 'light'],
      [1440, 'dark'],
      [390, 'light'],
      [390, 'dark'],
    ] as const) {
      const page = await openPage({ storageState: state, viewport: { width, height: 900 }, colorScheme })
      for (const path of ['/calendar', '/calendar?view=week', '/calendar?view=list']) {
        await page.goto(`${cluster.publicUrl}${path}`)
        await page.locator('.post-card').first().waitFor()
        expect([path, width, colorScheme, ...(await faultsOf(page))]).toEqual([path, width, colorScheme])
      }
      await page
        .getByRole('link', { name: /The night ferry/ })
        .first()
        .click()
      await page.getByRole('heading', { name: 'History' }).waitFor()
      await page.locator('.preview').nth(1).waitFor()
      expect(await faultsOf(page)).toEqual([])
      await page.context().close()
    }
  })
})
