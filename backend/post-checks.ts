/** What a network would refuse of a post, known before it is saved: length, files, channel; and what somebody should know. */
import { Problem } from '../infra/errors.ts'
import type { PostLimits } from '../messaging/connectors/connector.ts'
import { connectorOf } from '../messaging/connectors/registry.ts'
import { fitFile, naturalKind } from '../messaging/files.ts'
import type { Channel, Document, Reader, Storage } from '../storage/index.ts'

/** A file as it is given: a document and what is said to people who do not see it. */
export interface FileWish {
  readonly documentId: string
  readonly altText: string | null
}

/** One channel of a post; `null` takes what is common. */
export interface ChannelWish {
  readonly channelId: string
  readonly text: string | null
  readonly files: readonly FileWish[] | null
}

/** What a post says, and where. */
export interface PostContent {
  readonly text: string
  readonly link: string | null
  readonly files: readonly FileWish[]
  readonly channels: readonly ChannelWish[]
}

export type ProblemCode =
  | 'no_such_channel'
  | 'disconnected'
  | 'reconnect_needed'
  | 'not_possible'
  | 'empty'
  | 'too_long'
  | 'needs_file'
  | 'too_many_files'
  | 'no_such_file'
  | 'file_type'
  | 'file_too_large'
  | 'no_mixing'
  | 'no_link'
  | 'duplicate'

/** `error`: it cannot be published so. `field` is relative to the channel: `text`, `files.0`, `link`, `channel_id`. */
export interface PostProblem {
  readonly code: ProblemCode
  readonly severity: 'error' | 'warning'
  readonly field: string
  readonly message: string
}

/** How one channel takes the post. */
export interface ChannelCheck {
  readonly channelId: string
  readonly channel: Channel | undefined
  /** What it says there. */
  readonly says: string
  readonly files: readonly FileWish[]
  /** By the network's counting. */
  readonly length: number
  readonly limits: PostLimits | undefined
  readonly problems: readonly PostProblem[]
}

/** What the account has, as far as it concerns a post. `same`: channels on which the same words stand already. */
export interface Known {
  readonly channels: readonly Channel[]
  readonly documents: readonly Document[]
  readonly same: readonly { readonly channelId: string }[]
}

/** How each channel takes the post, in their order. @param postId the post itself, which is no duplicate of its own */
export async function checkPost(
  storage: Storage,
  reader: Reader,
  accountId: string,
  content: PostContent,
  postId?: string,
): Promise<ChannelCheck[]> {
  const files = [...content.files, ...content.channels.flatMap((channel) => channel.files ?? [])]
  const said = content.channels.map(({ channelId, text }) => ({ channelId, says: text ?? content.text }))
  const channels = await storage.channels.list(reader, accountId)
  const documents = await storage.documents.getMany(reader, accountId, [
    ...new Set(files.map(({ documentId }) => documentId)),
  ])
  const same = await storage.publications.findSame(reader, accountId, postId, said)
  return checkContent(content, { channels, documents, same })
}

/** As `checkPost`, of what has been read. */
export function checkContent(content: PostContent, { channels, documents, same }: Known): ChannelCheck[] {
  return content.channels.map((wish) => {
    const channel = channels.find(({ id }) => id === wish.channelId)
    const limits = channel && connectorOf(channel.type)?.postLimits
    const says = wish.text ?? content.text
    const files = wish.files ?? content.files
    const problems: PostProblem[] = []
    const note: Note = (code, field, message, severity = 'error') => problems.push({ code, severity, field, message })
    checkChannel(channel, limits, note)
    const length = limits?.measureText(wordsOf(says, content.link, limits)) ?? says.length
    checkFilesThere(files, documents, note)
    if (limits !== undefined) {
      checkWords(says, length, files.length, content.link, limits, note)
      checkFiles(files, documents, limits, note)
    }
    if (same.some(({ channelId }) => channelId === wish.channelId))
      note('duplicate', 'text', 'The same text was published on this channel within 30 days, or is planned.', 'warning')
    return { channelId: wish.channelId, channel, says, files, length, limits, problems }
  })
}

