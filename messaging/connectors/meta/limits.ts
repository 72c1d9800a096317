/** Pieces of what may be said, shared by Meta's connectors. */
import type {
  FileLimits,
  Limits,
  OutboundFile,
  OutboundMessage,
  OutboundPost,
  Outcome,
  PostLimits,
} from '../connector.ts'
import { noFiles } from '../connector.ts'
import { refuse } from './refuse.ts'

type Refused = Extract<Outcome, { readonly type: 'refused' }>

export const megabyte = 1024 * 1024

/** A thread in which nothing but text is said; the rest is added by whoever has more. */
export const textOnly = { files: noFiles, extras: {}, acts: [] } as const satisfies Partial<Limits>

export const inCharacters = { counting: 'characters', measureText: (text: string): number => text.length } as const
export const inBytes = { counting: 'bytes', measureText: (text: string): number => Buffer.byteLength(text) } as const

/** Why this cannot be said within the limits; `undefined` when it can. */
export function outOfBounds(
  message: OutboundMessage,
  limits: Pick<Limits, 'maxTextLength' | 'counting' | 'measureText' | 'files'>,
): Refused | undefined {
  const { text, files: given = [], extras } = message
  if (text.trim() === '' && given.length === 0 && extras?.template === undefined)
    return refuse('content', 'empty', 'The message is empty.')
  return tooLong(text, limits) ?? wrongFile(given, limits.files)
}

/** Why this cannot be published within the limits. */
export function postOutOfBounds(post: OutboundPost, limits: PostLimits): Refused | undefined {
  const { text, files, link } = post
  if (text.trim() === '' && files.length === 0 && link === undefined)
    return refuse('content', 'empty', 'The post is empty.')
  if (limits.needsFile && files.length === 0)
    return refuse('content', 'no_file', 'This network shows no post without a picture or a film.')
  if (files.length > limits.files.max)
    return refuse('content', 'too_many_files', `A post has at most ${String(limits.files.max)} files here.`)
  if (!limits.mayMix && new Set(files.map(({ kind }) => kind)).size > 1)
    return refuse('content', 'mixed_files', 'Pictures and films cannot stand in one post here.')
  return tooLong(text, limits) ?? wrongFile(files, limits.files)
}

function tooLong(
  text: string,
  limits: Pick<Limits, 'maxTextLength' | 'counting' | 'measureText'>,
): Refused | undefined {
  const unit = limits.counting === 'bytes' ? 'bytes' : 'characters'
  return limits.measureText(text) > limits.maxTextLength
    ? refuse('content', 'too_long', `The text is longer than ${String(limits.maxTextLength)} ${unit}.`)
    : undefined
}

function wrongFile(files: readonly OutboundFile[], { kinds }: FileLimits): Refused | undefined {
  for (const { kind, contentType, size } of files) {
    const allowed = kinds[kind]
    if (allowed?.types.some((type) => covers(type, contentType)) !== true)
      return refuse('content', 'file_type', `Files of the type ${contentType} cannot be sent here as ${kind}.`)
    if (size > allowed.maxBytes)
      return refuse('content', 'file_too_large', `The file is larger than ${String(allowed.maxBytes / megabyte)} MB.`)
  }
  return undefined
}

/** `image/*` covers `image/png`. Parameters of the type do not count. */
function covers(allowed: string, contentType: string): boolean {
  const [own = ''] = contentType.toLowerCase().split(';')
  return allowed.endsWith('/*') ? own.startsWith(allowed.slice(0, -1)) : own.trim() === allowed
}
