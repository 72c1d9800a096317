/**
 * Answering in Chromium, on a whole cluster, with the played networks' ledger as judge: pictures on four networks, an outcome
 * that nobody told settled by the echo, a refusal with its reason and the retry, files in part, something new while one writes,
 * answers planned and called off, templates, and what is done to messages. Each view is looked at by axe, wide and narrow,
 * light and dark.
 */
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium } from 'playwright-core'
import type { Browser, Locator, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { startCluster } from '../../infra/cluster/cluster.ts'
import type { Cluster } from '../../infra/cluster/cluster.ts'
import { queueNames } from '../../messaging/broker/queues.ts'
import { photo } from '../pictures.ts'

const axeSource = readFileSync(new URL('../../node_modules/axe-core/axe.min.js', import.meta.url), 'utf8')
const password = 'a lantern in the fog'

interface Line {
  readonly line: string
  readonly type: string
  readonly channel: string
  readonly person: string
  readonly direction: string
  readonly text: string
  readonly files?: readonly unknown[]
}

let home: string
let cluster: Cluster
let browser: Browser
let page: Page
let picture: Buffer

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'parley-answering-'))
  cluster = await startCluster(home, {
    queues: queueNames,
    port: 0,
    demo: true,
    settings: { PARLEY_ADMIN_PASSWORD: password },
  })
  picture = await photo(320, 200)
  browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update'],
  })
  const context = await browser.newContext({ bypassCSP: true, reducedMotion: 'reduce', timezoneId: 'Europe/Lisbon' })
  page = await context.newPage()
  page.setDefaultTimeout(20_000)
  await page.goto(cluster.publicUrl)
  await page.getByLabel('Email').fill(cluster.administrator.email)
  await page.getByLabel('Password').first().fill(password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  for (const name of ['Ana Duarte', 'Inês Prata', 'Tomás Reis', 'Dmitri Novak'])
    await page.getByRole('link', { name }).first().waitFor()
})
afterEach(async () => {
  await control('DELETE', 'faults')
})
afterAll(async () => {
  await browser.close()
  await cluster.stop()
  await rm(home, { recursive: true, force: true })
})

