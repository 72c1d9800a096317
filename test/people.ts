/** Named people and what they do: the bodies that networks send when they write. */
import { createHash } from 'node:crypto'

/** The Page of all tests, and its customers by their page-scoped ids. */
export const bakery = { externalId: '100200300', name: 'Ada Bakery' }
export const secondBakery = { externalId: '100200301', name: 'Ada Bakery North' }
export const ines = { id: '7001', name: 'Inês Duarte' }
export const juma = { id: '7002', name: 'Juma Okoth' }
export const mei = { id: '7003', name: 'Mei Lin' }
/** The administrator of the account. */
export const ada = { email: 'ada@bakery.example', name: 'Ada' }

/** Instants of a test: seconds after a fixed beginning an hour ago. */
const beginning = Date.now() - 3_600_000
export const second = (n: number): Date => new Date(beginning + n * 1000)

type Fields = Readonly<Record<string, unknown>>

/** A body of Meta's webhooks for the page. */
export const pageBody = (items: readonly Fields[], page = bakery.externalId): Buffer =>
  Buffer.from(JSON.stringify({ object: 'page', entry: [{ id: page, time: Date.now(), messaging: items }] }))
export const feedBody = (values: readonly Fields[], page = bakery.externalId): Buffer =>
  Buffer.from(
    JSON.stringify({
      object: 'page',
      entry: [{ id: page, time: Date.now(), changes: values.map((value) => ({ field: 'feed', value })) }],
    }),
  )

const between = (from: string, to: string, at: Date): Fields => ({
  sender: { id: from },
  recipient: { id: to },
  timestamp: at.getTime(),
})

export const writes = (
  person: { id: string },
  mid: string,
  text: string,
  at: Date,
  page = bakery.externalId,
): Fields => ({ ...between(person.id, page, at), message: { mid, text } })
export const edits = (person: { id: string }, mid: string, text: string, at: Date): Fields => ({
  ...between(person.id, bakery.externalId, at),
  message_edit: { mid, text, num_edit: 1 },
})
export const takesBack = (person: { id: string }, mid: string, at: Date): Fields => ({
  ...between(person.id, bakery.externalId, at),
  message: { mid, is_deleted: true },
})
export const reacts = (person: { id: string }, mid: string, emoji: string, at: Date): Fields => ({
  ...between(person.id, bakery.externalId, at),
  reaction: { mid, action: 'react', reaction: 'love', emoji },
})
export const echoes = (person: { id: string }, mid: string, text: string, at: Date, metadata?: string): Fields => ({
  ...between(bakery.externalId, person.id, at),
  message: { mid, text, is_echo: true, app_id: 1, ...(metadata === undefined ? {} : { metadata }) },
})
export const hasRead = (person: { id: string }, upTo: Date): Fields => ({
  ...between(person.id, bakery.externalId, upTo),
  read: { watermark: upTo.getTime() },
})
export const hasReceived = (person: { id: string }, mids: readonly string[], at: Date): Fields => ({
  ...between(person.id, bakery.externalId, at),
  delivery: { mids, watermark: at.getTime() },
})

/** A comment below a post; `parent` another comment. */
export const comments = (person: { id: string; name: string }, id: string, text: string, at: Date, post: string, parent = post): Fields => ({
  item: 'comment', verb: 'add', comment_id: id, post_id: post, parent_id: parent, message: text, from: person, created_time: Math.floor(at.getTime() / 1000),
}) // prettier-ignore

/** A message id in the form that Messenger gives. */
export const midOf = (name: string): string => `m_${createHash('sha256').update(name).digest('base64url')}`
