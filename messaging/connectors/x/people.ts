/** People, instants and texts as X writes them in its older and newer objects. */
import type { InboundAttachment, Person } from '../connector.ts'
import { fieldsOf, idOf, instantOf, textOf, urlOf } from '../reading.ts'
import type { Fields } from '../reading.ts'

/** A person from a v1.1 user (`screen_name`) or a v2 user (`username`). */
export function personOf(externalId: string, user: unknown): Person {
  const fields = fieldsOf(user)
  const name = textOf(fields.name)?.slice(0, 200)
  const handle = (textOf(fields.screen_name) ?? textOf(fields.username))?.replace(/^@/, '').slice(0, 50)
  const pictureUrl = urlOf(fields.profile_image_url_https) ?? urlOf(fields.profile_image_url)
  return {
    externalId,
    ...(name === undefined ? {} : { name }),
    ...(handle === undefined ? {} : { handle }),
    ...(pictureUrl === undefined ? {} : { pictureUrl }),
  }
}

/** The id of an object: `id_str`, or `id` where it is text. A numeric `id` beyond 2^53 was damaged by the JSON parser. */
export const xIdOf = (fields: Fields): string | undefined => idOf(fields.id_str) ?? idOf(fields.id)

/** An instant; otherwise the one that a snowflake id carries; otherwise now. */
export function xInstantOf(value: unknown, id: string): Date {
  return instantOf(value) ?? snowflakeInstant(id) ?? new Date()
}

/** Milliseconds since 4 November 2010, 01:42:54.657 UTC, are the upper bits of an X id. */
export function snowflakeInstant(id: string): Date | undefined {
  return /^\d{15,20}$/.test(id) ? instantOf(Number((BigInt(id) >> 22n) + 1288834974657n)) : undefined
}

/** The text as the author sees it: t.co links spelled out, those of attached media left out, `&amp;` and the like undone. */
export function readText(text: unknown, entities: unknown, media: readonly Fields[]): string | undefined {
  let result = textOf(text)
  if (result === undefined) return undefined
  for (const one of media) {
    const link = textOf(one.url)
    if (link?.startsWith('https://t.co/') === true) result = result.split(link).join('')
  }
  const urls = fieldsOf(entities).urls
  for (const one of Array.isArray(urls) ? urls.map(fieldsOf) : []) {
    const short = textOf(one.url)
    const long = urlOf(one.expanded_url)
    if (short?.startsWith('https://t.co/') === true && long !== undefined) result = result.split(short).join(long)
  }
  result = result.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&').trim()
  return result === '' ? undefined : result
}

/** Pictures and films; of a film the best MP4. */
export function readMedia(media: readonly Fields[]): InboundAttachment[] {
  return media.map((one) => {
    const variants = fieldsOf(one.video_info).variants
    const films = (Array.isArray(variants) ? variants.map(fieldsOf) : []).filter(
      (film) => film.content_type === 'video/mp4' && urlOf(film.url) !== undefined,
    )
    const [best] = films.sort((a, b) => (Number(b.bitrate) || 0) - (Number(a.bitrate) || 0))
    const url = urlOf(best?.url) ?? urlOf(one.media_url_https) ?? urlOf(one.media_url)
    const externalId = idOf(one.id_str) ?? idOf(one.media_key)
    const kind =
      one.type === 'photo'
        ? 'image'
        : one.type === 'video' || one.type === 'animated_gif'
          ? 'video'
          : url === undefined
            ? 'other'
            : 'image'
    return { kind, ...(url === undefined ? {} : { url }), ...(externalId === undefined ? {} : { externalId }) }
  })
}
