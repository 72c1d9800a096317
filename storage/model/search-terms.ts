/**
 * Words as the full-text index keeps them, and where they stand in a text. MariaDB's InnoDB index has no tokeniser for languages
 * without spaces, drops short words, and knows no tenants: so a text is taken apart here, and what is indexed is plain ASCII.
 */

/** A stretch of a text: UTF-16 offsets, `end` exclusive. */
export interface Span {
  readonly start: number
  readonly end: number
}

/** `text` folded. `isPart`: one or two characters of a language without spaces; `isLast`: the single last one of such a run. */
export interface Term extends Span {
  readonly text: string
  readonly isPart: boolean
  readonly isLast: boolean
}

const mostTerms = 4_000
/** InnoDB leaves out what is longer than 84 characters; four are the account's. */
const longestTerm = 80

const wordRuns = /[\p{L}\p{N}\p{M}]+/gu
const unspaced =
  /[\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}\p{sc=Hangul}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}\p{sc=Tibetan}]/u
const runsByScript = new RegExp(`(?:${unspaced.source})+|(?:(?!${unspaced.source})[\\s\\S])+`, 'gu')

/** What decomposition does not take apart, as people type it without the right keyboard. */
const plain: Readonly<Record<string, string>> = {
  ß: 'ss',
  æ: 'ae',
  œ: 'oe',
  ø: 'o',
  đ: 'd',
  ð: 'd',
  þ: 'th',
  ł: 'l',
  ı: 'i',
  ς: 'σ',
}

/**
 * NFKC, lower case, without the marks of Latin, Greek, Cyrillic, Arabic and Hebrew; katakana as hiragana. The voicing marks of kana
 * and the vowels of Indic scripts stay: they make other words.
 */
export function fold(text: string): string {
  return text
    .normalize('NFKC')
    .toLowerCase()
    .normalize('NFD')
    .replace(/[\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670]/g, '')
    .normalize('NFC')
    .replace(/[ßæœøđðþłıς]/g, (letter) => plain[letter] ?? letter)
    .replace(/[\u30a1-\u30f6]/g, (kana) => String.fromCharCode(kana.charCodeAt(0) - 0x60))
}

/** The terms of a text in its order, at most 4,000: words, and of languages without spaces every two neighbours. */
export function termsOf(text: string): Term[] {
  const terms: Term[] = []
  for (const run of text.matchAll(wordRuns)) {
    for (const piece of run[0].matchAll(runsByScript)) {
      const start = run.index + piece.index
      if (unspaced.test(piece[0])) pairs(piece[0], start, terms)
      else {
        const word = fold(piece[0])
        if (word !== '') terms.push({ text: word, isPart: false, isLast: false, start, end: start + piece[0].length })
      }
      if (terms.length >= mostTerms) return terms.slice(0, mostTerms)
    }
  }
  return terms
}

/** Every two neighbours, and the last one alone, so that one character finds each place where it stands. */
function pairs(piece: string, start: number, terms: Term[]): void {
  const characters = Array.from(fold(piece))
  const own = Array.from(piece)
  // Where folding joins characters (half-width kana), what is found is shown as the whole run.
  const starts = own.length === characters.length ? offsetsOf(own) : undefined
  characters.forEach((character, index) => {
    const next = characters[index + 1]
    terms.push({
      text: character + (next ?? ''),
      isPart: true,
      isLast: next === undefined,
      start: start + (starts?.[index] ?? 0),
      end: start + (starts?.[Math.min(index + 2, characters.length)] ?? piece.length),
    })
  })
}

function offsetsOf(characters: readonly string[]): number[] {
  const offsets = [0]
  for (const character of characters) offsets.push((offsets.at(-1) ?? 0) + character.length)
  return offsets
}

/** A term as it stands in the index: the account's tag, then ASCII letters and digits; four capitals for any other character. */
export function indexed(tag: string, term: string): string {
  let out = ''
  for (const character of term) {
    const coded = /[a-z0-9]/.test(character) ? character : capitals(character.codePointAt(0) ?? 0)
    if (out.length + coded.length > longestTerm) break
    out += coded
  }
  return tag + out
}

function capitals(code: number): string {
  let [rest, out] = [code, '']
  for (let place = 0; place < 4; place++) {
    out = String.fromCharCode(65 + (rest % 26)) + out
    rest = Math.floor(rest / 26)
  }
  return out
}

/** Four characters before each term of an account: the lists of the index are apart, so one tenant's size costs another nothing. */
export function tagOf(accountId: string): string {
  let hash = 2_166_136_261
  for (const character of accountId) hash = Math.imul(hash ^ character.charCodeAt(0), 16_777_619) >>> 0
  return `z${(hash % 36 ** 3).toString(36).padStart(3, '0')}`
}

/** The digits of a phone number in any writing, as its last ones first; undefined when it cannot be one. */
export function phoneKey(text: string): string | undefined {
  const written = text.normalize('NFKC').trim()
  if (!/^\+?[\d\s()./-]+$/.test(written)) return undefined
  const digits = written.replace(/\(0\)/, '').replace(/\D/g, '').replace(/^0+/, '')
  return digits.length < 6 || digits.length > 15 ? undefined : Array.from(digits).reverse().join('')
}

/** An e-mail address as it is compared; undefined when it is none. */
export function emailKey(text: string): string | undefined {
  const folded = text.normalize('NFKC').trim().toLowerCase()
  return /^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(folded) ? folded : undefined
}
