/** Passwords: argon2id (RFC 9106) with OWASP's parameters, kept in the PHC string form. */
import { argon2, randomBytes, timingSafeEqual } from 'node:crypto'

const memory = 19_456
const passes = 2
const parallelism = 1
const tagLength = 32

/** A new hash: `$argon2id$v=19$m=…,t=…,p=…$salt$tag`, base64 without padding. */
export async function hashPassword(password: string): Promise<string> {
  const nonce = randomBytes(16)
  const tag = await derive(password, { nonce, memory, passes, parallelism, tagLength })
  return `$argon2id$v=19$m=${String(memory)},t=${String(passes)},p=${String(parallelism)}$${encode(nonce)}$${encode(tag)}`
}

/**
 * Whether `password` is the one behind `hash`. An absent or unreadable hash costs the same work as a wrong password, so
 * that the time of an answer does not tell which e-mail addresses exist.
 */
export async function isPassword(password: string, hash: string | null | undefined): Promise<boolean> {
  const match = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/.exec(hash ?? '')
  const [, m, t, p, salt, tag] = match ?? []
  const expected = tag === undefined ? Buffer.alloc(tagLength) : Buffer.from(tag, 'base64')
  const actual = await derive(password, {
    nonce: salt === undefined ? Buffer.alloc(16) : Buffer.from(salt, 'base64'),
    memory: Number(m ?? memory),
    passes: Number(t ?? passes),
    parallelism: Number(p ?? parallelism),
    tagLength: expected.length,
  })
  return timingSafeEqual(actual, expected) && match !== null
}

interface Parameters {
  readonly nonce: Buffer
  readonly memory: number
  readonly passes: number
  readonly parallelism: number
  readonly tagLength: number
}

function derive(password: string, parameters: Parameters): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    argon2('argon2id', { message: password.normalize('NFC'), ...parameters }, (error, tag) => {
      if (error === null) resolve(tag)
      else reject(error)
    })
  })
}

const encode = (bytes: Buffer): string => bytes.toString('base64').replaceAll('=', '')
