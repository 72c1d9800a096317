/**
 * Messages as bytes and back. Written by hand instead of by rhea's general encoder since every webhook passes here: one
 * allocation for a message. Layout: OASIS AMQP 1.0, part 3, section 3.2 (sections) and part 1, section 1.6 (types).
 */
import { newId } from '../../infra/ids.ts'
import type { Outgoing } from './contract.ts'

// A described list of one field: header (0x70) with `durable` = true.
const header = Buffer.from([0x00, 0x53, 0x70, 0xc0, 0x02, 0x01, 0x41])
const idProperties = 0x73
const applicationProperties = 0x74
const data = 0x75
const list32 = 0xd0
const map32 = 0xd1
const string32 = 0xb1
const binary32 = 0xb0

/**
 * A durable message: header, message id, application properties, and the body as one data section of raw bytes.
 * @param duplicateProperty gets an id of this encoding: what is sent again after a reconnect are the same bytes, which the
 * broker takes once; what the application publishes again under the same message id is another encoding, and must arrive.
 */
export function encodeMessage(message: Outgoing, duplicateProperty: string | undefined): Buffer {
  const { id, body, properties } = message
  const names = properties === undefined ? [] : Object.keys(properties)
  const duplicateId = duplicateProperty === undefined ? '' : newId()
  let pairBytes = 0
  for (const name of names) pairBytes += 10 + Buffer.byteLength(name) + Buffer.byteLength(properties?.[name] ?? '')
  if (duplicateProperty !== undefined) pairBytes += 10 + duplicateProperty.length + duplicateId.length
  const pairs = names.length + (duplicateProperty === undefined ? 0 : 1)
  const idBytes = Buffer.byteLength(id)

  const bytes = Buffer.allocUnsafe(header.length + 17 + idBytes + (pairs === 0 ? 0 : 12 + pairBytes) + 8 + body.length)
  header.copy(bytes)
  let at = writeSection(bytes, header.length, idProperties, list32)
  at = bytes.writeUInt32BE(4 + 5 + idBytes, at)
  at = bytes.writeUInt32BE(1, at)
  at = writeString(bytes, at, id)
  if (pairs > 0) {
    at = writeSection(bytes, at, applicationProperties, map32)
    at = bytes.writeUInt32BE(4 + pairBytes, at)
    at = bytes.writeUInt32BE(pairs * 2, at)
    for (const name of names) at = writeString(bytes, writeString(bytes, at, name), properties?.[name] ?? '')
    if (duplicateProperty !== undefined) at = writeString(bytes, writeString(bytes, at, duplicateProperty), duplicateId)
  }
  at = writeSection(bytes, at, data, binary32)
  at = bytes.writeUInt32BE(body.length, at)
  bytes.set(body, at)
  return bytes
}

/** The body of a message as rhea decoded it: data sections as they are, a text value as UTF-8; anything else is empty. */
export function bodyOf(decoded: unknown): Buffer {
  const content = typeof decoded === 'object' && decoded !== null && 'content' in decoded ? decoded.content : decoded
  if (Buffer.isBuffer(content)) return content
  if (typeof content === 'string') return Buffer.from(content)
  return Array.isArray(content) ? Buffer.concat(content.filter((part) => Buffer.isBuffer(part))) : Buffer.alloc(0)
}

/** Application properties as strings, without what the broker keeps for itself. */
export function propertiesOf(decoded: unknown): Record<string, string> {
  const properties: Record<string, string> = {}
  if (typeof decoded !== 'object' || decoded === null) return properties
  for (const [name, value] of Object.entries(decoded)) {
    if (!name.startsWith('_AMQ_')) properties[name] = String(value)
  }
  return properties
}

function writeSection(bytes: Buffer, at: number, descriptor: number, type: number): number {
  bytes[at] = 0x00
  bytes[at + 1] = 0x53
  bytes[at + 2] = descriptor
  bytes[at + 3] = type
  return at + 4
}

function writeString(bytes: Buffer, at: number, text: string): number {
  bytes[at] = string32
  const length = bytes.write(text, at + 5)
  bytes.writeUInt32BE(length, at + 1)
  return at + 5 + length
}
