/** `parley keys …`: the keys that seal secrets, changed while the cluster runs. */
import { randomBytes } from 'node:crypto'
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { z } from 'zod'
import { Problem } from '../../errors.ts'
import { silentLogger } from '../../logger.ts'
import { readSettings } from '../settings.ts'
import { UsageError } from '../usage.ts'

const fileShape = z.object({ current: z.string(), keys: z.record(z.string(), z.string()) })
type KeyFile = z.infer<typeof fileShape>

/**
 * `list` · `add` a key that seals nothing yet, to be copied to every machine · `use ID` seals everything anew with that key ·
 * `rotate` is add and use, where all nodes read one file · `remove ID`, once nothing is sealed with it.
 */
export async function keys(args: readonly string[]): Promise<number> {
  const [verb, id] = args
  const { keys: path } = readSettings()
  const file = fileShape.parse(JSON.parse(readFileSync(path, 'utf8')))
  switch (verb) {
    case 'list':
      for (const name of Object.keys(file.keys)) print(name === file.current ? `${name} (seals)` : name)
      return 0
    case 'add':
      print(add(path, file))
      return 0
    case 'rotate':
      return use(path, file, add(path, file))
    case 'use':
      if (id === undefined || !(id in file.keys))
        throw new UsageError('usage: parley keys use ID, with an ID out of: parley keys list')
      return use(path, file, id)
    case 'remove': {
      if (id === undefined || !(id in file.keys))
        throw new UsageError('usage: parley keys remove ID, with an ID out of: parley keys list')
      if (id === file.current)
        throw new Problem(409, 'key_in_use', `The key ${id} seals what is stored now; use another one first.`)
      await reseal()
      write(path, { ...file, keys: Object.fromEntries(Object.entries(file.keys).filter(([name]) => name !== id)) })
      print(`removed ${id}`)
      return 0
    }
    default:
      throw new UsageError('usage: parley keys list|add|use ID|rotate|remove ID')
  }
}

function add(path: string, file: KeyFile): string {
  const id = `k${new Date().toISOString().slice(0, 19).replace(/\D/g, '')}`
  file.keys[id] = randomBytes(32).toString('base64')
  write(path, file)
  return id
}

async function use(path: string, file: KeyFile, id: string): Promise<number> {
  const latest = fileShape.parse(JSON.parse(readFileSync(path, 'utf8')))
  write(path, { ...latest, current: id })
  print(`${await reseal()} sealed with ${id}; ${file.current} can be removed after every node has been restarted`)
  return 0
}

async function reseal(): Promise<string> {
  const { openStorage } = await import('../../../storage/index.ts')
  const { resealAll } = await import('../../../storage/reseal.ts')
  const storage = await openStorage(readSettings(), silentLogger)
  try {
    const count = await resealAll(storage)
    return count === 1 ? '1 secret' : `${String(count)} secrets`
  } finally {
    await storage.close()
  }
}

/** Whole or not at all: a node may read it at any moment. */
function write(path: string, file: KeyFile): void {
  writeFileSync(`${path}.new`, JSON.stringify(file, null, 2), { mode: 0o600 })
  renameSync(`${path}.new`, path)
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}
