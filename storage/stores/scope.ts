/**
 * What a user is limited to: channels, teams, or nothing at all. Every store that gives out what belongs to a channel or a
 * conversation narrows its statements here, so that lists, single rows, streams and searches cannot differ.
 */
import type { Reader, SqlValue } from '../database.ts'
import type { Event } from '../model/events.ts'
import { inList } from './in-list.ts'

/** null: not limited. With teams: the conversations of these, and those of no team. */
export interface Scope {
  readonly channelIds: readonly string[] | null
  readonly teamIds: readonly string[] | null
}

/** No limit: for the platform itself, and for users without one. */
export const everything: Scope = { channelIds: null, teamIds: null }

export const isLimited = (scope: Scope): boolean => scope.channelIds !== null || scope.teamIds !== null

/** A condition that begins with `and`, or nothing; and its values. */
export interface Condition {
  readonly sql: string
  readonly values: readonly SqlValue[]
}

/** Rows that have a channel's id, and perhaps a team's. @param columns such as `c.channel_id` and `c.team_id` */
export function within(scope: Scope, columns: { readonly channel: string; readonly team?: string }): Condition {
  const parts: string[] = []
  const values: SqlValue[] = []
  if (scope.channelIds !== null) {
    const list = inList(scope.channelIds)
    parts.push(` and ${columns.channel} in ${list.sql}`)
    values.push(...list.values)
  }
  if (scope.teamIds !== null && columns.team !== undefined) {
    const list = inList(scope.teamIds)
    parts.push(` and (${columns.team} is null or ${columns.team} in ${list.sql})`)
    values.push(...list.values)
  }
  return { sql: parts.join(''), values }
}

/** Rows of a conversation, such as messages: their own channel, and the team of their conversation. @param alias of the table */
export function withinConversation(scope: Scope, alias: string): Condition {
  const channel = within({ ...scope, teamIds: null }, { channel: `${alias}.channel_id` })
  if (scope.teamIds === null) return channel
  const team = within({ channelIds: null, teamIds: scope.teamIds }, { channel: '', team: 'scope.team_id' })
  return {
    sql: `${channel.sql} and exists (select 1 from conversations scope where scope.account_id = ${alias}.account_id and scope.id = ${alias}.conversation_id${team.sql})`,
    values: [...channel.values, ...team.values],
  }
}

/** Contacts with at least one conversation within the scope. @param alias of the table of contacts */
export function withinContact(scope: Scope, alias: string): Condition {
  if (!isLimited(scope)) return { sql: '', values: [] }
  const of = within(scope, { channel: 'scope.channel_id', team: 'scope.team_id' })
  return {
    sql: ` and exists (select 1 from conversations scope where scope.account_id = ${alias}.account_id and scope.contact_id = ${alias}.id${of.sql})`,
    values: of.values,
  }
}

/** Where something is: the channel, and the team if it is with one. */
export interface Place {
  readonly channelId: string
  readonly teamId: string | null
}

export function covers(scope: Scope, place: Place): boolean {
  return (
    (scope.channelIds === null || scope.channelIds.includes(place.channelId)) &&
    (scope.teamIds === null || place.teamId === null || scope.teamIds.includes(place.teamId))
  )
}

/** Where the conversations of these facts are now, by their ids: what `hears` needs. One statement. */
export async function placesOf(reader: Reader, events: readonly Event[]): Promise<Map<string, Place>> {
  const ids = new Set(events.flatMap(({ data }) => idIn(data, 'conversation_id') ?? []))
  if (ids.size === 0) return new Map()
  const list = inList([...ids])
  const rows = await reader.query<Place & { readonly id: string; readonly accountId: string }>(
    `select id, account_id accountId, channel_id channelId, team_id teamId from conversations where id in ${list.sql}`,
    list.values,
  )
  return new Map(rows.map((row) => [`${row.accountId} ${row.id}`, row]))
}

/** Whether someone with this scope hears of the fact: only what is in a place that is known, unless they are not limited. */
export function hears(scope: Scope, event: Event, places: ReadonlyMap<string, Place>): boolean {
  // Everybody sees all labels.
  if (!isLimited(scope) || event.type === 'label.changed') return true
  const conversationId = idIn(event.data, 'conversation_id')
  const channelId = idIn(event.data, 'channel_id')
  if (conversationId !== undefined) {
    const place = places.get(`${event.accountId} ${conversationId}`)
    return place !== undefined && covers(scope, place)
  }
  return channelId !== undefined && covers(scope, { channelId, teamId: null })
}

function idIn(data: Event['data'], name: string): string | undefined {
  const value = data[name]
  return typeof value === 'string' ? value : undefined
}
