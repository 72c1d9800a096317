/**
 * A visitor's first five minutes, in Chromium, on a whole cluster: write as a customer on the phone, see it in the inbox,
 * answer, see the answer on the phone. On all four networks, with no reload anywhere.
 */
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium } from 'playwright-core'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startCluster } from '../../infra/cluster/cluster.ts'
import type { Cluster } from '../../infra/cluster/cluster.ts'
import { queueNames } from '../../messaging/broker/queues.ts'

const axeSource = new URL('../../node_modules/axe-core/axe.min.js', import.meta.url).pathname

let home: string
let cluster: Cluster | undefined
let browser: Browser | undefined
let url: string
let email: string
let phone: Page
let inbox: Page

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'parley-walk-'))
  const started = await startCluster(home, {
    queues: queueNames,
    port: 0,
    demo: true,
    settings: { PARLEY_ADMIN_PASSWORD: 'a lighthouse keeper' },
  })
  cluster = started
  url = started.publicUrl
  email = started.administrator.email
  const opened = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
  browser = opened
  phone = await opened.newPage()
  inbox = await opened.newPage({ reducedMotion: 'reduce' })
})

afterAll(async () => {
  await browser?.close()
  await cluster?.stop()
  await rm(home, { recursive: true, force: true })
})

describe('a visitor', () => {
  it('signs in, after a wrong password was refused', async () => {
    await inbox.goto(url)
    await inbox.getByLabel('Email').fill(email)
    await inbox.getByLabel('Password').first().fill('a lighthouse')
    await inbox.getByRole('button', { name: 'Sign in' }).click()
    await inbox.getByRole('alert').waitFor()
    await inbox.getByLabel('Password').first().fill('a lighthouse keeper')
    await inbox.getByRole('button', { name: 'Sign in' }).click()
    await inbox.getByText('Ana Duarte').first().waitFor()
    await inbox.getByText('Live', { exact: true }).waitFor()
  })

  it('writes as a customer on Facebook, answers in the inbox, and sees the answer on the phone', async () => {
    await phone.goto(`${url}/sandbox/phone`)
    await exchange('Ana Duarte', 'Facebook', 'Does the ferry take dogs?', 'It does, on a lead and for free.')
  })

  it('does the same on X', async () => {
    await exchange('Ben Okafor', 'X', 'Is there parking at the pier?', 'Yes: 40 places behind the office.')
  })

  it('does the same on Instagram and WhatsApp, below what is more than words', async () => {
    await exchange('Inês Prata', 'Instagram', 'Can we board with bicycles?', 'Yes, from the lower deck.')
    await inbox.getByText('Answer to your story').waitFor()
    await inbox
      .getByRole('button', { name: /Picture/ })
      .first()
      .waitFor()
    await exchange('Tomás Reis', 'WhatsApp', 'Does it stop at night?', 'It runs until one.')
    await inbox.getByText('Largo Alfredo Diniz, Almada').waitFor()
    // As they were said: the words, then the place.
    const said = await inbox.locator('.message[data-side=inbound] .bubble').allInnerTexts()
    expect(said.map((text) => text.split('\n')[0])).toEqual([
      'Hello, I missed the last boat. Is there a bus from here?',
      'Cacilhas pier',
      'Does it stop at night?',
    ])
    expect((await inbox.locator('.panel-fact').first().boundingBox())?.height).toBeLessThan(60)
  })

  it('finds no fault of accessibility in what it used', async () => {
    for (const page of [inbox, phone]) {
      // By evaluation, since the pages' own policy forbids foreign scripts.
      await page.evaluate(readFileSync(axeSource, 'utf8'))
      const violations = await page.evaluate(async () => {
        const { axe } = globalThis as unknown as {
          axe: { run: () => Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> }
        }
        return (await axe.run()).violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html ?? ''}`)
      })
      expect(violations).toEqual([])
    }
  })

  it('comes back to the same place after a reload, signed in', async () => {
    const place = inbox.url()
    await inbox.reload()
    await inbox.getByText('Yes: 40 places behind the office.').first().waitFor()
    expect(inbox.url()).toBe(place)
  })
})

async function exchange(customer: string, network: string, question: string, answer: string): Promise<void> {
  const device = phone.getByRole('region', { name: `${customer}'s phone` }).filter({ hasText: network })
  await device.getByRole('textbox').fill(question)
  await device.getByRole('button', { name: 'Send' }).click()
  // In the list at once, without a reload.
  const row = inbox.getByRole('listitem').filter({ hasText: question })
  await row.getByRole('link', { name: customer }).click()
  // The box of the conversation before stands there until this one is shown.
  await inbox.getByPlaceholder(`Write to ${customer}`).fill(answer)
  await inbox.getByRole('button', { name: 'Send' }).click()
  await device.getByText(answer).waitFor()
  // The network's receipt turns the mark: sent, delivered or read.
  await inbox
    .getByRole('img', { name: /sent|delivered|read/i })
    .last()
    .waitFor()
}
