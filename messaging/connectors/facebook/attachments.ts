/** Attachments of a Messenger message (Messenger webhooks: messages, attachment types). */
import type { AttachmentKind, InboundAttachment } from '../connector.ts'
import { fieldsOf, idOf, isFields, textOf, urlOf } from '../reading.ts'

// prettier-ignore
const kinds: Readonly<Record<string, AttachmentKind>> = {
  image: 'image', video: 'video', audio: 'audio', file: 'file', sticker: 'sticker', location: 'location',
  fallback: 'share', template: 'share', reel: 'share', ig_reel: 'share', post: 'share', ig_post: 'share', share: 'share',
  story_mention: 'image', ig_story: 'image',
}

/** The attachments of a message. The same sticker may come as an image and as a sticker at once: it is shown once. */
export function readAttachments(raw: unknown): InboundAttachment[] {
  const all = (Array.isArray(raw) ? raw : []).filter(isFields)
  const stickerIds = new Set(
    all.filter((one) => one.type === 'sticker').map((one) => idOf(fieldsOf(one.payload).sticker_id)),
  )
  return all
    .filter(
      (one) =>
        !(
          one.type === 'image' &&
          idOf(fieldsOf(one.payload).sticker_id) !== undefined &&
          stickerIds.has(idOf(fieldsOf(one.payload).sticker_id))
        ),
    )
    .map((one) => {
      const payload = fieldsOf(one.payload)
      const name = textOf(one.type) ?? ''
      const stickerId = idOf(payload.sticker_id)
      const kind = stickerId !== undefined ? 'sticker' : Object.hasOwn(kinds, name) ? (kinds[name] ?? 'other') : 'other'
      const url = urlOf(payload.url) ?? urlOf(one.url) ?? urlOf(one.payload)
      const title = textOf(payload.title) ?? textOf(one.title)
      const externalId = stickerId ?? idOf(payload.attachment_id)
      return {
        kind,
        ...(url === undefined || kind === 'location' ? {} : { url }),
        ...(externalId === undefined ? {} : { externalId }),
        ...(title === undefined ? {} : { title: title.slice(0, 500) }),
      }
    })
}
