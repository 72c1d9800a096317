/** Nodes: the running processes, as they last said themselves. */
import type { Reader, Writer } from '../database.ts'

export interface NodeRow {
  readonly id: string
  /** New at each start: two processes under one name are seen. */
  readonly bootId: string
  readonly roles: readonly string[]
  readonly version: string
  readonly pid: number
  readonly host: string
  readonly port: number
  readonly startedAt: Date
  readonly seenAt: Date
}

interface Row {
  id: string
  boot_id: string
  roles: string
  version: string
  pid: number
  host: string
  port: number
  started_at: Date
  seen_at: Date
}

export const nodes = {
  /** Says that the node lives; by the clock of the database. */
  async heartbeat(tx: Writer, node: Omit<NodeRow, 'startedAt' | 'seenAt'>): Promise<void> {
    await tx.run(
      `insert into nodes (id, boot_id, roles, version, pid, host, port, started_at, seen_at) values (?, ?, ?, ?, ?, ?, ?, utc_timestamp(3), utc_timestamp(3))
       on duplicate key update started_at = if(boot_id = values(boot_id), started_at, values(started_at)), boot_id = values(boot_id), roles = values(roles),
         version = values(version), pid = values(pid), host = values(host), port = values(port), seen_at = values(seen_at)`,
      [node.id, node.bootId, node.roles.join(','), node.version, node.pid, node.host, node.port],
    )
  },

  /** All nodes that were seen within the last `withinMs`. */
  async list(reader: Reader, withinMs: number): Promise<NodeRow[]> {
    const rows = await reader.query<Row>(
      `select id, boot_id, roles, version, pid, host, port, started_at, seen_at from nodes
       where seen_at > utc_timestamp(3) - interval ? microsecond order by id`,
      [withinMs * 1000],
    )
    return rows.map((row) => ({
      id: row.id,
      bootId: row.boot_id,
      roles: row.roles.split(','),
      version: row.version,
      pid: row.pid,
      host: row.host,
      port: row.port,
      startedAt: row.started_at,
      seenAt: row.seen_at,
    }))
  },

  /** A node that stops in order takes itself out, unless another process has taken its name. */
  async remove(tx: Writer, id: string, bootId: string): Promise<void> {
    await tx.run('delete from nodes where id = ? and boot_id = ?', [id, bootId])
  },
}
