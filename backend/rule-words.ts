/** Whether words and phrases stand in a text: in time that grows with its length, whatever is looked for. */

const longest = 20_000
/** Written without spaces: there a phrase is found anywhere. */
const unspaced =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u
const notOfWords = /[^\p{L}\p{N}\p{M}*]+/gu

/** A text made ready to be looked into many times. */
export interface Words {
  readonly plain: string
  readonly spaced: string
  readonly words: readonly string[]
}

export function wordsOf(text: string): Words {
  const plain = text.slice(0, longest).normalize('NFKC').toLowerCase()
  const words = plain
    .replaceAll('*', ' ')
    .split(notOfWords)
    .filter((each) => each !== '')
  return { plain, spaced: ` ${words.join(' ')} `, words }
}

/** `phrase`: whole words in a row; `*` within a word stands for any letters; signs alone (such as `?` or an emoji) are found anywhere. */
export function holds({ plain, spaced, words }: Words, phrase: string): boolean {
  const wanted = phrase.normalize('NFKC').toLowerCase().trim()
  const parts = wanted.split(notOfWords).filter((each) => each !== '')
  if (parts.length === 0 || parts.every((part) => /^\*+$/.test(part))) return wanted !== '' && plain.includes(wanted)
  if (unspaced.test(wanted) && !wanted.includes('*')) return plain.includes(wanted)
  if (!wanted.includes('*')) return spaced.includes(` ${parts.join(' ')} `)
  return words.some((_, start) => parts.every((part, n) => fits(words[start + n], part)))
}

/** `*` any letters, also none. Each step moves on in the word or gives up: no way is tried twice. */
function fits(word: string | undefined, pattern: string): boolean {
  if (word === undefined) return false
  const pieces = pattern.split('*')
  const [first = '', last = ''] = [pieces[0], pieces.at(-1)]
  if (pieces.length === 1) return word === pattern
  if (!word.startsWith(first) || !word.endsWith(last) || word.length < first.length + last.length) return false
  let at = first.length
  const end = word.length - last.length
  for (const piece of pieces.slice(1, -1)) {
    const found = word.indexOf(piece, at)
    if (found < 0 || found + piece.length > end) return false
    at = found + piece.length
  }
  return true
}
