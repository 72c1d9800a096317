/**
 * `npm run screens -- FOLDER`: the main screens as pictures, in light and dark, wide and on a phone, from a demo cluster of its own,
 * which ends with it. To be looked at: nothing overlaps, is cut, or is empty without saying what to do.
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { chromium } from 'playwright-core'
import type { Browser, Page } from 'playwright-core'
import { startCluster } from '../../infra/cluster/cluster.ts'
import { queueNames } from '../../messaging/broker/queues.ts'

const password = 'a lantern in the fog'
const settleMs = 700

interface Screen {
  readonly name: string
  readonly path: string
  /** Brings it to where the picture is taken. */
  readonly act?: (page: Page) => Promise<void>
}

const folder = resolve(process.argv[2] ?? 'screens')
const only = process.argv[3]?.split(',')
const home = await mkdtemp(join(tmpdir(), 'parley-screens-'))
const cluster = await startCluster(home, {
  queues: queueNames,
  port: 0,
  demo: true,
  settings: { PARLEY_ADMIN_PASSWORD: password },
})
const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update'],
})
try {
  await mkdir(folder, { recursive: true })
  const cookies = await signIn()
  const { conversationId } = await prepare(cookies)
  for (const scheme of ['light', 'dark'] as const)
    for (const width of [1440, 390]) {
      const context = await browser.newContext({
        viewport: { width, height: width === 390 ? 844 : 900 },
        colorScheme: scheme,
        reducedMotion: 'reduce',
      })
      for (const screen of screensOf(conversationId)) {
        if (only && !only.includes(screen.name)) continue
        await context.clearCookies()
        if (screen.name !== 'sign-in') await context.addCookies(cookies)
        const page = await context.newPage()
        page.setDefaultTimeout(15_000)
        await page.goto(cluster.publicUrl + screen.path)
        await page.waitForTimeout(settleMs)
        await screen.act?.(page).catch((error: unknown) => {
          process.stdout.write(
            `${screen.name}: ${error instanceof Error ? (error.message.split('\n')[0] ?? '') : ''}\n`,
          )
        })
        await page.waitForTimeout(settleMs)
        const file = `${screen.name}-${String(width)}-${scheme}.png`
        await page.screenshot({ path: join(folder, file) })
        const isCut = await page.evaluate('document.documentElement.scrollWidth > innerWidth')
        process.stdout.write(`${file}${isCut === true ? ': scrolls sideways' : ''}\n`)
        await page.close()
      }
      await context.close()
    }
} finally {
  await browser.close()
  await cluster.stop()
  await rm(home, { recursive: true, force: true })
}

function screensOf(conversationId: string): readonly Screen[] {
  return [
    { name: 'sign-in', path: '/inbox' },
    { name: 'inbox', path: '/inbox' },
    { name: 'conversation', path: `/inbox/${conversationId}` },
    {
      name: 'note',
      path: `/inbox/${conversationId}`,
      act: async (page) => {
        await page
          .getByRole('radio', { name: 'Note' })
          .or(page.getByRole('tab', { name: 'Note' }))
          .first()
          .click()
        await page.getByRole('textbox', { name: 'Message' }).pressSequentially('Could you look at this, @N')
      },
    },
    { name: 'channels', path: '/channels' },
    { name: 'calendar', path: '/calendar' },
    { name: 'post', path: '/calendar/new' },
    { name: 'people', path: '/settings/users' },
    { name: 'roles', path: '/settings/roles' },
    { name: 'audit', path: '/settings/audit' },
    { name: 'received', path: '/received' },
  ]
}

async function signIn(): Promise<Awaited<ReturnType<Awaited<ReturnType<Browser['newContext']>>['cookies']>>> {
  const context = await browser.newContext()
  const page = await context.newPage()
  await page.goto(cluster.publicUrl)
  await page.getByLabel('Email').fill(cluster.administrator.email)
  await page.getByLabel('Password').first().fill(password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByText('Ana Duarte').first().waitFor({ timeout: 60_000 })
  const cookies = await context.cookies()
  await context.close()
  return cookies
}

/** Something of everything: a colleague, labels, urgency, a view, someone who sleeps. */
async function prepare(cookies: Awaited<ReturnType<typeof signIn>>): Promise<{ conversationId: string }> {
  const cookie = cookies.map(({ name, value }) => `${name}=${value}`).join('; ')
  let token = ''
  const call = async (method: string, path: string, body?: unknown): Promise<Record<string, unknown>> => {
    const response = await fetch(`${cluster.publicUrl}/api/v1${path}`, {
      method,
      headers: { cookie, 'content-type': 'application/json', ...(token && { 'x-csrf-token': token }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`${method} ${path}: ${text}`)
    return text === '' ? {} : (JSON.parse(text) as Record<string, unknown>)
  }
  token = String((await call('GET', '/session'))['csrf_token'])
  const { url } = await call('POST', '/invitations', { email: 'noa@harbour.example', role: 'agent' })
  await call('POST', '/join', {
    token: new URL(String(url)).hash.slice(1),
    name: 'Noa Lind',
    password: 'a ferry at first light',
  })
  const { items } = (await call('GET', '/conversations?limit=50')) as {
    items: { id: string; contact: { name: string } }[]
  }
  const labels = ['refund', 'timetable', 'lost property']
  for (const [index, name] of labels.entries())
    await call('POST', '/labels', { name, color: ['#b0413e', '#1f7a8c', '#b36a00'][index] })
  const [first, second, third] = items
  const users = (await call('GET', '/users')) as { items: { id: string; name: string }[] }
  const noa = users.items.find(({ name }) => name === 'Noa Lind')
  if (first)
    await call('PATCH', `/conversations/${first.id}`, { priority: 'urgent', add_labels: labels, assignee_id: 'me' })
  if (second)
    await call('PATCH', `/conversations/${second.id}`, {
      priority: 'high',
      add_labels: ['timetable'],
      assignee_id: noa?.id,
    })
  if (third)
    await call('PATCH', `/conversations/${third.id}`, {
      snoozed_until: new Date(Date.now() + 86_400_000).toISOString(),
    })
  await call('POST', '/views', {
    name: 'Refunds that wait',
    filter: { label: 'refund', sort: 'waiting' },
    is_for_all: true,
  })
  const ana = items.find(({ contact }) => contact.name === 'Ana Duarte') ?? first
  if (ana && noa)
    await call('POST', `/conversations/${ana.id}/messages`, {
      kind: 'note',
      text: `@[${noa.name}](${noa.id}) do you know the boat she means?`,
    })
  return { conversationId: ana?.id ?? '' }
}
