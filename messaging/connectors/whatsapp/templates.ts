/** The templates of a business account (WhatsApp Business Account: message_templates). */
import type { Asked, ChannelAccess, Template } from '../connector.ts'
import { callGraph } from '../meta/graph.ts'
import { fieldsOf, listOf, textOf } from '../reading.ts'
import type { Fields } from '../reading.ts'

const pageSize = 100
/** An account has at most 6,000, in all languages. */
const mostPages = 60

/** All of them, in every state; the newest page of the list first. Never throws. */
export async function listTemplates(
  channel: ChannelAccess,
  /** Its path. */
  account: string,
  signal: AbortSignal,
): Promise<Asked<readonly Template[]>> {
  const templates: Template[] = []
  let after: string | undefined
  for (let page = 0; page < mostPages; page += 1) {
    const query = {
      fields: 'name,language,category,status,components',
      limit: String(pageSize),
      ...(after === undefined ? {} : { after }),
    }
    const path = `${account}/message_templates`
    const result = await callGraph(channel, { method: 'GET', path, query }, signal)
    if (!result.ok) return result.outcome
    const { data, paging } = fieldsOf(result.json)
    templates.push(...listOf(data).flatMap((one) => readTemplate(fieldsOf(one)) ?? []))
    after = textOf(fieldsOf(fieldsOf(paging).cursors).after)
    if (after === undefined || fieldsOf(paging).next === undefined) break
  }
  return { type: 'ok', value: templates }
}

function readTemplate(one: Fields): Template | undefined {
  const [name, language] = [textOf(one.name), textOf(one.language)]
  const components = listOf(one.components).map(fieldsOf)
  const textIn = (type: string): string | undefined => textOf(components.find((part) => part.type === type)?.text)
  const body = textIn('BODY')
  if (name === undefined || language === undefined || body === undefined) return undefined
  const buttons = listOf(components.find((part) => part.type === 'BUTTONS')?.buttons).map(fieldsOf)
  const links = buttons.map((button) => textOf(button.url) ?? '')
  return {
    name,
    language,
    category: textOf(one.category) ?? 'UNKNOWN',
    state: textOf(one.status) ?? 'UNKNOWN',
    header: textIn('HEADER'),
    body,
    footer: textIn('FOOTER'),
    buttons: buttons.map((button) => textOf(button.text) ?? ''),
    ...(links.some((link) => link !== '') && { links }),
  }
}
