/**
 * An administrator's way through the channels and the received log, in Chromium, on a whole cluster: connect Facebook and X by
 * signing in at the played networks, check, rename, disconnect and connect again; find what was received and process it again.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium } from 'playwright-core'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startCluster } from '../../infra/cluster/cluster.ts'
import type { Cluster } from '../../infra/cluster/cluster.ts'
import { queueNames } from '../../messaging/broker/queues.ts'

const axeSource = readFileSync(new URL('../../node_modules/axe-core/axe.min.js', import.meta.url), 'utf8')
const password = 'a lighthouse keeper'

let home: string
let cluster: Cluster | undefined
let browser: Browser | undefined
/** Where the cluster answers. */
let site: string
let page: Page
/** A second window of the same browser, that nobody touches. */
let beside: Page

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'parley-channels-'))
  cluster = await startCluster(home, {
    queues: queueNames,
    port: 0,
    demo: true,
    settings: { PARLEY_ADMIN_PASSWORD: password },
  })
  site = cluster.publicUrl
  browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
  const context = await browser.newContext({ bypassCSP: true, reducedMotion: 'reduce' })
  page = await context.newPage()
  page.setDefaultTimeout(15_000)
  await page.goto(`${site}/channels`)
  await page.getByLabel('Email').fill(cluster.administrator.email)
  await page.getByLabel('Password').first().fill(password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('heading', { name: 'Channels' }).waitFor()
  beside = await context.newPage()
  await beside.goto(`${site}/channels`)
  // The demo is registered with the sandbox a moment after the cluster is ready.
  await rowOf(beside, 'Harbour').filter({ hasText: 'Connected' }).waitFor()
  await rowOf(beside, '@harbour').filter({ hasText: 'Connected' }).waitFor()
  // A window behind another one draws once a second.
  await page.bringToFront()
})

afterAll(async () => {
  await browser?.close()
  await cluster?.stop()
  await rm(home, { recursive: true, force: true })
})

const rowOf = (on: Page, name: string) =>
  on
    .getByRole('list', { name: 'Channels' })
    .getByRole('listitem')
    .filter({ has: on.getByRole('link', { name, exact: true }) })

/** Waits until every line of the check is there, and gives those that are not good. */
async function badLines(count: number): Promise<string[]> {
  await page
    .getByRole('img', { name: /^(Good|Not good)$/ })
    .nth(8 * count - 1)
    .waitFor()
  return page.locator('.check[data-verdict="bad"]').allInnerTexts()
}

