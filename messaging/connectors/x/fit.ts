/** What can be said on X and in how many requests: direct messages, answers below posts, posts. */

import type { FileLimits, Limits, OutboundFile, OutboundMessage, Part, PostLimits } from '../connector.ts'
import type { XFailure } from './api.ts'
import { measurePost } from './length.ts'

const megabyte = 1024 * 1024
const mostPictures = 4

/** Media upload: images 5 MB, moving pictures 15 MB, films 512 MB; X knows no sound and no other files. */
const files: FileLimits = {
  max: mostPictures,
  kinds: {
    image: {
      types: ['image/jpeg', 'image/png', 'image/webp', 'image/gif'],
      maxBytes: 5 * megabyte,
      maxBytesOf: { 'image/gif': 15 * megabyte },
    },
    video: { types: ['video/mp4', 'video/quicktime'], maxBytes: 512 * megabyte },
  },
}

export const directLimits: Limits = {
  kinds: ['reply', 'note'],
  maxTextLength: 10_000,
  measureText: (text) => Array.from(text).length,
  counting: 'characters',
  files,
  extras: {},
  acts: ['delete'],
  ownActs: ['delete'],
}

/** Liking and quoting are refused by X to apps of its self-serve plans. */
export const publicLimits: Limits = {
  kinds: ['comment', 'private_reply', 'note'],
  maxTextLength: 280,
  measureText: measurePost,
  counting: 'weighted',
  files,
  extras: { quote: true },
  acts: ['hide', 'unhide', 'like', 'unlike', 'delete'],
  ownActs: ['delete'],
}

/** A link is said within the text, where it counts 23 and the space before it. */
export const postLimits: PostLimits = {
  maxTextLength: 280,
  measureText: measurePost,
  counting: 'weighted',
  files,
  needsFile: false,
  mayMix: false,
  hasLink: true,
  isLinkInText: true,
}

/** A direct message takes one file; a post four pictures, or one moving picture, or one film. The text goes with the first. */
export function splitX({ kind, text, files: given = [] }: Pick<OutboundMessage, 'kind' | 'text' | 'files'>): Part[] {
  const groups: number[][] = []
  given.forEach((file, place) => {
    const last = groups.at(-1)
    const before = given[last?.[0] ?? -1]
    const joins = kind === 'comment' && before !== undefined && isStill(file) && isStill(before)
    if (joins && last !== undefined && last.length < mostPictures) last.push(place)
    else groups.push([place])
  })
  return groups.length === 0
    ? [{ text, files: [] }]
    : groups.map((places, index) => ({ text: index === 0 ? text : '', files: places }))
}

export const isGif = ({ contentType }: Pick<OutboundFile, 'contentType'>): boolean =>
  typeOf(contentType) === 'image/gif'
const isStill = (file: Pick<OutboundFile, 'kind' | 'contentType'>): boolean => file.kind === 'image' && !isGif(file)

/** Without parameters, in lower case. */
export const typeOf = (contentType: string): string => contentType.split(';', 1)[0]?.trim().toLowerCase() ?? ''

/** Why X would never take this; `undefined` when it would. */
export function misfit(
  said: {
    readonly text: string
    readonly files?: readonly OutboundFile[] | undefined
    readonly quoteOf?: string | undefined
  },
  limits: Pick<Limits, 'maxTextLength' | 'measureText'>,
  mostFiles: number,
): XFailure | undefined {
  const { text, files: given = [], quoteOf } = said
  if (text.trim() === '' && given.length === 0) return refuse('content', 'empty', 'The message is empty.')
  if (limits.measureText(text) > limits.maxTextLength)
    return refuse('content', 'too_long', `X counts more than ${String(limits.maxTextLength)} characters.`)
  if (given.length > mostFiles || (given.length > 1 && !given.every(isStill)))
    return refuse(
      'content',
      'too_many_files',
      mostFiles === 1
        ? 'X takes one file with a direct message.'
        : 'X takes four pictures, or one moving picture, or one film with a post.',
    )
  if (given.length > 0 && quoteOf !== undefined)
    return refuse('content', 'quote_with_files', 'X takes either files or a quoted post, not both.')
  for (const file of given) {
    const wrong = misfitFile(file)
    if (wrong !== undefined) return wrong
  }
  return undefined
}

export function misfitFile(file: OutboundFile): XFailure | undefined {
  const type = typeOf(file.contentType)
  const allowed = files.kinds[file.kind]
  if (allowed?.types.includes(type) !== true)
    return refuse('content', 'file_type', `X does not take files of the type ${type}.`)
  const most = allowed.maxBytesOf?.[type] ?? allowed.maxBytes
  return file.size > most
    ? refuse('content', 'file_too_large', `X takes files of this type up to ${String(most / megabyte)} MB.`)
    : undefined
}

export const refuse = (
  reasonClass: Extract<XFailure, { type: 'refused' }>['class'],
  code: string,
  reason: string,
): Extract<XFailure, { type: 'refused' }> => ({ type: 'refused', class: reasonClass, code, reason })

/** A file that is to be uploaded first and has not been. */
export const notUploaded = refuse('content', 'not_uploaded', 'The file has not been given to the network yet.')
