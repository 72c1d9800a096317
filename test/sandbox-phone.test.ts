/** The customer's phone in a real browser: writing, watching the answer arrive, switching a fault on, in both colour schemes. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium } from 'playwright-core'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { silentLogger } from '../infra/logger.ts'
import { bytesOf } from '../messaging/sandbox/files.ts'
import { startSandbox } from '../messaging/sandbox/server.ts'
import type { Sandbox } from '../messaging/sandbox/server.ts'

let home: string
let sandbox: Sandbox
let browser: Browser
let base: string

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'phone-'))
  sandbox = await startSandbox({ config: { home, listen: { host: '127.0.0.1', port: 0 } }, logger: silentLogger })
  base = `http://127.0.0.1:${String(sandbox.port)}`
  // Nobody listens for webhooks here; the phones must work all the same.
  const webhook = { secrets: ['secret'], webhook_url: 'http://127.0.0.1:9/' }
  await control('PUT', 'apps', { network: 'meta', app_id: '99', ...webhook })
  await control('PUT', 'apps', { network: 'x', app_id: '98', ...webhook })
  await control('PUT', 'channels', {
    type: 'facebook',
    external_id: '11',
    name: 'Harbour',
    access_token: 'page-token',
    app_id: '99',
  })
  await control('PUT', 'channels', {
    type: 'x',
    external_id: '1400000000000000001',
    name: 'Harbour X',
    handle: 'harbour',
    access_token: 'x-token',
    app_id: '98',
  })
  for (const [type, external_id, name] of [['instagram', '14', '@harbour.lights'], ['whatsapp', '15', '+351 21 000 0000']])
    await control('PUT', 'channels', { type, external_id, name, access_token: `${String(type)}-token`, app_id: '99' }) // prettier-ignore
  browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
  })
})

afterAll(async () => {
  await browser.close()
  await sandbox.stop()
  rmSync(home, { recursive: true })
})

const control = (method: string, path: string, body?: unknown): Promise<Response> =>
  fetch(`${base}/control/${path}`, { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) })

async function openPhones(
  options: Parameters<Browser['newContext']>[0] = {},
): Promise<{ page: Page; faults: string[] }> {
  const page = await (await browser.newContext(options)).newPage()
  const faults: string[] = []
  page.on('pageerror', (error) => faults.push(error.message))
  page.on('console', (line) => line.type() === 'error' && faults.push(line.text()))
  // As the load balancer passes it on.
  await page.goto(`${base}/sandbox/phone/`)
  return { page, faults }
}

test('a customer writes and sees the answer, and only that customer', async () => {
  const { page, faults } = await openPhones()
  const ana = page.getByRole('region', { name: "Ana Duarte's phone" })
  const mina = page.getByRole('region', { name: "Mina Sato's phone" })
  await ana.getByRole('textbox', { name: 'Message to Harbour' }).fill('Is the 9:40 running?')
  await ana.getByRole('button', { name: 'Send' }).click()
  await ana.getByText('Is the 9:40 running?').waitFor()
  await fetch(`${base}/v25.0/me/messages?access_token=page-token`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      recipient: { id: '7100000000000001' },
      messaging_type: 'RESPONSE',
      message: { text: 'Yes, platform 3' },
    }),
  })
  await ana.getByText('Yes, platform 3').waitFor()
  await mina.getByRole('tab', { name: 'Messenger' }).click()
  expect(await mina.getByText('Yes, platform 3').count()).toBe(0)
  expect(faults).toEqual([])
})

test('public content is seen by all, and the mention carries the name', async () => {
  const { page } = await openPhones()
  const mina = page.getByRole('region', { name: "Mina Sato's phone" })
  await mina.getByRole('textbox', { name: 'Comment under the post of Harbour' }).fill('How much is it?')
  await page.keyboard.press('Enter')
  const ana = page.getByRole('region', { name: "Ana Duarte's phone" })
  await ana.getByRole('tab', { name: 'Post' }).click()
  await ana.getByText('How much is it?', { exact: true }).waitFor()
  const leo = page.getByRole('region', { name: "Leo Lindqvist's phone" })
  await leo.getByRole('textbox', { name: 'Post mentioning @harbour' }).fill('on time?')
  await leo.getByRole('button', { name: 'Send' }).click()
  await leo.getByText('@harbour on time?', { exact: true }).waitFor()
})

test('Instagram and WhatsApp: words both ways, pictures and places', async () => {
  const { page, faults } = await openPhones()
  const ines = page.getByRole('region', { name: "Inês Prata's phone" })
  await ines.getByRole('textbox', { name: 'Message to @harbour.lights' }).fill('That light!')
  await page.keyboard.press('Enter')
  await ines.getByText('That light!').waitFor()
  const person = { id: '6100000000000001' }
  await control('POST', 'meta/say', { channel: '14', person, files: [{ kind: 'image', file: 'harbour.png' }] })
  await ines.getByRole('img', { name: 'Picture' }).waitFor()
  await expect
    .poll(() => page.evaluate<number>('document.querySelector(".instagram .text img").naturalWidth'))
    .toBe(480)
  await control('POST', 'meta/app_says', { channel: '14', person: person.id, text: 'The 20:15' })
  await ines.getByText('The 20:15').waitFor()

  const tomas = page.getByRole('region', { name: "Tomás Reis's phone" })
  expect(await tomas.getByRole('tab').count()).toBe(1)
  await tomas.getByRole('textbox', { name: 'Message to +351 21 000 0000' }).fill('Is there a bus?')
  await tomas.getByRole('button', { name: 'Send' }).click()
  await tomas.getByText('Is there a bus?').waitFor()
  const location = { latitude: 38.7, longitude: -9.1, name: 'Cacilhas pier' }
  await control('POST', 'meta/say', {
    channel: '15',
    person: { id: '351910000001' },
    wire: { type: 'location', location },
  })
  await tomas.getByText('Cacilhas pier').waitFor()
  await tomas.getByText('38.7, -9.1').waitFor()
  const answer = await fetch(`${base}/v25.0/15/messages`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Bearer whatsapp-token' },
    body: JSON.stringify({
      messaging_product: 'whatsapp',
      to: '351910000001',
      type: 'text',
      text: { body: 'Line 3001' },
    }),
  })
  expect(answer.status).toBe(200)
  await tomas.getByText('Line 3001').waitFor()
  expect(faults).toEqual([])
})

test('X: pictures with their descriptions; what is hidden, deleted and liked, as it is done', async () => {
  const { page, faults } = await openPhones()
  const leo = page.getByRole('region', { name: "Leo Lindqvist's phone" })
  const call = async (method: string, path: string, body: object) => {
    const isForm = body instanceof FormData
    const answer = await fetch(`${base}${path}`, {
      method,
      headers: { authorization: 'Bearer x-token', ...(isForm ? {} : { 'content-type': 'application/json' }) },
      body: isForm ? body : JSON.stringify(body),
    })
    return ((await answer.json()) as { data: Record<string, string> }).data
  }
  const person = '1589012345678901202'
  const form = new FormData()
  form.set('media_category', 'dm_image')
  form.set('media', new Blob([bytesOf('photo.png') ?? '']), 'photo')
  const media_id = (await call('POST', '/2/media/upload', form))['id']
  await call('POST', '/2/media/metadata', { id: media_id, metadata: { alt_text: { text: 'The quay at night' } } })
  await leo.getByRole('tab', { name: 'Messages' }).click()
  const attachments = [{ media_id }]
  const { dm_event_id } = await call('POST', `/2/dm_conversations/with/${person}/messages`, { attachments })
  await leo.getByRole('img', { name: 'The quay at night' }).waitFor()
  await expect.poll(() => page.evaluate<number>('document.querySelector(".x .text img").naturalWidth')).toBe(640)
  await call('DELETE', `/2/dm_events/${String(dm_event_id)}`, {})
  await leo.getByText('Deleted', { exact: true }).waitFor()
  expect(await leo.getByRole('img', { name: 'The quay at night' }).count()).toBe(0)

  const said = {
    type: 'x',
    channel: '1400000000000000001',
    person: { id: person },
    kind: 'comment',
    text: 'What a mess',
  }
  const { external_id } = (await (await control('POST', 'say', said)).json()) as { external_id: string }
  await leo.getByRole('tab', { name: 'Posts' }).click()
  await leo.getByText('What a mess').waitFor()
  await call('PUT', `/2/tweets/${external_id}/hidden`, { hidden: true })
  await leo.getByText('Hidden from others').waitFor()
  await call('POST', '/2/users/1400000000000000001/likes', { tweet_id: external_id })
  await leo.getByText('❤️ Hidden from others').waitFor()
  await call('PUT', `/2/tweets/${external_id}/hidden`, { hidden: false })
  await leo.getByText('❤️', { exact: true }).waitFor()
  expect(faults).toEqual([])
})

test('Meta: what can be pressed, files, and a hidden comment that only its author still sees', async () => {
  const { page, faults } = await openPhones()
  const ana = page.getByRole('region', { name: "Ana Duarte's phone" })
  const mina = page.getByRole('region', { name: "Mina Sato's phone" })
  const graph = async (token: string, path: string, body: object) =>
    (await (
      await fetch(`${base}/v25.0/${path}?access_token=${token}`, {
        method: 'POST',
        ...(body instanceof FormData
          ? { body }
          : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
      })
    ).json()) as Record<string, string>
  const person = { id: '7100000000000001', name: 'Ana Duarte' }
  await control('POST', 'say', { type: 'facebook', channel: '11', person, text: 'A table, please' })
  const recipient = { id: person.id }
  const form = new FormData()
  form.set('message', JSON.stringify({ attachment: { type: 'file', payload: { is_reusable: true } } }))
  form.set('filedata', new Blob([bytesOf('ticket.pdf') ?? ''], { type: 'application/pdf' }), 'ticket.pdf')
  const { attachment_id } = await graph('page-token', 'me/message_attachments', form)
  await graph('page-token', 'me/messages', { recipient, message: { attachment: { type: 'file', payload: { attachment_id } } } }) // prettier-ignore
  await ana.getByRole('tab', { name: 'Messenger' }).click()
  await ana.getByRole('link', { name: 'ticket.pdf' }).waitFor()
  const quick_replies = ['Two', 'Four'].map((title) => ({ content_type: 'text', title, payload: title }))
  await graph('page-token', 'me/messages', { recipient, message: { text: 'For how many?', quick_replies } })
  await ana.getByRole('button', { name: 'Four' }).click()
  await ana.getByText('Four', { exact: true }).waitFor()
  await ana.getByRole('button', { name: 'Two' }).waitFor({ state: 'detached' })

  const said = { type: 'facebook', channel: '11', person, kind: 'comment', text: 'Rude words' }
  const { external_id } = (await (await control('POST', 'say', said)).json()) as { external_id: string }
  for (const phone of [ana, mina]) {
    await phone.getByRole('tab', { name: 'Post' }).click()
    await phone.getByText('Rude words', { exact: true }).waitFor()
  }
  await graph('page-token', external_id, { is_hidden: true })
  await mina.getByText('Rude words', { exact: true }).waitFor({ state: 'hidden' })
  await ana.getByText('Hidden from others').waitFor()

  const tomas = page.getByRole('region', { name: "Tomás Reis's phone" })
  const buttons = ['Monday', 'Tuesday'].map((title) => ({ type: 'reply', reply: { id: title, title } }))
  const interactive = { type: 'button', body: { text: 'Which day?' }, action: { buttons } }
  await graph('whatsapp-token', '15/messages', { messaging_product: 'whatsapp', to: '351910000001', type: 'interactive', interactive }) // prettier-ignore
  await tomas.getByRole('button', { name: 'Tuesday' }).click()
  await tomas.getByText('Tuesday', { exact: true }).nth(1).waitFor()
  expect(faults).toEqual([])
})

test('a switch turns a fault on and off', async () => {
  const { page } = await openPhones()
  const listed = async (): Promise<unknown> =>
    ((await (await control('GET', 'faults')).json()) as { items: { fault: string }[] }).items.map((one) => one.fault)
  await page.getByRole('switch', { name: 'Drop the answer' }).check()
  await expect.poll(listed).toEqual(['drop_answer'])
  await page.getByRole('switch', { name: 'Drop the answer' }).uncheck()
  await expect.poll(listed).toEqual([])
})

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

test.each([
  ['light', 1440],
  ['dark', 1440],
  ['light', 390],
] as const)('%s at %i: nothing overflows, and no barrier is found', async (colorScheme, width) => {
  const { page } = await openPhones({ colorScheme, viewport: { width, height: 900 }, bypassCSP: true })
  await page.getByRole('region', { name: "Leo Lindqvist's phone" }).getByText('Night ferry').waitFor()
  expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBe(0)
  await page.evaluate(axe)
  const found = await page.evaluate(
    'axe.run().then(({ violations }) => violations.map(({ id, nodes }) => `${id}: ${nodes[0].html.slice(0, 120)} ${nodes[0].failureSummary}`))',
  )
  expect(found).toEqual([])
})
