/** Names of what stands around conversations, in one statement. */
import type { Reader, SqlValue } from '../database.ts'
import { inList } from './in-list.ts'

export interface Named {
  readonly id: string
  readonly name: string
  /** Of a channel its type, of a label its colour. */
  readonly extra: string
}

export interface NamedIds {
  readonly channels: readonly string[]
  readonly users: readonly string[]
  readonly teams: readonly string[]
  readonly labels: readonly string[]
  readonly contacts?: readonly string[]
}

const extras = { channels: 'type', users: "''", teams: "''", labels: 'color', contacts: "''" } as const
const tables = ['channels', 'users', 'teams', 'labels', 'contacts'] as const

export const names = {
  /** By id; what is gone is left out. */
  async find(reader: Reader, accountId: string, ids: NamedIds): Promise<Map<string, Named>> {
    const parts: string[] = []
    const values: SqlValue[] = []
    for (const table of tables) {
      const wanted = [...new Set(ids[table] ?? [])]
      if (wanted.length === 0) continue
      const list = inList(wanted)
      parts.push(`select id, name, ${extras[table]} extra from ${table} where account_id = ? and id in ${list.sql}`)
      values.push(accountId, ...list.values)
    }
    if (parts.length === 0) return new Map()
    const rows = await reader.query<Named>(parts.join(' union all '), values)
    return new Map(rows.map((row) => [row.id, row]))
  },
}
