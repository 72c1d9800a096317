/** How X counts a post (twitter-text v3: weighted length): 280, most of the world's letters count 1, the others 2. */

/** The weighted length after NFC: a link counts 23 whatever its length, an emoji 2 whatever its parts. */
export function measurePost(text: string): number {
  const normal = text.normalize('NFC')
  let length = 0
  let end = 0
  for (const match of normal.matchAll(linkPattern)) {
    length += measurePlain(normal.slice(end, match.index)) + 23
    end = match.index + match[0].length
  }
  return length + measurePlain(normal.slice(end))
}

/** Whether X makes a link of anything in it. */
export const hasLink = (text: string): boolean => text.normalize('NFC').search(linkPattern) >= 0

function measurePlain(text: string): number {
  let length = 0
  const withoutEmoji = text.replace(emojiPattern, () => {
    length += 2
    return ''
  })
  for (const char of withoutEmoji) length += isLight(char.codePointAt(0) ?? 0) ? 1 : 2
  return length
}

const isLight = (code: number): boolean =>
  code <= 0x10ff ||
  (code >= 0x2000 && code <= 0x200d) ||
  (code >= 0x2010 && code <= 0x201f) ||
  (code >= 0x2032 && code <= 0x2037)

const emojiPattern = /\p{RGI_Emoji}/gv

/**
 * Links with http(s), and bare domains below a country's or one of the common top-level domains. X knows every
 * top-level domain; a rarer bare one is counted here by its letters.
 */
const linkPattern =
  /(?:\bhttps?:\/\/(?:[\p{L}\p{N}](?:[\p{L}\p{N}_-]*[\p{L}\p{N}])?\.)+\p{L}{2,24}|(?<![\p{L}\p{N}@#$._/-])(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+(?:com|net|org|edu|gov|mil|int|info|biz|name|app|dev|blog|shop|store|online|site|tech|cloud|news|live|xyz|club|[a-z]{2})(?![\p{L}\p{N}@_-]))(?::\d{1,5})?(?:\/[^\s<>"'）。，！？]*[\p{L}\p{N}/=_#&+-])?(?:\?[^\s<>"']*[\p{L}\p{N}_&=#/-])?\/?/giu
