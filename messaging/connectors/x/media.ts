/** Pictures and films of posts and direct messages: as v1.1 and v2 write them, and where their bytes are to be had. */
import type { Asked, ChannelAccess, InboundAttachment, MediaPlace } from '../connector.ts'
import { fieldsOf, textOf, urlOf } from '../reading.ts'
import type { Fields } from '../reading.ts'
import { authorizeCall, isOAuth1, xHost } from './api.ts'
import { cut, nameOf } from './people.ts'

const mostMedia = 20

/** Of a film the best MP4. The same file has the same id, whichever form names it. */
export function readMedia(media: readonly Fields[]): InboundAttachment[] {
  return media.slice(0, mostMedia).map((one) => {
    const variants = fieldsOf(one.video_info).variants ?? one.variants
    const films = (Array.isArray(variants) ? variants.map(fieldsOf) : []).filter(
      (film) => film.content_type === 'video/mp4' && urlOf(film.url) !== undefined,
    )
    const rate = (film: Fields): number => Number(film.bitrate ?? film.bit_rate) || 0
    const [best] = films.sort((a, b) => rate(b) - rate(a))
    const still =
      urlOf(one.media_url_https) ?? urlOf(one.media_url) ?? longUrlOf(one.url) ?? urlOf(one.preview_image_url)
    const url = urlOf(best?.url) ?? still
    // A v2 key is a v1.1 id with the kind of media before it: 13_1991….
    const externalId = nameOf(one.id_str) ?? textOf(nameOf(one.media_key)?.replace(/^\d+_/, ''))
    const title = textOf(one.ext_alt_text) ?? textOf(one.alt_text)
    return {
      kind: kindOf(one.type, url),
      ...(url === undefined ? {} : { url }),
      ...(externalId === undefined ? {} : { externalId }),
      ...(title === undefined ? {} : { title: cut(title, 500) }),
    }
  })
}

const kindOf = (type: unknown, url: string | undefined): InboundAttachment['kind'] =>
  type === 'video' || type === 'animated_gif' ? 'video' : type === 'photo' || url !== undefined ? 'image' : 'other'

/** v2 gives a photo's address as `url`; in v1.1 that is the t.co link in the text. */
const longUrlOf = (value: unknown): string | undefined =>
  textOf(value)?.startsWith('https://t.co/') === true ? undefined : urlOf(value)

/** The media of a v2 object: its keys, looked up in `includes.media`; a key without an object is still an attachment. */
export function mediaByKeys(attachments: unknown, included: ReadonlyMap<string, Fields>): Fields[] {
  const keys = fieldsOf(attachments).media_keys
  return (Array.isArray(keys) ? keys.slice(0, mostMedia) : []).flatMap((key: unknown) => {
    const name = nameOf(key)
    return name === undefined ? [] : [included.get(name) ?? { media_key: name }]
  })
}

/** Hosts whose files are open only to the two sides of a conversation. */
const closedHosts: readonly string[] = ['ton.twitter.com', 'ton.x.com']

/**
 * Pictures of direct messages want a request of the channel's user: signed (OAuth 1.0a) at their own address, or with an
 * OAuth 2 token through `GET /2/dm_conversations/media/:dm_id/:media_id/:resource_id`. All else is open to everyone.
 */
export function locateXMedia(channel: ChannelAccess, { url }: Pick<InboundAttachment, 'url'>): Asked<MediaPlace> {
  if (url === undefined)
    return { type: 'refused', class: 'content', code: 'no_address', reason: 'X gave no address for this file.' }
  const parsed = URL.parse(url)
  const base = channel.apiBaseUrl
  const isClosed =
    parsed !== null &&
    (parsed.protocol === 'https:' && parsed.port === '' && closedHosts.includes(parsed.hostname)
      ? true
      : base !== undefined && url.startsWith(`${base}/1.1/ton/data/dm/`))
  if (!isClosed) return { type: 'ok', value: { url, headers: {} } }
  const at = isOAuth1(channel) ? url : (newAddress(base ?? xHost, parsed) ?? url)
  const authorization = authorizeCall(channel, 'GET', at)
  return authorization === undefined
    ? { type: 'refused', class: 'token', code: 'no_token', reason: 'The channel has no usable access token.' }
    : { type: 'ok', value: { url: at, headers: { authorization } } }
}

/** `/1.1/ton/data/dm/<message>/<media>/<file>` in the newer API. */
function newAddress(base: string, url: URL): string | undefined {
  const parts = /\/1\.1\/ton\/data\/dm\/([\w-]+)\/([\w-]+)\/([\w.-]+)$/.exec(url.pathname)
  return parts === null ? undefined : `${base}/2/dm_conversations/media/${parts.slice(1).join('/')}`
}
