/** Documents: whose they are and what they are called; their bytes lie on disk under their digest (`../documents.ts`). */
import { newId } from '../../infra/ids.ts'
import type { Reader, Writer } from '../database.ts'
import { inList } from './in-list.ts'

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

/** A smaller copy of a picture. */
export interface DocumentVariant {
  readonly documentId: string
  readonly name: string
  readonly digest: string
  readonly contentType: string
  readonly size: number
  readonly width: number
  readonly height: number
}

/** A document on its way in, with its smaller copies. */
export type NewDocument = Omit<Document, 'id' | 'createdAt'> & {
  readonly variants?: readonly Omit<DocumentVariant, 'documentId'>[]
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
  async create(tx: Writer, { variants = [], ...document }: NewDocument): Promise<Document> {
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
    if (variants.length > 0)
      await tx.insertMany(
        'document_variants',
        ['account_id', 'document_id', 'name', 'digest', 'content_type', 'size', 'width', 'height'],
        variants.map(({ name, digest, contentType, size, width, height }) => [
          made.accountId,
          made.id,
          name,
          Buffer.from(digest, 'hex'),
          contentType,
          size,
          width,
          height,
        ]),
      )
    return made
  },

  async get(reader: Reader, accountId: string, id: string): Promise<Document | undefined> {
    const row = await reader.first<Row>(`select ${columns} from documents where account_id = ? and id = ?`, [
      accountId,
      id,
    ])
    return row && present(row)
  },

  async getMany(reader: Reader, accountId: string, ids: readonly string[]): Promise<Document[]> {
    if (ids.length === 0) return []
    const list = inList(ids)
    const rows = await reader.query<Row>(
      `select ${columns} from documents where account_id = ? and id in ${list.sql}`,
      [accountId, ...list.values],
    )
    return rows.map(present)
  },

  /** Held until the transaction ends, so that it can be named; false: it is gone, as nobody had named it for long. */
  async hold(tx: Writer, accountId: string, id: string): Promise<boolean> {
    const row = await tx.first('select 1 as one from documents where account_id = ? and id = ? lock in share mode', [
      accountId,
      id,
    ])
    return row !== undefined
  },

  /** One that the account has of these bytes. */
  async ofDigest(reader: Reader, accountId: string, digest: string): Promise<Document | undefined> {
    const row = await reader.first<Row>(
      `select ${columns} from documents where account_id = ? and digest = ? order by id limit 1`,
      [accountId, Buffer.from(digest, 'hex')],
    )
    return row && present(row)
  },

  /** Smaller copies of these documents, the smallest first. */
  async variantsOf(reader: Reader, accountId: string, documentIds: readonly string[]): Promise<DocumentVariant[]> {
    if (documentIds.length === 0) return []
    const list = inList(documentIds)
    const rows = await reader.query<Omit<DocumentVariant, 'digest'> & { digest: Buffer }>(
      `select document_id documentId, name, digest, content_type contentType, size, width, height from document_variants
       where account_id = ? and document_id in ${list.sql} order by width, name desc`,
      [accountId, ...list.values],
    )
    return rows.map((row) => ({ ...row, digest: row.digest.toString('hex') }))
  },

  /** Whether any row of any account still names these bytes. */
  async isDigestUsed(reader: Reader, digest: string): Promise<boolean> {
    const bytes = Buffer.from(digest, 'hex')
    const row = await reader.first(
      `(select 1 as one from documents where digest = ? limit 1)
       union all (select 1 as one from document_variants where digest = ? limit 1)`,
      [bytes, bytes],
    )
    return row !== undefined
  },
}
