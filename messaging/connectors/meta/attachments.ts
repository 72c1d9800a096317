/** Attachments of a Messenger or Instagram message (Messenger webhooks: messages, attachment types; PROTOCOLS A3, A9). */
import type { AttachmentKind, InboundAttachment } from '../connector.ts'
import { fieldsOf, idOf, isFields, listOf, textOf, urlOf } from '../reading.ts'
import type { Fields } from '../reading.ts'

// prettier-ignore
const kinds: Readonly<Record<string, AttachmentKind>> = {
  image: 'image', animated_image: 'image', video: 'video', audio: 'audio', file: 'file', sticker: 'sticker', like_heart: 'other', location: 'location',
  fallback: 'share', template: 'share', reel: 'share', ig_reel: 'share', post: 'share', ig_post: 'share', share: 'share',
  story_mention: 'share', ig_story: 'share',
}

/** Names for what has nothing to fetch or no title of its own. */
const titles: Readonly<Record<string, string>> = {
  like_heart: '❤️',
  story_mention: 'Mentioned you in a story',
  ig_story: 'A story',
  ephemeral: 'A photo or video that can be seen once, in the app',
  unsupported_type: 'Something that can be seen in the app only',
  appointment_booking: 'An appointment',
}

/** A story lives for a day; what it showed may not be kept longer (Platform Terms; PROTOCOLS A9). */
const storyMs = 24 * 60 * 60 * 1000
const stories: ReadonlySet<string> = new Set(['story_mention', 'ig_story'])

/** The attachments of a message; what comes in two forms at once (stickers, shared posts) is shown once. */
export function readAttachments(raw: unknown, saidAt: Date): InboundAttachment[] {
  const all = (Array.isArray(raw) ? raw : []).filter(isFields)
  const stickers = idsOf(all, 'sticker', 'sticker_id')
  const posts = idsOf(all, 'ig_post', 'ig_post_media_id')
  return all.filter((one) => !isOlderForm(one, stickers, posts)).map((one) => readAttachment(one, saidAt))
}

function isOlderForm(one: Fields, stickers: ReadonlySet<string>, posts: ReadonlySet<string>): boolean {
  const payload = fieldsOf(one.payload)
  if (one.type === 'image') return stickers.has(idOf(payload.sticker_id) ?? '')
  return one.type === 'share' && posts.has(idOf(payload.ig_post_media_id) ?? '')
}

const idsOf = (all: readonly Fields[], type: string, name: string): Set<string> =>
  new Set(all.filter((one) => one.type === type).flatMap((one) => idOf(fieldsOf(one.payload)[name]) ?? []))

/** Shares whose address is the picture or film itself. Others lead to pages, which are nobody's to fetch. */
const sharedFiles: ReadonlySet<string> = new Set(['share', 'ig_post', 'ig_reel', ...stories])

function readAttachment(one: Fields, saidAt: Date): InboundAttachment {
  const payload = fieldsOf(one.payload)
  const name = textOf(one.type) ?? ''
  const stickerId = idOf(payload.sticker_id)
  const kind = stickerId !== undefined ? 'sticker' : Object.hasOwn(kinds, name) ? (kinds[name] ?? 'other') : 'other'
  const url = addressOf(one)
  const isFile = kind !== 'share' && kind !== 'location' && kind !== 'other'
  const isFetched = url !== undefined && (isFile || sharedFiles.has(name))
  const own =
    textOf(payload.title) ??
    textOf(one.title) ??
    textOf(one.name) ??
    (Object.hasOwn(titles, name) ? titles[name] : undefined)
  const link = isFetched || kind !== 'share' ? undefined : url
  const externalId =
    stickerId ?? idOf(payload.attachment_id) ?? idOf(payload.ig_post_media_id) ?? idOf(payload.reel_video_id)
  const text = kind === 'location' ? placeOf(payload) : name === 'template' ? wordsOf(payload) : undefined
  return {
    kind,
    ...(isFetched ? { url } : {}),
    ...(externalId === undefined || !(isFetched || isFile) ? {} : { externalId }),
    ...(own === undefined || own === '' ? {} : { title: own.slice(0, 500) }),
    ...(text === undefined ? {} : { text: text.slice(0, 2_000) }),
    ...(link === undefined ? {} : { link }),
    ...(stories.has(name) ? { keepUntil: new Date(saidAt.getTime() + storyMs) } : {}),
  }
}

const addressOf = (one: Fields): string | undefined =>
  urlOf(fieldsOf(one.payload).url) ?? urlOf(one.url) ?? urlOf(one.payload)

/** The first coordinates among the attachments. */
export function coordinatesOf(raw: unknown): Fields | undefined {
  for (const one of Array.isArray(raw) ? raw : []) {
    const coordinates = fieldsOf(fieldsOf(one).payload).coordinates
    if (isFields(coordinates)) return coordinates
  }
  return undefined
}

function placeOf(payload: Fields): string | undefined {
  const { lat, long } = fieldsOf(payload.coordinates)
  return typeof lat === 'number' && typeof long === 'number' ? `${String(lat)}, ${String(long)}` : undefined
}

/** What a template says: its text, or the titles of its elements. */
function wordsOf(payload: Fields): string | undefined {
  const generic = fieldsOf(payload.generic)
  const elements = [
    ...listOf(payload.elements),
    ...listOf(generic.elements),
    ...listOf(fieldsOf(payload.product).elements),
  ]
  const lines = elements.map(fieldsOf).flatMap((one) => {
    const line = [textOf(one.title) ?? textOf(one.name), textOf(one.subtitle)]
      .filter((part) => part !== undefined)
      .join(': ')
    return line === '' ? [] : [line]
  })
  return textOf(payload.text) ?? (lines.length > 0 ? lines.slice(0, 20).join('\n') : undefined)
}
