/** Time-based one-time codes (RFC 6238): SHA-1, 6 digits, 30 seconds, as every authenticator app has them; and recovery codes. */
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'

const stepMs = 30_000
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** A new secret of 160 bits, in base32 as people type it. */
export function newTotpSecret(): string {
  return [...randomBytes(32)].map((byte) => alphabet[byte & 31]).join('')
}

/** The code of a time step. */
export function totpCode(secret: string, step: number): string {
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(step))
  const mac = createHmac('sha1', decode(secret)).update(counter).digest()
  const offset = mac.readUInt8(mac.length - 1) & 15
  return String((mac.readUInt32BE(offset) & 0x7fffffff) % 1_000_000).padStart(6, '0')
}

export const stepAt = (at: number): number => Math.floor(at / stepMs)

/** The time step whose code this is: now, or one before or after, as clocks differ; undefined: none. */
export function stepOf(secret: string, code: string, now = Date.now()): number | undefined {
  const given = Buffer.from(code.replace(/\s/g, ''))
  const step = stepAt(now)
  return [step, step - 1, step + 1].find((each) => {
    const right = Buffer.from(totpCode(secret, each))
    return given.length === right.length && timingSafeEqual(given, right)
  })
}

/** What an authenticator app reads from a QR code. */
export function otpauthUrl(secret: string, email: string): string {
  const label = `Parley:${email}`.split(':').map(encodeURIComponent).join(':')
  return `otpauth://totp/${label}?${new URLSearchParams({ secret, issuer: 'Parley', algorithm: 'SHA1', digits: '6', period: '30' }).toString()}`
}

/** Ten codes of 80 bits, each good once in place of the second factor: `ABCD-EFGH-IJKL-MNOP`. */
export function newRecoveryCodes(): string[] {
  return Array.from({ length: 10 }, () =>
    [...randomBytes(16)].map((byte, at) => `${at > 0 && at % 4 === 0 ? '-' : ''}${alphabet[byte & 31] ?? ''}`).join(''),
  )
}

/** What is kept of a recovery code, however it was typed; undefined: it has not the form of one. */
export function hashRecoveryCode(code: string): Buffer | undefined {
  const plain = code.toUpperCase().replace(/[^A-Z2-7]/g, '')
  return plain.length === 16 ? createHash('sha256').update(plain).digest() : undefined
}

function decode(text: string): Buffer {
  const bits = Array.from(text, (letter) => alphabet.indexOf(letter).toString(2).padStart(5, '0')).join('')
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)))
}
