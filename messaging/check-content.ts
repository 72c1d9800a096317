/** Whether text, files and extras are what a network takes, by name. */
import { Problem } from '../infra/errors.ts'
import { isId } from '../infra/ids.ts'
import type { Reader, Storage } from '../storage/index.ts'
import type { OutboundKind } from '../storage/model/words.ts'
import type { Connector, ExtraLimits, Limits, OutboundExtras } from './connectors/connector.ts'
import { fitFile } from './files.ts'
import type { CheckedFile } from './files.ts'

/** A file to be said: a document of the account. */
export interface GivenFile {
  readonly documentId: string
  readonly altText?: string | undefined
}

export interface Utterance {
  readonly accountId: string
  readonly conversationId: string
  readonly kind: Exclude<OutboundKind, 'note'>
  readonly text: string
  /** The message that is answered, by our id; public answers take the newest one of the contact when it is left out. */
  readonly inReplyTo?: string | undefined
  readonly files?: readonly GivenFile[] | undefined
  readonly extras?: OutboundExtras | undefined
}

/**
 * The files as they will be said.
 * @throws Problem 422 with code `extras_not_possible`, `empty`, `too_long`, `attachment_gone`, `attachment_type`,
 * `attachment_too_big` or `too_many_attachments`
 */
export async function checkContent(
  storage: Storage,
  reader: Reader,
  limits: Limits,
  said: Utterance,
): Promise<CheckedFile[]> {
  checkExtras(limits.extras, said)
  checkText(limits, said)
  return checkFiles(storage, reader, limits, said)
}

/** What is written privately is measured as direct messages are, wherever the conversation stands. */
export const limitsFor = (connector: Connector, kind: OutboundKind): Limits =>
  connector.limits(kind === 'comment' ? 'public' : 'direct')

/**
 * The documents that are to be kept with a message.
 * @throws Problem 422 with code `attachment_gone`
 */
export async function findDocuments(storage: Storage, reader: Reader, accountId: string, files: readonly GivenFile[]) {
  const ids = files.map(({ documentId }) => documentId)
  const found = await storage.documents.getMany(reader, accountId, [...new Set(ids.filter(isId))])
  return files.map(({ documentId, altText }, index) => {
    const document = found.find(({ id }) => id === documentId)
    if (document === undefined)
      throw refusal('attachment_gone', `attachments.${String(index)}`, 'There is no such file, or no longer.')
    return { document, altText: altText === undefined || altText.trim() === '' ? null : altText }
  })
}

function checkExtras(limits: ExtraLimits, { extras = {}, files = [] }: Utterance): void {
  const { quickReplies, template, interactive, quoteOf } = extras
  const refuse = (field: string, message: string) => refusal('extras_not_possible', field, message)
  const named = { quick_replies: quickReplies, template, interactive }
  const [first, second] = Object.entries(named).flatMap(([name, value]) => (value === undefined ? [] : [name]))
  if (second !== undefined) throw refuse(second, `It cannot be said together with ${String(first)}.`)
  if ((template !== undefined || interactive !== undefined) && files.length > 0)
    throw refuse(String(first), 'It cannot be said together with files.')
  if (quickReplies !== undefined) {
    const limit = limits.quickReplies
    if (limit === undefined) throw refuse('quick_replies', 'This network shows no quick replies here.')
    if (quickReplies.length > limit.max) throw refuse('quick_replies', `At most ${String(limit.max)} quick replies.`)
    if (quickReplies.some(({ title }) => Array.from(title).length > limit.maxTitleLength))
      throw refuse(
        'quick_replies',
        `The title of a quick reply has at most ${String(limit.maxTitleLength)} characters.`,
      )
  }
  if (template !== undefined && limits.templates === undefined)
    throw refuse('template', 'This network knows no templates.')
  if (quoteOf !== undefined && limits.quote === undefined) throw refuse('quote_of', 'Nothing can be quoted here.')
  if (interactive === undefined) return
  const limit = limits.interactive
  if (limit === undefined) throw refuse('interactive', 'This network shows no buttons or lists here.')
  const isTooMany =
    interactive.type === 'buttons'
      ? interactive.buttons.length > limit.maxButtons
      : interactive.rows.length > limit.maxRows
  if (isTooMany)
    throw refuse('interactive', `At most ${String(limit.maxButtons)} buttons or ${String(limit.maxRows)} rows.`)
}

function checkText(limits: Limits, { text, files = [], extras = {} }: Utterance): void {
  if (text.trim() === '' && extras.template === undefined && (files.length === 0 || extras.interactive !== undefined))
    throw refusal(
      'empty',
      'text',
      files.length === 0 ? 'The answer has neither text nor files.' : 'The answer has no text.',
    )
  const length = limits.measureText(text)
  if (length > limits.maxTextLength)
    throw refusal(
      'too_long',
      'text',
      `The text has ${String(length)} of at most ${String(limits.maxTextLength)} ${units[limits.counting]}, as the network counts them.`,
    )
}
const units = { characters: 'characters', bytes: 'bytes', weighted: 'weighted characters' } as const

async function checkFiles(
  storage: Storage,
  reader: Reader,
  { files: limits }: Limits,
  { accountId, files = [] }: Utterance,
): Promise<CheckedFile[]> {
  if (files.length === 0) return []
  if (limits.max === 0) throw refusal('attachment_type', 'attachments', 'No files can be sent here.')
  if (files.length > limits.max)
    throw refusal('too_many_attachments', 'attachments', `At most ${String(limits.max)} files in one message.`)
  const found = await findDocuments(storage, reader, accountId, files)
  return found.map(({ document, altText }, index) => {
    const field = `attachments.${String(index)}`
    const kind = fitFile(limits, document)
    if (kind === 'wrong_type')
      throw refusal('attachment_type', field, `The network takes no files of the type ${document.contentType} here.`)
    if (kind === 'too_big')
      throw refusal(
        'attachment_too_big',
        field,
        `The file has ${String(document.size)} bytes, more than the network takes.`,
      )
    return { document, kind, altText }
  })
}

/** A named refusal of one field. */
export const refusal = (code: string, field: string, message: string): Problem =>
  new Problem(422, code, message, [{ field, message }])
