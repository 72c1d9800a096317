/** Accounts: the tenants, who own everything else. */
import { newId } from '../../infra/ids.ts'
import type { Reader, Writer } from '../database.ts'

export interface Account {
  readonly id: string
  readonly name: string
  readonly createdAt: Date
}

interface Row {
  id: string
  name: string
  created_at: Date
}

const present = (row: Row): Account => ({ id: row.id, name: row.name, createdAt: row.created_at })

export const accounts = {
  async create(tx: Writer, name: string): Promise<Account> {
    const account = { id: newId(), name, createdAt: new Date() }
    await tx.run('insert into accounts (id, name, created_at) values (?, ?, ?)', [
      account.id,
      account.name,
      account.createdAt,
    ])
    return account
  },

  async get(reader: Reader, id: string): Promise<Account | undefined> {
    const row = await reader.first<Row>('select id, name, created_at from accounts where id = ?', [id])
    return row && present(row)
  },

  /** The oldest account: the one that a new cluster was begun with. */
  async first(reader: Reader): Promise<Account | undefined> {
    const row = await reader.first<Row>('select id, name, created_at from accounts order by id limit 1')
    return row && present(row)
  },

  async list(reader: Reader): Promise<Account[]> {
    return (await reader.query<Row>('select id, name, created_at from accounts order by id')).map(present)
  },
}
