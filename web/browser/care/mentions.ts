/** Naming one of us in a note: `@Name` where it is written and read, `@[Name](id)` as it is kept. */

interface Person {
  readonly id: string
  readonly name: string
}

const named = /@\[([^\]\n]{1,200})\]\(([0-9a-f-]{36})\)/g

/** What has been begun after an @ just before the cursor; undefined: no name is being written. */
export function begunName(text: string, cursor: number): { readonly from: number; readonly words: string } | undefined {
  const found = /(?:^|\s)@([\p{L}\p{N}][\p{L}\p{N} .'-]{0,40}|)$/u.exec(text.slice(0, cursor))
  return found ? { from: cursor - (found[1] ?? '').length - 1, words: found[1] ?? '' } : undefined
}

/** As it is kept: the longest names first, so that nobody is taken for somebody with a shorter one. */
export function withIds(text: string, people: readonly Person[]): string {
  const longest = [...people].sort((one, other) => other.name.length - one.name.length)
  let rest = text
  let kept = ''
  while (rest !== '') {
    const at = rest.indexOf('@')
    if (at < 0) break
    const person =
      rest[at + 1] === '[' ? undefined : longest.find(({ name }) => name !== '' && isNamed(rest.slice(at + 1), name))
    kept += rest.slice(0, at) + (person ? `@[${person.name.replaceAll(/[[\]\n]/g, ' ')}](${person.id})` : '@')
    rest = rest.slice(at + 1 + (person ? person.name.length : 0))
  }
  return kept + rest
}

const isNamed = (text: string, name: string): boolean =>
  text.slice(0, name.length).toLowerCase() === name.toLowerCase() && !/^[\p{L}\p{N}]/u.test(text.slice(name.length))

/** As it is read: words and names in turn; every second one is a name. */
export const splitNames = (text: string): readonly string[] => text.split(named).filter((_, index) => index % 3 !== 2)
