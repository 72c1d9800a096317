/** Text as the networks count it, for the composer's counter. */
export type Counting = 'characters' | 'bytes' | 'weighted'

const encoder = new TextEncoder()

export function countText(text: string, counting: Counting): number {
  if (counting === 'bytes') return encoder.encode(text).length
  if (counting === 'weighted') return countWeighted(text)
  return text.length
}

/** With http(s), and bare domains below a country's or one of the common top-level domains. */
const linkPattern =
  /(?:\bhttps?:\/\/(?:[\p{L}\p{N}](?:[\p{L}\p{N}_-]*[\p{L}\p{N}])?\.)+\p{L}{2,24}|(?<![\p{L}\p{N}@#$._/-])(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+(?:com|net|org|edu|gov|mil|int|info|biz|name|app|dev|blog|shop|store|online|site|tech|cloud|news|live|xyz|club|[a-z]{2})(?![\p{L}\p{N}@_-]))(?::\d{1,5})?(?:\/[^\s<>"'）。，！？]*[\p{L}\p{N}/=_#&+-])?(?:\?[^\s<>"']*[\p{L}\p{N}_&=#/-])?\/?/giu
const emojiPattern = /\p{RGI_Emoji}/gv
const linkWeight = 23
const wideWeight = 2

/**
 * X's weighted length (twitter-text configuration 3): Latin and most punctuation count one, all else two, a link 23
 * whatever its length, an emoji two however many code points it is made of.
 */
function countWeighted(text: string): number {
  let total = 0
  let rest = text.normalize('NFC').replace(linkPattern, () => ((total += linkWeight), ''))
  rest = rest.replace(emojiPattern, () => ((total += wideWeight), ''))
  for (const character of rest) total += isNarrow(character.codePointAt(0) ?? 0) ? 1 : wideWeight
  return total
}

function isNarrow(code: number): boolean {
  return (
    code <= 4351 || (code >= 8192 && code <= 8205) || (code >= 8208 && code <= 8223) || (code >= 8242 && code <= 8247)
  )
}
