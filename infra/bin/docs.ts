/**
 * Writes the generated references: settings, `.env.example`, events and the OpenAPI document. With `--check` it writes
 * nothing and fails if a file differs from what the code says.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { arrivalsOf } from '../../messaging/connectors/registry.ts'
import { channelTypes } from '../../storage/model/words.ts'
import { eventTypes } from '../../storage/model/events.ts'
import { describeApi } from '../../web/openapi.ts'
import { routes } from '../../web/routes.ts'
import { settings, version } from '../config.ts'

const root = join(import.meta.dirname, '../..')
const check = process.argv.includes('--check')

const pages: Readonly<Record<string, string>> = {
  'infra/docs/reference/settings.md': settingsPage(),
  '.env.example': environmentExample(),
  'infra/docs/reference/events.md': eventsPage(),
  'infra/docs/reference/arrivals.md': arrivalsPage(),
  'infra/docs/reference/openapi.json': `${JSON.stringify(describeApi(routes, version), null, 2)}\n`,
}

const stale = Object.entries(pages).filter(([name, text]) => read(name) !== text)
if (check) {
  for (const [name] of stale) console.error(`${name} is not what the code says; run: npm run docs`)
  process.exitCode = stale.length === 0 ? 0 : 1
} else {
  for (const [name, text] of stale) {
    mkdirSync(dirname(join(root, name)), { recursive: true })
    writeFileSync(join(root, name), text)
    console.log(`wrote ${name}`)
  }
}

function read(name: string): string | undefined {
  try {
    return readFileSync(join(root, name), 'utf8')
  } catch {
    return undefined
  }
}

function rows(): { name: string; about: string; fallback: string }[] {
  return Object.entries(settings).map(([name, schema]) => {
    const parsed = schema.safeParse(undefined)
    const value = parsed.success ? parsed.data : undefined
    return {
      name,
      about: schema.description ?? '',
      fallback:
        value === undefined ? '' : Array.isArray(value) ? value.join(',') : value === false ? '0' : String(value),
    }
  })
}

function settingsPage(): string {
  const lines = rows().map(
    ({ name, about, fallback }) => `| \`${name}\` | ${fallback === '' ? '' : `\`${fallback}\``} | ${about} |`,
  )
  return [
    '# Settings',
    '',
    'All are environment variables.',
    '',
    '| name | default | meaning |',
    '| --- | --- | --- |',
    ...lines,
    '',
  ].join('\n')
}

function environmentExample(): string {
  return rows()
    .map(({ name, about, fallback }) => `# ${about}\n#${name}=${fallback}\n`)
    .join('\n')
}

function arrivalsPage(): string {
  const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll('\n', ' ')
  const sections = channelTypes.flatMap((type) => [
    `## ${type}`,
    '',
    '| what arrives | what becomes of it | note |',
    '| --- | --- | --- |',
    ...arrivalsOf(type).map(({ what, becomes, note = '' }) => `| ${cell(what)} | ${cell(becomes)} | ${cell(note)} |`),
    '',
  ])
  return [
    '# What arrives, and what becomes of it',
    '',
    'For every network: each kind of item that its webhooks bring. `kept` stays in the received log, with its reason; nothing',
    'that is signed is refused or dropped. Each row is proven by a fixture beside its connector.',
    '',
    ...sections,
  ].join('\n')
}

function eventsPage(): string {
  const source = readFileSync(join(root, 'storage/model/events.ts'), 'utf8')
  const lines = eventTypes.map((type) => {
    const data = new RegExp(`'${type.replace('.', '\\.')}': \\{([^}]*)\\}`).exec(source)?.[1]?.trim() ?? ''
    return `| \`${type}\` | ${data
      .split(';')
      .map((part) => `\`${part.trim().replaceAll('|', '\\|')}\``)
      .join(', ')} |`
  })
  return [
    '# Events',
    '',
    'Numbered facts, at `GET /api/v1/events` and on the live stream.',
    '',
    '| type | data |',
    '| --- | --- |',
    ...lines,
    '',
  ].join('\n')
}
