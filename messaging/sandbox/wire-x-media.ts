/** Pictures and films on X's wire, and the links that stand for them in a text. */
import type { Utterance } from './world.ts'
import { keyOfMedia } from './x-media.ts'

/** A picture or film of an utterance: a customer's, whose id nobody knows before, or uploaded by the account. */
export interface ShownMedia {
  readonly id: string
  readonly url: string
  readonly type: string
  readonly alt: string | undefined
}

export function shownMedia({ external_id, picture, files = [] }: Utterance): ShownMedia[] {
  const own =
    picture === undefined ? [] : [{ id: String(BigInt(external_id) + 1n), url: picture, type: 'photo', alt: undefined }]
  const given = files.flatMap(({ id, url, kind, alt_text: alt }) =>
    id === undefined || url === undefined ? [] : [{ id, url, type: kind, alt }],
  )
  return [...own, ...given]
}

/** X puts one link behind the text for all media, and one for a quoted post. */
export const linkOf = ({ external_id }: Utterance): string => `https://t.co/${external_id.slice(-10)}`
export const quoteLinkOf = ({ external_id }: Utterance): string => `https://t.co/q${external_id.slice(-9)}`
export const textWithLinks = (said: Utterance): string =>
  [
    escapeMarks(said.text),
    ...(shownMedia(said).length === 0 ? [] : [linkOf(said)]),
    ...(said.quote_of === undefined ? [] : [quoteLinkOf(said)]),
  ]
    .join(' ')
    .trim()

export const mediaV1 = ({ id, url: address, type, alt }: ShownMedia, url: string): unknown => ({
  id_str: id,
  url,
  media_url_https: address,
  type,
  ...(alt === undefined ? {} : { ext_alt_text: alt }),
  ...(type === 'photo' ? {} : { video_info: { variants: [{ content_type: 'video/mp4', bitrate: 1, url: address }] } }),
})

/** v2 names the media in their link, once for each. */
export const mediaUrls = (said: Utterance, expanded_url: string): object[] =>
  shownMedia(said).map((one) => ({ url: linkOf(said), expanded_url, media_key: keyOf(one) }))

export const keyOf = ({ id, type }: ShownMedia): string => keyOfMedia(id, type)

export const mediaV2 = (shown: ShownMedia): unknown => ({
  media_key: keyOf(shown),
  type: shown.type,
  ...(shown.type === 'photo'
    ? { url: shown.url }
    : { preview_image_url: shown.url, variants: [{ content_type: 'video/mp4', bit_rate: 1, url: shown.url }] }),
  ...(shown.alt === undefined ? {} : { alt_text: shown.alt }),
})

export const escapeMarks = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
