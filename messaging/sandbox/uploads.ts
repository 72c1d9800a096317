/** Files that were given to the networks: kept under the digest of their bytes, and shown at `/media/<name>` like the sandbox's own. */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

// prettier-ignore
const endings: Readonly<Record<string, string>> = {
  'image/jpeg': 'jpg', 'image/png': 'png', 'image/gif': 'gif', 'image/webp': 'webp', 'video/mp4': 'mp4', 'video/quicktime': 'mov', 'video/webm': 'webm', 'video/3gpp': '3gp',
  'audio/mpeg': 'mp3', 'audio/ogg': 'ogg', 'audio/wav': 'wav', 'audio/mp4': 'm4a', 'audio/aac': 'aac', 'audio/amr': 'amr', 'application/pdf': 'pdf', 'text/plain': 'txt',
}
const types = Object.fromEntries(Object.entries(endings).map(([type, ending]) => [ending, type]))

export class Uploads {
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = folder
  }

  /** Keeps the bytes and gives the name under which they lie. */
  keep(data: Uint8Array, contentType: string): string {
    const [type = ''] = contentType.toLowerCase().split(';')
    const ending = Object.hasOwn(endings, type) ? endings[type] : 'bin'
    const name = `${createHash('sha256').update(data).digest('hex').slice(0, 40)}.${String(ending)}`
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 })
    const path = join(this.#folder, name)
    if (!existsSync(path)) writeFileSync(path, data, { mode: 0o600 })
    return name
  }

  /** What was kept under this name. */
  open(name: string): { readonly contentType: string; readonly data: Buffer } | undefined {
    const ending = /^[0-9a-f]{40}\.(\w{2,4})$/.exec(name)?.[1]
    const path = join(this.#folder, name)
    if (ending === undefined || !existsSync(path)) return undefined
    return { contentType: types[ending] ?? 'application/octet-stream', data: readFileSync(path) }
  }
}