async function control(method: string, path: string, body?: unknown): Promise<unknown> {
  const answer = await fetch(`${cluster.publicUrl}/sandbox/control/${path}`, {
    method,
    headers: { 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await answer.text()
  if (!answer.ok) throw new Error(`${path}: ${text}`)
  return text === '' ? undefined : JSON.parse(text)
}

const fault = (name: string, more: Readonly<Record<string, unknown>> = {}) =>
  control('POST', 'faults', { fault: name, count: 1, ...more })

/** What people outside saw of ours, in their order. */
async function seen(text: string): Promise<Line[]> {
  const { items } = (await control('GET', 'ledger')) as { items: Line[] }
  const first = items.findIndex((line) => line.direction === 'outbound' && line.text === text)
  const { channel, person } = items[first] ?? {}
  return first === -1
    ? []
    : items
        .slice(first)
        .filter((line) => line.direction === 'outbound' && line.channel === channel && line.person === person)
}

/** The customer writes; the message is in the thread that stands open. */
async function hear(name: string, text: string): Promise<void> {
  const { channels, people } = (await control('GET', 'world')) as {
    channels: { type: string; external_id: string }[]
    people: { type: string; id: string; name: string }[]
  }
  const person = people.find((each) => each.name === name)
  const channel = channels.find(({ type }) => type === person?.type)
  await control('POST', 'say', { type: person?.type, channel: channel?.external_id, person, text })
  await page.locator('.message[data-side=inbound]').filter({ hasText: text }).waitFor()
}

const box = () => page.getByLabel('Message', { exact: true })
const sendButton = () => page.getByRole('button', { name: 'Send', exact: true })
const answerWith = (text: string): Locator => page.locator('.message[data-side=outbound]').filter({ hasText: text })

async function go(name: string): Promise<void> {
  await page.getByRole('link', { name }).first().click()
  await page.getByPlaceholder(new RegExp(`^(Write to ${name}|Answer publicly)`)).waitFor()
}

async function say(text: string): Promise<Locator> {
  await box().fill(text)
  await sendButton().click()
  return answerWith(text)
}

const attach = (name = 'pier.jpg', buffer = picture, mimeType = 'image/jpeg') =>
  page.locator('.composer input[type=file]').setInputFiles({ name, mimeType, buffer })

async function faultsHere(): Promise<string[]> {
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

describe('answering', () => {
  it.each([
    ['Facebook', 'Ana Duarte', 'sent as 2 messages'],
    ['Instagram', 'Inês Prata', 'sent as 2 messages'],
    ['WhatsApp', 'Tomás Reis', undefined],
    ['X', 'Dmitri Novak', undefined],
  ])('%s: a text with a picture arrives', async (network, name, told) => {
    await go(name)
    const text = `This is the pier, on ${network}.`
    await box().fill(text)
    await attach()
    await page.getByLabel('Description of pier.jpg').fill('The pier at low tide')
    if (told !== undefined) await page.locator('.composer').getByText(told).waitFor()
    await sendButton().click()
    await expect
      .poll(async () => (await seen(text)).flatMap(({ files }) => files ?? []).length, { timeout: 30_000 })
      .toBe(1)
    const answer = answerWith(text)
    await answer.getByRole('button', { name: 'Open The pier at low tide' }).waitFor()
    await answer.getByRole('img', { name: /^(Sent|Delivered|Read)/ }).waitFor()
    expect(await box().inputValue()).toBe('')
    expect(await page.locator('.picked-file').count()).toBe(0)
  })

  it('a picture opens large, in its full size, and closes without leaving the conversation', async () => {
    const place = page.url()
    await page.getByRole('button', { name: 'Open The pier at low tide' }).click()
    const viewer = page.getByRole('dialog', { name: 'pier.jpg' })
    await viewer.getByRole('img', { name: 'The pier at low tide' }).waitFor()
    await page.keyboard.press('+')
    await viewer.getByRole('button', { name: 'Fit to the window' }).waitFor()
    await page.keyboard.press('Escape')
    await viewer.waitFor({ state: 'detached' })
    expect(page.url()).toBe(place)
  })

  it('what does not go is said before it is sent, and can be taken out', async () => {
    await go('Ana Duarte')
    await box().fill('Here is the list.')
    await attach('list.zip', Buffer.from('PK\u0003\u0004 nothing'), 'application/zip')
    await go('Tomás Reis')
    await attach('list.zip', Buffer.from('PK\u0003\u0004 nothing'), 'application/zip')
    await page.locator('.picked-file').getByText('The network takes no').waitFor()
    await box().fill('The list.')
    expect(await sendButton().isDisabled()).toBe(true)
    expect(await faultsHere()).toEqual([])
    await page.getByRole('button', { name: 'Remove list.zip' }).click()
    expect(await sendButton().isEnabled()).toBe(true)
    await box().fill('')
    // A draft with its file waits in its own conversation.
    await go('Ana Duarte')
    expect(await box().inputValue()).toBe('Here is the list.')
    await page.getByRole('button', { name: 'Remove list.zip' }).click()
    await box().fill('')
  })

  it('an outcome that nobody told is settled by the echo, and nothing is said twice', async () => {
    await go('Dmitri Novak')
    await fault('hold_webhooks', { network: 'x', count: undefined })
    await fault('drop_answer', { network: 'x' })
    const text = 'We repay it today.'
    const answer = await say(text)
    await answer.getByRole('group', { name: 'Being checked' }).waitFor()
    await control('DELETE', 'faults')
    await answer.getByRole('img', { name: /^(Sent|Delivered|Read)/ }).waitFor()
    await answer.getByRole('group', { name: 'Being checked' }).waitFor({ state: 'detached' })
    expect((await seen(text)).filter((line) => line.text === text).length).toBe(1)
  })

  it('a refusal tells why and what to do, and the retry brings it', async () => {
    await go('Bruno Keller')
    await fault('refuse_code', { network: 'meta', code: 551 })
    const text = 'Your umbrella is here.'
    const answer = await say(text)
    const trouble = answer.getByRole('group', { name: 'Not sent' })
    await trouble.getByText('The person is not available at the network just now, or has blocked us.').waitFor()
    await trouble.getByText('Reach the person in another way, or answer publicly.').waitFor()
    expect(await faultsHere()).toEqual([])
    await trouble.getByRole('button', { name: 'Retry' }).click()
    await answer.getByRole('img', { name: /^(Sent|Delivered|Read)/ }).waitFor()
    expect((await seen(text)).length).toBe(1)
  })

  it('of an answer in two messages the one that failed is named and sent again alone', async () => {
    await fault('refuse_code', { network: 'meta', code: 100, skip: 1 })
    await box().fill('It looks like this.')
    await attach()
    await page.getByRole('button', { name: 'Remove pier.jpg' }).waitFor()
    await sendButton().click()
    const answer = answerWith('It looks like this.')
    const trouble = answer.getByRole('group', { name: 'Partly sent' })
    await trouble.getByText(/Text (sent|delivered|read)/).waitFor()
    await trouble.getByText(/pier\.jpg: /).waitFor()
    await trouble.getByRole('button', { name: 'Retry what failed' }).click()
    await answer.getByRole('img', { name: /^(Sent|Delivered|Read)/ }).waitFor()
    expect((await seen('It looks like this.')).map(({ files }) => files?.length ?? 0)).toEqual([0, 1])
  })

  it('what came while one wrote is shown, the text is kept, and sending asks once', async () => {
    await go('Ana Duarte')
    await box().fill('It leaves at 9:40.')
    await hear('Ana Duarte', 'And on Sunday?')
    await sendButton().click()
    const alert = page.locator('.composer').getByRole('alert')
    await alert.getByText('Ana Duarte wrote while you were writing').waitFor()
    await alert.getByText('And on Sunday?').waitFor()
    expect(await box().inputValue()).toBe('It leaves at 9:40.')
    expect(await seen('It leaves at 9:40.')).toEqual([])
    expect(await faultsHere()).toEqual([])
    await box().fill('At 9:40, on Sundays too.')
    await page.getByRole('button', { name: 'Send anyway' }).click()
    await expect.poll(async () => (await seen('At 9:40, on Sundays too.')).length, { timeout: 20_000 }).toBe(1)
  })

  it('a planned answer is changed, and called off when the customer writes', async () => {
    await box().fill('We will tell you tomorrow.')
    await page.getByRole('button', { name: 'Plan for later' }).click()
    await page.getByRole('menuitem', { name: /^Tomorrow morning/ }).click()
    const planned = answerWith('We will tell you')
    await planned.getByText(/^Planned for .*9:00/).waitFor()
    await planned.getByRole('button', { name: 'Change' }).click()
    const dialog = page.getByRole('dialog', { name: 'Change the planned answer' })
    await dialog.getByLabel('Message').fill('We will tell you the day after.')
    await dialog.getByRole('button', { name: 'Save' }).click()
    await dialog.waitFor({ state: 'detached' })
    await answerWith('We will tell you the day after.').waitFor()
    expect(await faultsHere()).toEqual([])
    await hear('Ana Duarte', 'Never mind, I found it.')
    await planned.getByText('The contact wrote first.').waitFor()
    expect(await seen('We will tell you the day after.')).toEqual([])
  })

  it('a planned answer is sent at once, or called off by hand', async () => {
    for (const [text, button] of [
      ['Have a good trip.', 'Send now'],
      ['See you soon.', 'Cancel'],
    ] as const) {
      await box().fill(text)
      await page.getByRole('button', { name: 'Plan for later' }).click()
      await page.getByRole('menuitem', { name: /^In one hour/ }).click()
      await answerWith(text).getByRole('button', { name: button, exact: true }).click()
    }
    await answerWith('See you soon.').getByText('Cancelled.').waitFor()
    await expect.poll(async () => (await seen('Have a good trip.')).length, { timeout: 20_000 }).toBe(1)
    expect(await seen('See you soon.')).toEqual([])
  })

  it('a template is found, filled in and sent', async () => {
    await go('Tomás Reis')
    await page.getByRole('button', { name: 'More to say' }).click()
    await page.getByRole('menuitem', { name: 'Template' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Find by name or words').fill('minutes later')
    await dialog.getByRole('button', { name: /^ferry_delayed/ }).click()
    await dialog.getByLabel('Title, place 1').fill('7')
    await dialog.getByLabel('Text, place 1').fill('Tomás')
    await dialog.getByLabel('Text, place 2').fill('20')
    await dialog.getByLabel('Address of the button, place 1').fill('7')
    expect(await faultsHere()).toEqual([])
    await dialog.getByRole('button', { name: 'Send' }).click()
    const text = 'Ferry 7\nHello Tomás, your ferry leaves 20 minutes later.'
    await expect.poll(async () => (await seen(text)).length, { timeout: 20_000 }).toBe(1)
    await answerWith('your ferry leaves 20 minutes later')
      .getByRole('img', { name: /^(Sent|Delivered|Read)/ })
      .waitFor()
  })

  it('quick replies stand below the answer', async () => {
    await go('Inês Prata')
    await box().fill('Upper or lower deck?')
    await page.getByRole('button', { name: 'More to say' }).click()
    await page.getByRole('menuitem', { name: 'Quick replies' }).click()
    await page.getByRole('textbox', { name: 'Choice 1' }).fill('Upper')
    await page.getByRole('textbox', { name: 'Choice 2' }).fill('Lower')
    await page.getByRole('button', { name: 'Put below the text' }).click()
    await page.locator('.composer').getByText('Upper', { exact: true }).waitFor()
    await sendButton().click()
    await answerWith('Upper or lower deck?').getByRole('list', { name: 'To choose from' }).getByText('Lower').waitFor()
    await expect.poll(async () => (await seen('Upper or lower deck?')).length, { timeout: 20_000 }).toBe(1)
  })

  it('a comment is hidden at once; a refusal is taken back with its reason', async () => {
    await go('Chloé Marchand')
    const comment = page.locator('.message[data-side=inbound]').first()
    const menu = async (item: string): Promise<void> => {
      await comment.hover()
      await comment.getByRole('button', { name: /^What to do with this message/ }).click()
      await page.getByRole('menuitem', { name: item }).click()
    }
    await menu('Hide from the public')
    await comment.getByText('hidden from the public').waitFor()
    await expect.poll(async () => JSON.stringify(await control('GET', 'acts'))).toContain('hide')
    await fault('refuse_code', { network: 'meta', code: 100 })
    await menu('Show to the public again')
    await comment.getByText(/^Could not be shown again: /).waitFor()
    await comment.getByText('hidden from the public').waitFor()
  })

  it('a private answer says to whom, and is possible once', async () => {
    await page.getByRole('radio', { name: 'Private reply' }).click()
    await page.locator('.composer').getByText('Privately to Chloé Marchand').waitFor()
    expect(await faultsHere()).toEqual([])
    const answer = await say('Yes, bicycles are free for you.')
    await answer.getByRole('img', { name: /^(Sent|Delivered|Read)/ }).waitFor()
    await expect
      .poll(() => page.getByRole('radio', { name: /^Private reply/ }).getAttribute('aria-disabled'), {
        timeout: 20_000,
      })
      .toBe('true')
  })

  it('shows no fault of accessibility on phones and in the dark', async () => {
    for (const colorScheme of ['dark', 'light'] as const) {
      await page.emulateMedia({ colorScheme })
      for (const size of [
        { width: 390, height: 844 },
        { width: 1440, height: 900 },
      ]) {
        await page.setViewportSize(size)
        // The scheme follows the system a breath later.
        await expect.poll(faultsHere, { timeout: 10_000, message: `${colorScheme}, ${String(size.width)}` }).toEqual([])
      }
    }
  })
})
