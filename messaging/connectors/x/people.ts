/** People, instants and texts as X writes them in its older and newer objects. */
import type { Person } from '../connector.ts'
import { fieldsOf, idOf, instantOf, textOf, urlOf } from '../reading.ts'
import type { Fields } from '../reading.ts'

/** A person from a v1.1 user (`screen_name`) or a v2 user (`username`). */
export function personOf(externalId: string, user: unknown): Person {
  const fields = fieldsOf(user)
  const name = cut(textOf(fields.name), 200)
  const handle = cut((textOf(fields.screen_name) ?? textOf(fields.username))?.replace(/^@/, ''), 50)
  const pictureUrl = urlOf(fields.profile_image_url_https) ?? urlOf(fields.profile_image_url)
  return {
    externalId,
    ...(name === undefined ? {} : { name }),
    ...(handle === undefined ? {} : { handle }),
    ...(pictureUrl === undefined ? {} : { pictureUrl }),
  }
}

/** At most so many UTF-16 units, and no half of a character at the end: no database takes one. */
export function cut<T extends string | undefined>(text: T, most: number): T
export function cut(text: string | undefined, most: number): string | undefined {
  if (text === undefined || text.length <= most) return text
  const part = text.slice(0, most)
  return part.isWellFormed() ? part : part.slice(0, -1).toWellFormed()
}

/** X's ids are numbers, those of encrypted chats UUIDs; nothing is as long as this. */
export const nameOf = (value: unknown): string | undefined => {
  const id = idOf(value)
  return id !== undefined && id.length <= 150 ? id : undefined
}

/** The id of an object: `id_str`, or `id` where it is text. A numeric `id` beyond 2^53 was damaged by the JSON parser. */
export const xIdOf = (fields: Fields): string | undefined => nameOf(fields.id_str) ?? nameOf(fields.id)

/**
 * An instant; otherwise the one that a snowflake id carries; otherwise now. Where X tells whole seconds only, the id tells
 * the milliseconds, so that what was said within one second keeps its order.
 */
export function xInstantOf(value: unknown, id: string): Date {
  const told = instantOf(value)
  const carried = snowflakeInstant(id)
  if (told === undefined) return carried ?? new Date()
  const isSameSecond = carried !== undefined && Math.floor(carried.getTime() / 1000) * 1000 === told.getTime()
  return isSameSecond ? carried : told
}

/** Milliseconds since 4 November 2010, 01:42:54.657 UTC, are the upper bits of an X id. */
export function snowflakeInstant(id: string): Date | undefined {
  return /^\d{15,20}$/.test(id) ? instantOf(Number((BigInt(id) >> 22n) + 1288834974657n)) : undefined
}

/** The longest post has 25,000 characters, the longest direct message 10,000; links spelled out make them longer. */
const mostText = 100_000
const mostLinks = 200

/** The text as the author sees it: t.co links spelled out, those of attached media left out, `&amp;` and the like undone. */
export function readText(text: unknown, entities: unknown, media: readonly Fields[]): string | undefined {
  let result = cut(textOf(text), mostText)
  if (result === undefined) return undefined
  const urls = fieldsOf(entities).urls
  const links = Array.isArray(urls) ? urls.slice(0, mostLinks).map(fieldsOf) : []
  // v1.1 names the link in the media, v2 names the media in the link.
  const ofMedia = [...media.slice(0, mostLinks), ...links.filter((one) => textOf(one.media_key) !== undefined)]
  for (const one of ofMedia) {
    const link = textOf(one.url)
    if (link?.startsWith('https://t.co/') === true) result = result.split(link).join('')
  }
  for (const one of links) {
    const short = textOf(one.url)
    const long = urlOf(one.expanded_url)
    if (short?.startsWith('https://t.co/') === true && long !== undefined) result = result.split(short).join(long)
  }
  result = cut(result, mostText).replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&').trim()
  return result === '' ? undefined : result
}
