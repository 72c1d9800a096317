/** Templates of WhatsApp: what there is, and what becomes of one when it is said (Business Management API: templates). */
import { fieldsOf, idOf, listOf, textOf } from '../connectors/reading.ts'
import type { Fields } from '../connectors/reading.ts'
import type { Stage } from './customers.ts'
import { graphError } from './graph-error.ts'
import { paged } from './graph-reads.ts'
import type { Answer } from './http.ts'
import type { Choice, SandboxChannel } from './world.ts'

export interface SandboxTemplate {
  readonly name: string
  readonly language: string
  readonly category: string
  readonly status: string
  readonly components: readonly Fields[]
}

/** What every number has until others are put (`PUT /control/meta/templates`). */
// prettier-ignore
const usual: readonly SandboxTemplate[] = [
  { name: 'hello_world', language: 'en_US', category: 'UTILITY', status: 'APPROVED', components: [
    { type: 'HEADER', format: 'TEXT', text: 'Hello World' }, { type: 'BODY', text: 'Welcome and congratulations!' }, { type: 'FOOTER', text: 'WhatsApp Business' } ] },
  { name: 'ferry_delayed', language: 'en', category: 'UTILITY', status: 'APPROVED', components: [
    { type: 'HEADER', format: 'TEXT', text: 'Ferry {{1}}' }, { type: 'BODY', text: 'Hello {{1}}, your ferry leaves {{2}} minutes later.' },
    { type: 'BUTTONS', buttons: [{ type: 'URL', text: 'Timetable', url: 'https://harbour.example/{{1}}' }, { type: 'QUICK_REPLY', text: 'Thank you' }] } ] },
  { name: 'ferry_delayed', language: 'de', category: 'UTILITY', status: 'APPROVED', components: [
    { type: 'HEADER', format: 'TEXT', text: 'Fähre {{1}}' }, { type: 'BODY', text: 'Guten Tag {{1}}, Ihre Fähre fährt {{2}} Minuten später.' } ] },
  { name: 'summer_offer', language: 'en', category: 'MARKETING', status: 'PAUSED', components: [{ type: 'BODY', text: 'Summer tickets from {{1}}.' }] },
  { name: 'not_yet', language: 'en', category: 'MARKETING', status: 'PENDING', components: [{ type: 'BODY', text: 'Soon.' }] },
]

const keyOf = (channel: SandboxChannel): string => `meta.templates.${channel.external_id}`
const templatesOf = (stage: Stage, channel: SandboxChannel): readonly SandboxTemplate[] =>
  (stage.world.notes.get(keyOf(channel)) as readonly SandboxTemplate[] | undefined) ?? usual

export const setTemplates = (stage: Stage, channel: SandboxChannel, templates: readonly SandboxTemplate[]): void => {
  stage.world.note(keyOf(channel), templates)
}

/** `GET /{business account}/message_templates`. */
export const listTemplates = (stage: Stage, channel: SandboxChannel, parameters: Fields): Answer => ({
  status: 200,
  json: paged(
    templatesOf(stage, channel).map((one, index) => ({ id: String(5_940_000_000 + index), ...one })),
    parameters,
  ),
})

/** The words and buttons of a template with its values, or why it is refused. */
export function fillTemplate(
  stage: Stage,
  channel: SandboxChannel,
  given: Fields,
): { readonly text: string; readonly choices: readonly Choice[] } | Answer {
  const name = textOf(given.name) ?? ''
  const language = textOf(fieldsOf(given.language).code) ?? ''
  const found = templatesOf(stage, channel).find((one) => one.name === name && one.language === language)
  if (found === undefined || found.status === 'PENDING' || found.status === 'REJECTED')
    return graphError(132_001, undefined, 'Template name does not exist in the translation', 404)
  if (found.status === 'PAUSED') return graphError(132_015, undefined, 'Template is Paused')
  if (found.status !== 'APPROVED') return graphError(132_016, undefined, 'Template is Disabled')
  const values = listOf(given.components).map(fieldsOf)
  const lines: string[] = []
  for (const type of ['HEADER', 'BODY', 'FOOTER']) {
    const text = textOf(found.components.find((part) => part.type === type)?.text)
    const own = textsIn(values.find((part) => part.type === type.toLowerCase()))
    if (countIn(text) !== own.length)
      return graphError(132_000, undefined, 'Number of parameters does not match the expected number of params')
    if (text !== undefined) lines.push(fill(text, own))
  }
  const buttons = listOf(found.components.find((part) => part.type === 'BUTTONS')?.buttons).map(fieldsOf)
  for (const [index, button] of buttons.entries()) {
    const own = textsIn(values.find((part) => part.type === 'button' && idOf(part.index) === String(index)))
    if (countIn(textOf(button.url)) !== own.length)
      return graphError(131_008, undefined, `Required parameter is missing: the value of button ${String(index)}`)
  }
  const choices = buttons.flatMap((button): Choice[] => {
    const title = textOf(button.text) ?? ''
    return button.type === 'QUICK_REPLY' ? [{ as: 'template', id: title, title }] : []
  })
  return { text: lines.join('\n'), choices }
}

const textsIn = (component: Fields | undefined): string[] =>
  listOf(component?.parameters).flatMap((one) => textOf(fieldsOf(one).text) ?? [])
const countIn = (text: string | undefined): number => new Set(text?.match(/\{\{\w+\}\}/g) ?? []).size
const fill = (text: string, values: readonly string[]): string =>
  text.replace(/\{\{(\d+)\}\}/g, (whole, number: string) => values[Number(number) - 1] ?? whole)