/** @throws Problem 422 with the code of the first problem, and all of them as faults; `only`: these codes */
export function refuseProblems(checks: readonly ChannelCheck[], only?: readonly string[]): void {
  const found = checks.flatMap(({ problems }, index) =>
    problems
      .filter(({ code, severity }) => severity === 'error' && (only?.includes(code) ?? true))
      .map(({ code, field, message }) => ({ code, field: `channels.${String(index)}.${field}`, message })),
  )
  const [first] = found
  if (first !== undefined)
    throw new Problem(
      422,
      first.code,
      first.message,
      found.map(({ field, message }) => ({ field, message })),
    )
}

/** What counts: where a link stands in the text, it counts with it. */
const wordsOf = (says: string, link: string | null, { isLinkInText }: PostLimits): string =>
  isLinkInText !== true || link === null || says.includes(link) ? says : `${says} ${link}`.trim()

type Note = (code: ProblemCode, field: string, message: string, severity?: PostProblem['severity']) => unknown

function checkChannel(channel: Channel | undefined, limits: PostLimits | undefined, note: Note): void {
  if (channel === undefined) note('no_such_channel', 'channel_id', 'There is no such channel.')
  else if (limits === undefined)
    note('not_possible', 'channel_id', `Nothing can be published on ${names[channel.type]}.`)
  else if (channel.disconnectedAt !== null)
    note('disconnected', 'channel_id', `${channel.name} is disconnected; connect it first.`)
  else if (channel.state === 'reconnect_needed')
    note('reconnect_needed', 'channel_id', `${channel.name} must be reconnected; until then the post waits.`, 'warning')
}

function checkWords(
  says: string,
  length: number,
  fileCount: number,
  link: string | null,
  limits: PostLimits,
  note: Note,
): void {
  if (says.trim() === '' && fileCount === 0 && (link === null || !limits.hasLink))
    note('empty', 'text', 'The post has neither text nor a file.')
  if (length > limits.maxTextLength)
    note(
      'too_long',
      'text',
      `The text has ${String(length)} of at most ${String(limits.maxTextLength)} ${units[limits.counting]}, as the network counts them.`,
    )
  if (limits.needsFile && fileCount === 0)
    note('needs_file', 'files', 'This network takes no post without a picture or a film.')
  if (link !== null && !limits.hasLink)
    note('no_link', 'link', 'This network has no links in posts; the link is left out here.', 'warning')
}

function checkFilesThere(files: readonly FileWish[], documents: readonly Document[], note: Note): void {
  files.forEach(({ documentId }, index) => {
    if (!documents.some(({ id }) => id === documentId))
      note('no_such_file', `files.${String(index)}`, 'There is no such document.')
  })
}

function checkFiles(files: readonly FileWish[], documents: readonly Document[], limits: PostLimits, note: Note): void {
  const { max, kinds: taken } = limits.files
  if (files.length > max)
    note('too_many_files', 'files', `This network takes ${max === 0 ? 'no files' : `at most ${String(max)} files`}.`)
  const kinds = new Set<string>()
  files.forEach(({ documentId }, index) => {
    const document = documents.find(({ id }) => id === documentId)
    if (document === undefined) return
    const field = `files.${String(index)}`
    const fit = fitFile(limits.files, document)
    if (fit === 'wrong_type') note('file_type', field, `This network takes no ${document.contentType}.`)
    else if (fit === 'too_big') {
      const most = taken[naturalKind(document.contentType)]?.maxBytes ?? 0
      note(
        'file_too_large',
        field,
        `The file has ${megabytes(document.size)}; this network takes at most ${megabytes(most)}.`,
      )
    } else kinds.add(fit)
  })
  if (kinds.size > 1 && !limits.mayMix)
    note('no_mixing', 'files', 'This network takes no pictures and films in one post.')
}

const names: Readonly<Record<Channel['type'], string>> = {
  facebook: 'Facebook',
  instagram: 'Instagram',
  whatsapp: 'WhatsApp',
  x: 'X',
}
const units = { characters: 'characters', bytes: 'bytes', weighted: 'characters' } as const
const megabytes = (bytes: number): string => `${(bytes / 1_048_576).toFixed(1)} MB`
