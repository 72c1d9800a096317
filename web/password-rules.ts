/**
 * Which passwords are taken: at least 12 characters, none of the common ones (OWASP ASVS 5.0, 6.2.4), nothing made of the
 * person's own name. No rules of composition.
 */
import { invalid } from '../infra/errors.ts'

export const shortestPassword = 12
export const longestPassword = 200

/** @param about what is near at hand to guess: address and name @throws Problem 422 that names `field` */
export async function admitPassword(password: string, about: readonly string[], field = 'password'): Promise<void> {
  const refuse = (message: string): never => {
    throw invalid([{ field, message }])
  }
  if (Array.from(password).length < shortestPassword)
    refuse(`Expected at least ${String(shortestPassword)} characters. Several words make a good password.`)
  if (password.length > longestPassword) refuse(`Expected at most ${String(longestPassword)} characters.`)
  const plain = password.normalize('NFKC').toLowerCase()
  if (new Set(plain).size < 5) refuse('This password is made of too few different characters.')
  // A common password with digits or signs around it is the first thing that is tried after it.
  const core = plain.replace(/^[^\p{L}]+|[^\p{L}]+$/gu, '')
  const common = await commonPasswords()
  if (common.has(plain) || (core.length >= plain.length - 6 && common.has(core)))
    refuse('This is one of the passwords that are tried first. Please choose another one.')
  const near = about.flatMap((text) => text.toLowerCase().split(/[^\p{L}\p{N}]+/u)).filter((word) => word.length > 3)
  const rest = near.reduce((left, word) => left.replaceAll(word, ''), plain)
  if (rest.length < 6) refuse('This password is made of your name or address. Please choose another one.')
}

let known: Promise<ReadonlySet<string>> | undefined

/** Some 49,000; read when first needed. */
function commonPasswords(): Promise<ReadonlySet<string>> {
  known ??= import('@zxcvbn-ts/language-common').then(
    ({ dictionary }) => new Set([...dictionary['passwords-common'], 'parleyparley']),
  )
  return known
}
