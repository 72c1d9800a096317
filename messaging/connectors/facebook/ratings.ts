/** Recommendations of a Page and forms of advertisements (Page webhooks: ratings, leadgen). */
import type { InboundEvent } from '../connector.ts'
import { kept } from '../meta/envelope.ts'
import type { Entry } from '../meta/envelope.ts'
import { extraOf } from '../meta/extras.ts'
import { fieldsOf, idOf, instantOf, textOf } from '../reading.ts'
import type { Fields } from '../reading.ts'
import { readFeed } from './feed.ts'

/** A recommendation is public content by a visitor; what is said below it comes as comments. */
export function readRating(value: Fields, entry: Entry): InboundEvent {
  const externalId = idOf(value.open_graph_story_id) ?? idOf(value.post_id)
  if (value.item === 'comment') return readFeed({ ...value, post_id: idOf(value.post_id) ?? externalId }, entry)
  if (value.item === 'reaction' || value.item === 'like') return readFeed(value, entry)
  if (externalId === undefined) return kept('a recommendation without an id')
  const occurredAt = instantOf(value.created_time) ?? entry.at
  const text = textOf(value.review_text) ?? textOf(value.message)
  if (value.verb === 'remove' || value.verb === 'delete') return { type: 'delete', externalId, occurredAt: entry.at }
  if (value.verb === 'edit' || value.verb === 'edited' || value.verb === 'update')
    return { type: 'edit', externalId, occurredAt: entry.at, text }
  const from = fieldsOf(value.from)
  const personId = idOf(value.reviewer_id) ?? idOf(from.id)
  if (personId === entry.id) return kept('a recommendation by ourselves')
  const name =
    textOf(value.reviewer_name) ?? textOf(from.name) ?? (personId === undefined ? 'Someone on Facebook' : undefined)
  return {
    type: 'message',
    kind: 'post',
    externalId,
    occurredAt,
    from: {
      externalId: personId ?? `withheld:${externalId}`,
      ...(name === undefined ? {} : { name: name.slice(0, 200) }),
    },
    thread: { kind: 'public', rootId: externalId, postId: externalId },
    text,
    attachments: [],
    ...extraOf({ rating: value.rating, recommendation: value.recommendation_type }),
  }
}

/** A form of an advertisement was filled in. The answers must be fetched with a permission of their own: an operator is told. */
export function readLead(value: Fields, entry: Entry): InboundEvent {
  const lead = idOf(value.leadgen_id)
  if (lead === undefined) return kept('a lead without an id')
  const form = idOf(value.form_id)
  return {
    type: 'notice',
    occurredAt: instantOf(value.created_time) ?? entry.at,
    code: 'lead',
    text: `A lead form was filled in${form === undefined ? '' : ` (form ${form})`}: lead ${lead} waits in the Leads Center of the Page.`,
  }
}