async function expectNoViolations(): Promise<void> {
  await page.evaluate(axeSource)
  const violations = await page.evaluate(async () => {
    const { axe } = globalThis as unknown as {
      axe: { run: () => Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> }
    }
    return (await axe.run()).violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html ?? ''}`)
  })
  expect([page.url(), violations]).toEqual([page.url(), []])
}

describe('an administrator', () => {
  it('connects pages by signing in at Facebook, and the check finds them sound', async () => {
    await page.getByRole('link', { name: 'Connect a channel' }).click()
    await expectNoViolations()
    await page.getByRole('button', { name: 'Facebook' }).click()
    await page.getByRole('button', { name: 'Demo Meta app' }).click()
    await page.getByRole('button', { name: 'Go to Facebook' }).click()
    await page.getByRole('button', { name: 'Not now' }).click()
    await page.getByRole('alert').filter({ hasText: 'broken off or refused' }).waitFor()
    await page.goBack()
    await page.getByRole('button', { name: 'Allow' }).click()
    await page.getByRole('heading', { name: 'What shall be connected?' }).waitFor()
    await expectNoViolations()
    await page.getByRole('checkbox', { name: /Facebook Lighthouse Café/ }).check()
    await page.getByRole('button', { name: /^Connect \d/ }).click()
    await page.getByText('is being tried now').waitFor()
    await page.getByRole('heading', { name: 'Lighthouse Café' }).waitFor()
    await badLines(1)
    await expectNoViolations()
    await rowOf(beside, 'Lighthouse Café').filter({ hasText: 'Connected' }).waitFor()
  })

  it('reconnects an account of X by signing in, and all is well', async () => {
    await page.goto(`${site}/channels/connect?type=x`)
    await page.getByRole('button', { name: 'Demo X app' }).click()
    await page.getByRole('button', { name: 'Go to X' }).click()
    await page.getByRole('button', { name: 'Allow' }).click()
    await page.getByText('connected already, gets new access').waitFor()
    await page.getByRole('button', { name: 'Connect 1' }).click()
    expect(await badLines(1)).toEqual([])
  })

  it('sees a used or foreign sign-in refused, with a way to begin again', async () => {
    await page.goto(`${site}/api/v1/connect/return?code=x&state=never-given`)
    await page.getByRole('alert').filter({ hasText: 'too old or was used already' }).waitFor()
    await page.goto(`${site}/channels/connect?attempt=01900000-0000-7000-8000-000000000000`)
    await page.getByRole('button', { name: 'Begin again' }).waitFor()
  })

  it('checks, renames, disconnects and connects a channel again; another window follows by itself', async () => {
    await page.goto(`${site}/channels`)
    await rowOf(page, 'Harbour').getByRole('link', { name: 'Harbour', exact: true }).click()
    await page.getByRole('button', { name: 'Check set-up' }).click()
    expect(await badLines(1)).toEqual([])
    await expectNoViolations()
    await page.getByRole('button', { name: 'Rename' }).click()
    await page.getByRole('dialog').getByLabel('Name').fill('Harbour ferries')
    await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click()
    await rowOf(beside, 'Harbour ferries').waitFor()

    await page.getByRole('button', { name: 'Disconnect' }).click()
    await page.getByRole('dialog').getByText('All conversations stay').waitFor()
    await expectNoViolations()
    await page.getByRole('dialog').getByRole('button', { name: 'Disconnect' }).click()
    await rowOf(beside, 'Harbour ferries').getByText('Disconnected', { exact: true }).waitFor()

    await page.getByRole('link', { name: 'Reconnect' }).click()
    await page.getByRole('button', { name: 'Enter an access token instead' }).click()
    await page.getByLabel('Access token').first().fill('demo-page-token')
    await page.getByRole('button', { name: 'Reconnect' }).click()
    expect(await badLines(1)).toEqual([])
    await rowOf(beside, 'Harbour ferries').getByText('Connected', { exact: true }).waitFor()
  })

  it('finds what was received, whole, with what it became, and processes it again', async () => {
    await page.goto(`${site}/received`)
    const rows = page.getByRole('list', { name: 'Received' }).getByRole('listitem')
    const row = rows.filter({ hasText: '"object":"page"' }).filter({ hasText: 'message' }).first()
    await row.waitFor()
    await expectNoViolations()
    await row.getByRole('link').click()
    const whole = page.getByRole('dialog')
    await whole.getByLabel('Body as it came').filter({ hasText: '"messaging"' }).waitFor()
    await expectNoViolations()
    await whole.getByRole('button', { name: 'Process again' }).click()
    await whole.getByText('repeat').waitFor()
    const id = new URL(page.url()).pathname.split('/').at(-1) ?? ''
    await whole.getByRole('link', { name: 'Open conversation' }).first().click()
    await page.getByRole('textbox', { name: 'Message' }).waitFor()

    await page.goto(`${site}/received?q=${id}`)
    await rows.first().waitFor()
    expect(await rows.count()).toBe(1)
    await page.getByRole('button', { name: 'Process these again' }).click()
    await page.getByRole('dialog').getByText('nothing can come twice').waitFor()
    await expectNoViolations()
    await page.getByRole('dialog').getByRole('button', { name: 'Process again' }).click()
    await page.getByText('1 line is handed in again').waitFor()
    await page.getByRole('tab', { name: 'Dead letters' }).click()
    await page.getByText('No dead letters').waitFor()
    await expectNoViolations()
  })
})
