/** Seals what is secret before it is stored: AES-256-GCM, with the key's id in the blob, bound to the row it lies in. */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { z } from 'zod'
import type { Config } from '../infra/config.ts'
import { codeOf } from '../infra/errors.ts'

export interface Secrets {
  /** @param place where it will lie, `table|column|row id`: a blob copied elsewhere does not open */
  seal(text: string, place: string): Buffer
  /** @throws SecretUnreadable when the key is not known, the blob was changed or lies in another place */
  open(blob: Buffer, place: string): string
  /** Whether the blob is sealed with the current key. */
  isCurrent(blob: Buffer): boolean
  /**
   * A key for one purpose, such as signing cookies: 32 bytes. The first is made of the oldest key, which every node knows also
   * while a new one is being brought in; the others of the younger ones: sign with the first, accept any.
   */
  derive(purpose: string): [Buffer, ...Buffer[]]
}

/** The message says which key is missing; never what was sealed. */
export class SecretUnreadable extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'SecretUnreadable'
  }
}

const keyId = z.string().regex(/^[a-z0-9-]{1,32}$/)
const key = z
  .base64()
  .transform((text) => Buffer.from(text, 'base64'))
  .refine((bytes) => bytes.length === 32, 'must be 32 bytes')
const keyFile = z
  .object({ current: keyId, keys: z.record(keyId, key) })
  .refine(({ current, keys }) => current in keys, 'the current key is not among the keys')

type Keys = z.infer<typeof keyFile>

/** Version, then the length of the key's id, the id, 12 bytes of nonce, 16 bytes of tag, the sealed text. */
const format = 1

/** Reads the key file; `{"current": id, "keys": {id: 32 bytes in base64}}`. Makes one when there is none. */
export function openSecrets(config: Pick<Config, 'keys'>): Secrets {
  let keys = readKeys(config.keys)
  const current = (): [string, Buffer] => {
    const bytes = keys.keys[keys.current]
    if (bytes === undefined) throw new SecretUnreadable(`the key ${keys.current} is missing`)
    return [keys.current, bytes]
  }
  const find = (id: string): Buffer => {
    // A key that another node has begun to seal with: the file is read once more.
    if (keys.keys[id] === undefined) keys = readKeys(config.keys)
    const bytes = keys.keys[id]
    if (bytes === undefined) throw new SecretUnreadable(`the key ${id} is not in ${config.keys}`)
    return bytes
  }
  return {
    seal(text, place) {
      const [id, bytes] = current()
      const nonce = randomBytes(12)
      const cipher = createCipheriv('aes-256-gcm', bytes, nonce).setAAD(Buffer.from(place))
      const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
      return Buffer.concat([Buffer.from([format, id.length]), Buffer.from(id), nonce, cipher.getAuthTag(), sealed])
    },
    open(blob, place) {
      const parts = split(blob)
      const decipher = createDecipheriv('aes-256-gcm', find(parts.id), parts.nonce)
        .setAAD(Buffer.from(place))
        .setAuthTag(parts.tag)
      try {
        return decipher.update(parts.sealed, undefined, 'utf8') + decipher.final('utf8')
      } catch (error) {
        throw new SecretUnreadable('the sealed text was changed or belongs to another row', { cause: error })
      }
    },
    isCurrent: (blob) => split(blob).id === keys.current,
    derive(purpose) {
      const derived = (bytes: Buffer) => Buffer.from(hkdfSync('sha256', bytes, '', `parley ${purpose}`, 32))
      const [oldest = keys.current, ...younger] = Object.keys(keys.keys)
      return [derived(find(oldest)), ...younger.map((id) => derived(find(id)))]
    },
  }
}

function split(blob: Buffer) {
  const idLength = blob[1] ?? 0
  if (blob[0] !== format || blob.length < 30 + idLength) throw new SecretUnreadable('this is not a sealed text')
  const at = 2 + idLength
  return {
    id: blob.toString('latin1', 2, at),
    nonce: blob.subarray(at, at + 12),
    tag: blob.subarray(at + 12, at + 28),
    sealed: blob.subarray(at + 28),
  }
}

function readKeys(path: string): Keys {
  try {
    return keyFile.parse(JSON.parse(readFileSync(path, 'utf8')))
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw new SecretUnreadable(`the key file ${path} cannot be used`, { cause: error })
    mkdirSync(dirname(path), { recursive: true })
    try {
      const first = JSON.stringify({ current: 'key-1', keys: { 'key-1': randomBytes(32).toString('base64') } }, null, 2)
      // Exclusive: of two nodes that start at once one makes it and both use it.
      writeFileSync(path, first, { flag: 'wx', mode: 0o600 })
    } catch (made) {
      if (codeOf(made) !== 'EEXIST') throw made
    }
    return keyFile.parse(JSON.parse(readFileSync(path, 'utf8')))
  }
}
