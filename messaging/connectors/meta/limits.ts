/** Pieces of what may be said, shared by Meta's connectors. */
import type { Limits, OutboundMessage, Outcome } from '../connector.ts'
import { noFiles } from '../connector.ts'
import { refuse } from './refuse.ts'

export const megabyte = 1024 * 1024

/** A thread in which nothing but text is said; the rest is added by whoever has more. */
export const textOnly = { files: noFiles, extras: {}, acts: [] } as const satisfies Partial<Limits>

export const inCharacters = { counting: 'characters', measureText: (text: string): number => text.length } as const
export const inBytes = { counting: 'bytes', measureText: (text: string): number => Buffer.byteLength(text) } as const

/** Why this cannot be said within the limits; `undefined` when it can. */
export function outOfBounds(
  message: OutboundMessage,
  limits: Pick<Limits, 'maxTextLength' | 'counting' | 'measureText' | 'files'>,
): Outcome | undefined {
  const { text, files: given = [], extras } = message
  if (text.trim() === '' && given.length === 0 && extras?.template === undefined)
    return refuse('content', 'empty', 'The message is empty.')
  if (limits.measureText(text) > limits.maxTextLength)
    return refuse(
      'content',
      'too_long',
      `The text is longer than ${String(limits.maxTextLength)} ${limits.counting === 'bytes' ? 'bytes' : 'characters'}.`,
    )
  for (const { kind, contentType, size } of given) {
    const allowed = limits.files.kinds[kind]
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
