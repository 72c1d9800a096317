/** Documents: whose they are and what they are called; their bytes lie on disk under their digest (`../documents.ts`). */
import { newId } from '../../infra/ids.ts'
import type { Reader, Writer } from '../database.ts'

export interface Document {
  readonly id: string
  readonly accountId: string
  /** SHA-256 in hexadecimal. */
  readonly digest: string
  readonly name: string | null
  readonly contentType: string
  /** Bytes. */
  readonly size: number
  readonly createdAt: Date
}

interface Row {
  id: string
  account_id: string
  digest: Buffer
  name: string | null
  content_type: string
  size: number
  created_at: Date
}

const columns = 'id, account_id, digest, name, content_type, size, created_at'

const present = (row: Row): Document => ({
  id: row.id,
  accountId: row.account_id,
  digest: row.digest.toString('hex'),
  name: row.name,
  contentType: row.content_type,
  size: row.size,
  createdAt: row.created_at,
})

export const documents = {
  /** Notes a document whose bytes have been put. */
  async create(tx: Writer, document: Omit<Document, 'id' | 'createdAt'>): Promise<Document> {
    const made: Document = { ...document, id: newId(), createdAt: new Date() }
    await tx.run(`insert into documents (${columns}) values (?, ?, ?, ?, ?, ?, ?)`, [
      made.id,
      made.accountId,
      Buffer.from(made.digest, 'hex'),
      made.name,
      made.contentType,
      made.size,
      made.createdAt,
    ])
    return made
  },

  async get(reader: Reader, accountId: string, id: string): Promise<Document | undefined> {
    const row = await reader.first<Row>(`select ${columns} from documents where account_id = ? and id = ?`, [
      accountId,
      id,
    ])
    return row && present(row)
  },

  /** Whether any row of any account still names these bytes. */
  async isDigestUsed(reader: Reader, digest: string): Promise<boolean> {
    return (
      (await reader.first('select 1 as one from documents where digest = ? limit 1', [Buffer.from(digest, 'hex')])) !==
      undefined
    )
  },
}
