/**
 * Contacts in Chromium, on a whole cluster: someone is found by a phone number in another writing, merged with who is the same
 * person, taken apart again; what they said is searched. Each place is looked at by axe, wide and narrow, light and dark.
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
import { readConfig } from '../../infra/config.ts'
import { newId } from '../../infra/ids.ts'
import { silentLogger } from '../../infra/logger.ts'
import { queueNames } from '../../messaging/broker/queues.ts'
import { openStorage } from '../../storage/index.ts'
import { connectChannels } from '../web-site.ts'

const axeSource = readFileSync(new URL('../../node_modules/axe-core/axe.min.js', import.meta.url), 'utf8')
const password = 'a lantern in the fog'
let home: string
let cluster: Cluster
let browser: Browser
let page: Page

async function faultsOf(on: Page): Promise<string[]> {
  await on.evaluate(axeSource)
  const found = await on.evaluate(async () => {
    const { axe } = globalThis as unknown as {
      axe: { run: () => Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> }
    }
    return (await axe.run()).violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html ?? ''}`)
  })
  const isCut = await on.evaluate('document.documentElement.scrollWidth > innerWidth')
  return isCut === true ? [...found, 'the page scrolls sideways'] : found
}

/** Two people with a direct line each, as receiving would leave them. */
async function bringPeople(): Promise<void> {
  const config = readConfig({ ...cluster.env, PARLEY_NODE: 'test' })
  const storage = await openStorage(config, silentLogger)
  const user = await storage.primary.first<{ accountId: string }>('select account_id accountId from users limit 1')
  const accountId = user?.accountId ?? ''
  const { pageId } = await connectChannels({ storage, config }, accountId)
  const people = [
    { name: 'Olga Brandt', type: 'whatsapp', id: '4915112345678', text: 'Is the blue coat still there?' },
    { name: 'olga.brandt', type: 'facebook', id: '7001', text: 'Ich hätte gern eine Rückerstattung' },
  ] as const
  await storage.write(async (tx) => {
    for (const { name, type, id, text } of people) {
      const person = { accountId, channelType: type, scope: pageId, externalId: id, name, handle: undefined, pictureUrl: undefined } // prettier-ignore
      const [address] = (await storage.contacts.resolve(tx, [person])).values()
      if (address === undefined) throw new Error('nobody was made')
      const now = new Date()
      const place = { accountId, channelId: pageId, contactId: address.contactId }
      const begun = await storage.conversations.begin(tx, [
        { ...place, contactAddressId: address.id, visibility: 'direct', threadKey: id, postId: null, lastActivityAt: now }, // prettier-ignore
      ])
      const [conversation] = begun.all.values()
      const messageId = newId()
      await storage.messages.insert(tx, [
        {
          ...{ ...place, id: messageId, conversationId: conversation?.id ?? '', direction: 'inbound', kind: 'message' },
          ...{ visibility: 'direct', externalId: `m_${id}`, authorId: null, text, inReplyTo: null, extra: null },
          ...{ reactions: null, isHidden: false, occurredAt: now, receivedAt: now, editedAt: null, deletedAt: null },
        },
      ])
      await storage.outbox.append(tx, {
        type: 'message.received',
        accountId,
        data: { conversation_id: conversation?.id ?? '', message_id: messageId, channel_id: pageId, kind: 'message' },
      })
    }
  })
  await storage.close()
}

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'parley-contacts-'))
  const settings = { PARLEY_ADMIN_PASSWORD: password }
  cluster = await startCluster(home, { queues: queueNames, port: 0, demo: false, settings })
  await bringPeople()
  browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update'],
  })
  const context = await browser.newContext({ bypassCSP: true, reducedMotion: 'reduce' })
  page = await context.newPage()
  page.setDefaultTimeout(30_000)
  await page.goto(`${cluster.publicUrl}/contacts`)
  await page.getByLabel('Email').fill(cluster.administrator.email)
  await page.getByLabel('Password').first().fill(password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('heading', { name: 'Contacts', level: 1 }).waitFor()
})
afterAll(async () => {
  await browser.close()
  await cluster.stop()
  await rm(home, { recursive: true, force: true })
})

const open = (name: string) => page.getByRole('link', { name, exact: true })

describe('contacts', () => {
  it('are found by a phone number in another writing', async () => {
    await open('olga.brandt').waitFor()
    await page.keyboard.press('/')
    await page.keyboard.type('0151 / 123 456-78')
    await open('olga.brandt').waitFor({ state: 'detached' })
    await open('Olga Brandt').click()
    await page.getByRole('heading', { name: 'Olga Brandt', level: 1 }).waitFor()
    await page.getByText('Is the blue coat still there?').waitFor()
    expect(await faultsOf(page)).toEqual([])
  })

  it('are merged, with both sides in view, and taken apart again', async () => {
    await page.getByRole('button', { name: 'Merge', exact: true }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Who is the same person?').fill('olga')
    await dialog.getByRole('button', { name: 'olga.brandt' }).click()
    await dialog.getByText('Goes into it').waitFor()
    expect(await dialog.getByRole('radio').count()).toBe(2)
    expect(await faultsOf(page)).toEqual([])
    await dialog.getByRole('button', { name: 'Merge', exact: true }).click()
    await page.getByText('Ich hätte gern eine Rückerstattung').waitFor()
    await page.getByRole('button', { name: 'Take olga.brandt apart again' }).click()
    await page.getByText('olga.brandt is a contact of their own again.').waitFor()
    await page.getByText('Ich hätte gern eine Rückerstattung').waitFor({ state: 'detached' })
  })

  it('are searched by what they said, with the words marked', async () => {
    await page.goto(`${cluster.publicUrl}/search?q=ruckerst`)
    await page.locator('mark', { hasText: 'Rückerstattung' }).waitFor()
    await page.getByLabel('Search in everything').fill('from:olga is:open "blue coat')
    await page.getByText('The quotation mark was not closed').waitFor()
    await page.locator('mark', { hasText: 'blue coat' }).waitFor()
    expect(await faultsOf(page)).toEqual([])
    await page.getByText('Is the', { exact: false }).click()
    await page.waitForURL(/\/inbox\//)
  })

  it('stand without a fault in both schemes, wide and narrow', async () => {
    for (const colorScheme of ['light', 'dark'] as const)
      for (const width of [390, 1440]) {
        const context = await browser.newContext({ bypassCSP: true, reducedMotion: 'reduce', colorScheme, viewport: { width, height: 900 }, storageState: await page.context().storageState() }) // prettier-ignore
        const other = await context.newPage()
        for (const path of ['/contacts', '/search?q=olga', '/search']) {
          await other.goto(`${cluster.publicUrl}${path}`)
          await other.getByRole('heading', { level: 1 }).waitFor()
          if (path !== '/search') await other.getByText('Olga Brandt').first().waitFor()
          expect([path, width, colorScheme, await faultsOf(other)]).toEqual([path, width, colorScheme, []])
          if (process.env['PARLEY_SHOTS'] !== undefined)
            await other.screenshot({ path: join(process.env['PARLEY_SHOTS'], `${path.replace(/\W+/g, '-')}-${String(width)}-${colorScheme}.png`) }) // prettier-ignore
        }
        await context.close()
      }
  }, 180_000)
})
