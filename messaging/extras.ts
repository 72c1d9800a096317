/** What some networks can say beside text and files, as the API takes it and as it is stored with a message. */
import { z } from 'zod'
import type { OutboundExtras, OutboundTemplate } from './connectors/connector.ts'

const short = z.string().trim().min(1).max(200)
const payload = z.string().min(1).max(1_000)
const values = z.array(z.string().max(2_000)).max(20).optional()

export const extrasShape = {
  quick_replies: z
    .array(z.object({ title: short, payload }))
    .min(1)
    .max(30)
    .optional()
    .describe('buttons below the message that vanish with the answer (Messenger, Instagram)'),
  template: z
    .object({ name: short, language: short, header: values, body: values, buttons: values })
    .optional()
    .describe('a message that WhatsApp has approved; `text` is then what is shown here, and not sent'),
  interactive: z
    .discriminatedUnion('type', [
      z.object({
        type: z.literal('buttons'),
        buttons: z
          .array(z.object({ id: payload, title: short }))
          .min(1)
          .max(20),
      }),
      z.object({
        type: z.literal('list'),
        button: short,
        rows: z
          .array(z.object({ id: payload, title: short, description: short.optional() }))
          .min(1)
          .max(50),
      }),
    ])
    .optional()
    .describe('buttons or a list to choose from (WhatsApp)'),
  quote_of: z.string().max(190).optional().describe("the post that is shown within ours, by the network's id (X)"),
}

const extrasSchema = z.object(extrasShape)
type Extras = z.infer<typeof extrasSchema>

/** From a request, or from what is stored; `undefined`: there is nothing. */
export function readExtras(given: Extras): OutboundExtras | undefined {
  const { quick_replies: quickReplies, template, interactive, quote_of: quoteOf } = given
  const extras: OutboundExtras = {
    ...(quickReplies !== undefined && { quickReplies }),
    ...(template !== undefined && { template: templateOf(template) }),
    ...(interactive !== undefined && { interactive: interactiveOf(interactive) }),
    ...(quoteOf !== undefined && { quoteOf }),
  }
  return Object.keys(extras).length === 0 ? undefined : extras
}

/** As a message of ours keeps them; what it keeps beside is nothing to be said. */
export const storedExtras = (stored: Readonly<Record<string, unknown>> | null): OutboundExtras | undefined =>
  readExtras(extrasSchema.safeParse(stored ?? {}).data ?? {})

/** As they are stored and shown: snake_case. */
export function presentExtras(extras: OutboundExtras | undefined): Record<string, unknown> | null {
  if (extras === undefined) return null
  const { quickReplies, quoteOf, ...rest } = extras
  return {
    ...rest,
    ...(quickReplies !== undefined && { quick_replies: quickReplies }),
    ...(quoteOf !== undefined && { quote_of: quoteOf }),
  }
}

const templateOf = ({ name, language, header, body, buttons }: NonNullable<Extras['template']>): OutboundTemplate => ({
  name,
  language,
  ...(header !== undefined && { header }),
  ...(body !== undefined && { body }),
  ...(buttons !== undefined && { buttons }),
})

type Interactive = NonNullable<OutboundExtras['interactive']>

const interactiveOf = (given: NonNullable<Extras['interactive']>): Interactive =>
  given.type === 'buttons'
    ? given
    : {
        ...given,
        rows: given.rows.map(({ description, ...row }) => (description === undefined ? row : { ...row, description })),
      }
