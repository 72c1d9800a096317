/** What a file is, by its own bytes and never by its name: magic numbers, and what may be shown inside a page. */

/** So many bytes of the beginning are enough to tell. */
export const headLength = 4_096

/** Types that a browser may show by itself; all others are offered for saving. */
const inlineTypes: ReadonlySet<string> = new Set([
  'image/png', 'image/jpeg', 'image/gif', 'image/webp', 'image/avif',
  'video/mp4', 'video/webm', 'video/quicktime', 'video/3gpp', 'video/ogg',
  'audio/mpeg', 'audio/mp4', 'audio/ogg', 'audio/wav', 'audio/webm', 'audio/aac', 'audio/flac',
]) // prettier-ignore

export const isInlineType = (contentType: string): boolean => inlineTypes.has(contentType)

/** Whether it is a picture, a sound or a film at all, whoever can show it. */
export const isMediaType = (contentType: string): boolean => /^(image|audio|video)\//.test(contentType)

/** Under which type the bytes leave: what a browser could run leaves as mere bytes. */
export const servedType = (contentType: string): string =>
  runnable.test(contentType) ? 'application/octet-stream' : contentType
const runnable = /html|xml|svg|script|^text\/(?!plain$|csv$)|x-msdownload|x-elf/

type Test = (head: Uint8Array) => boolean
const at =
  (offset: number, ...bytes: readonly (number | string)[]): Test =>
  (head) =>
    bytes
      .flatMap((part) => (typeof part === 'string' ? Array.from(part, (letter) => letter.charCodeAt(0)) : [part]))
      .every((byte, index) => head[offset + index] === byte)

/** By the first bytes, the first that fits. Sources: the formats' specifications, WHATWG MIME Sniffing. */
const magic: readonly (readonly [string, Test])[] = [
  ['image/jpeg', at(0, 0xff, 0xd8, 0xff)],
  ['image/png', at(0, 0x89, 'PNG\r\n', 0x1a, '\n')],
  ['image/gif', (head) => at(0, 'GIF87a')(head) || at(0, 'GIF89a')(head)],
  ['image/webp', (head) => at(0, 'RIFF')(head) && at(8, 'WEBP')(head)],
  ['image/bmp', (head) => at(0, 'BM')(head) && at(6, 0, 0, 0, 0)(head)],
  ['image/tiff', (head) => at(0, 'II', 0x2a, 0)(head) || at(0, 'MM', 0, 0x2a)(head)],
  ['audio/wav', (head) => at(0, 'RIFF')(head) && at(8, 'WAVE')(head)],
  ['video/x-msvideo', (head) => at(0, 'RIFF')(head) && at(8, 'AVI ')(head)],
  ['audio/flac', at(0, 'fLaC')],
  ['audio/amr', at(0, '#!AMR')],
  ['audio/mpeg', at(0, 'ID3')],
  ['video/mpeg', at(0, 0, 0, 1, 0xba)],
  ['application/pdf', at(0, '%PDF-')],
  ['application/zip', (head) => at(0, 'PK', 3, 4)(head) || at(0, 'PK', 5, 6)(head)],
  ['application/gzip', at(0, 0x1f, 0x8b)],
  ['application/x-7z-compressed', at(0, '7z', 0xbc, 0xaf)],
  ['application/vnd.rar', at(0, 'Rar!', 0x1a, 7)],
  ['application/x-elf', at(0, 0x7f, 'ELF')],
  ['application/x-msdownload', (head) => at(0, 'MZ')(head) && head.length > 64],
  // Frame headers of sound without a container: eleven or twelve set bits and a plausible layer.
  ['audio/aac', (head) => head[0] === 0xff && ((head[1] ?? 0) & 0xf6) === 0xf0],
  ['audio/mpeg', (head) => head[0] === 0xff && ((head[1] ?? 0) & 0xe0) === 0xe0 && ((head[1] ?? 0) & 0x06) !== 0],
]

/**
 * The type that the beginning of a file shows; `undefined`: bytes that are none of the known ones.
 * @param declared what it was called; decides only where one container holds sound as well as film
 */
export function sniffType(head: Uint8Array, declared = ''): string | undefined {
  const isSound = declared.startsWith('audio')
  // A mark of UTF-16 looks like the beginning of a sound.
  if (at(0, 0xff, 0xfe)(head) || at(0, 0xfe, 0xff)(head)) {
    const markup = markupType(textOf(head))
    if (markup !== undefined) return markup
  }
  if (at(4, 'ftyp')(head)) return brandType(textOf(head.subarray(8, 12)), textOf(head.subarray(8, 64)), isSound)
  if (at(0, 0x1a, 0x45, 0xdf, 0xa3)(head))
    return textOf(head.subarray(0, 64)).includes('webm') ? (isSound ? 'audio/webm' : 'video/webm') : 'video/x-matroska'
  if (at(0, 'OggS')(head)) return /theora/.test(textOf(head.subarray(0, 200))) ? 'video/ogg' : 'audio/ogg'
  return magic.find(([, test]) => test(head))?.[0] ?? markupType(textOf(head))
}

/** ISO base media: the major brand says who wrote it (ISO/IEC 14496-12, the MP4 registration authority's list). */
function brandType(brand: string, brands: string, isSound: boolean): string {
  if (/^avi[fs]/.test(brand)) return 'image/avif'
  if (/^(hei[cfxms]|hev[cx]|mif1|msf1)/.test(brand)) return brands.includes('avif') ? 'image/avif' : 'image/heic'
  if (/^M4[AB] /.test(brand)) return 'audio/mp4'
  if (brand === 'qt  ') return 'video/quicktime'
  if (/^3g/.test(brand)) return isSound ? 'audio/3gpp' : 'video/3gpp'
  return isSound ? 'audio/mp4' : 'video/mp4'
}

const spaces = /^(?:\uFEFF|ï»¿|\s|\0|<!--[\s\S]*?-->|<\?[\s\S]*?\?>|<!DOCTYPE\s+svg[^[>]*(?:\[[\s\S]*?\]\s*)?>)*/i

function markupType(text: string): string | undefined {
  // UTF-16 shows as a letter and a nought by turns.
  const plain = text.replace(/^(ÿþ|þÿ)/, '').replaceAll('\0', '')
  const start = plain.replace(spaces, '').slice(0, 200).toLowerCase()
  if (/^<(svg|[a-z]+:svg)[\s/>]/.test(start)) return 'image/svg+xml'
  if (
    /^<(!doctype html|html|head|body|script|iframe|title|style|meta|div|a|p|h1|table|br|img|b|font)[\s/>]/.test(start)
  )
    return 'text/html'
  // A doctype of entities before the first element: whatever follows is no picture to be opened.
  if (/^\s*(ï»¿)?<\?xml/i.test(plain) || start.startsWith('<!doctype'))
    return /<svg[\s>]/i.test(plain) ? 'image/svg+xml' : 'application/xml'
  return undefined
}

/** One letter for each byte. */
const textOf = (bytes: Uint8Array): string => String.fromCharCode(...bytes)
