/** The shape of the house, kept by a test: who may import whom, one door per library, no cycles. */
import { readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { globSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '..')
const stair = ['infra', 'storage', 'messaging', 'backend', 'web'] as const

/** Sub-folders that are open to other folders, each with the reason. */
const open = [
  'storage/model', // nouns and their laws: pure
  'messaging/broker/contract.ts', // what a broker is asked for; the processes hand one in
  'messaging/broker/queues.ts', // the written list of queues
  'messaging/connectors/connector.ts', // the contract of a network
  'messaging/connectors/registry.ts', // the written list of networks
]

interface Import {
  readonly from: string
  readonly to: string
  readonly typeOnly: boolean
}

const files = stair.flatMap((folder) =>
  globSync(`${folder}/**/*.{ts,tsx}`, {
    cwd: root,
    exclude: (name) => name.includes('node_modules') || name.endsWith('dist'),
  }),
)
const imports = files.flatMap(importsOf)

function importsOf(file: string): Import[] {
  const text = readFileSync(join(root, file), 'utf8')
  return [
    ...text.matchAll(/^\s*(?:import|export)\s+(type\s+)?(?:[^'"]*?\sfrom\s+)?'([^']+)'|import\('([^']+)'\)/gm),
  ].map((match) => {
    const target = match[2] ?? match[3] ?? ''
    return {
      from: file,
      to: target.startsWith('.') ? relative(root, join(root, dirname(file), target)) : target,
      typeOnly: match[1] !== undefined,
    }
  })
}

const isLocal = (name: string) => stair.some((folder) => name.startsWith(`${folder}/`))
const folderOf = (name: string) => name.split('/')[0] ?? ''
const inBin = (name: string) => name.startsWith('infra/bin/')

describe('the tree', () => {
  it('has been read', () => {
    expect(files.length).toBeGreaterThan(60)
    expect(imports.filter((line) => isLocal(line.to)).length).toBeGreaterThan(100)
  })

  it('is a stair: each folder imports only what is below it', () => {
    const climbing = imports.filter(
      ({ from, to }) =>
        !inBin(from) &&
        isLocal(to) &&
        stair.findIndex((f) => f === folderOf(from)) < stair.findIndex((f) => f === folderOf(to)),
    )
    expect(climbing).toEqual([])
  })

  it('nothing imports the executables', () => {
    expect(imports.filter(({ from, to }) => !inBin(from) && inBin(to))).toEqual([])
  })

  it('the model imports nothing but itself', () => {
    expect(
      imports.filter(({ from, to }) => from.startsWith('storage/model/') && !to.startsWith('storage/model/')),
    ).toEqual([])
  })

  it("enters another folder by its face: that folder's top-level files", () => {
    const sideways = imports.filter(
      ({ from, to }) =>
        isLocal(to) &&
        !inBin(from) &&
        folderOf(from) !== folderOf(to) &&
        to.split('/').length > 2 &&
        !open.some((place) => to.startsWith(place)),
    )
    expect(sideways).toEqual([])
  })

  it('has no cycles', () => {
    const next = new Map<string, string[]>()
    for (const { from, to, typeOnly } of imports) {
      if (isLocal(to) && !typeOnly) next.set(from, [...(next.get(from) ?? []), to])
    }
    const done = new Set<string>()
    const walk = (file: string, path: readonly string[]): string[] | undefined => {
      if (path.includes(file)) return [...path.slice(path.indexOf(file)), file]
      if (done.has(file)) return undefined
      for (const target of next.get(file) ?? []) {
        const cycle = walk(target, [...path, file])
        if (cycle !== undefined) return cycle
      }
      done.add(file)
      return undefined
    }
    for (const file of next.keys()) expect(walk(file, [])).toBeUndefined()
  })

  it('has only the agreed things at the top', () => {
    const agreed =
      /^(package(-lock)?\.json|tsconfig\.json|README\.md|LICENSE|CHANGELOG\.md|web|backend|messaging|storage|infra|test|node_modules|\..*|[a-z]+\.config\.(ts|js))$/
    expect(globSync('*', { cwd: root }).filter((name) => !agreed.test(name))).toEqual([])
  })
})
