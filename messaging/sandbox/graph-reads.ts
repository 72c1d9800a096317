/** What can be read back from the Graph API, and how it refuses. */
import { textOf } from '../connectors/reading.ts'
import type { Fields } from '../connectors/reading.ts'
import type { Stage } from './customers.ts'
import type { Answer } from './http.ts'
import type { SandboxChannel } from './world.ts'

/** One object by its id: the page, a person, or a comment and what it answers. */
export function readObject(stage: Stage, channel: SandboxChannel, id: string): Answer {
  if (id === channel.external_id) return { status: 200, json: { id, name: channel.name } }
  const said = stage.world.byId.get(id)
  if (said?.kind === 'comment' && said.channel === channel.external_id) {
    return {
      status: 200,
      json: { id, message: said.text, ...(said.in_reply_to === undefined ? {} : { parent: { id: said.in_reply_to } }) },
    }
  }
  const person = stage.world.people.get(id)
  if (person === undefined) return missing(id)
  const [firstName, ...rest] = person.name.split(' ')
  return { status: 200, json: { id, name: person.name, first_name: firstName, last_name: rest.join(' ') } }
}

/** Comments below a post or a comment. */
export function listComments(stage: Stage, channel: SandboxChannel, id: string, parameters: Fields): unknown[] {
  const below = stage.world.ledger.filter(
    (said) =>
      said.channel === channel.external_id &&
      said.kind === 'comment' &&
      (said.in_reply_to === id || (said.in_reply_to === undefined && said.post_id === id)),
  )
  if (parameters.order === 'reverse_chronological') below.reverse()
  return below.slice(0, Number(parameters.limit) || 25).map((said) => ({
    id: said.external_id,
    message: said.text,
    created_time: graphTime(said.at),
    from:
      said.direction === 'outbound'
        ? { id: channel.external_id, name: channel.name }
        : { id: said.person, name: stage.world.people.get(said.person)?.name },
  }))
}

/** Only the 20 newest messages have details. */
export function listConversation(stage: Stage, channel: SandboxChannel, parameters: Fields): unknown[] {
  const personId = textOf(parameters.user_id)
  if (personId === undefined) return []
  const direct = stage.world
    .between(channel.external_id, personId)
    .filter((said) => said.kind === 'message' || said.kind === 'reply' || said.kind === 'private_reply')
  if (direct.length === 0) return []
  const page = { id: channel.external_id, name: channel.name }
  const person = { id: personId, name: stage.world.people.get(personId)?.name }
  const data = direct
    .slice(-20)
    .reverse()
    .map((said) => ({
      id: said.external_id,
      created_time: graphTime(said.at),
      message: said.text,
      from: said.direction === 'outbound' ? page : person,
      to: { data: [said.direction === 'outbound' ? person : page] },
    }))
  return [{ id: `t_${channel.external_id}_${personId}`, participants: { data: [page, person] }, messages: { data } }]
}

const graphTime = (iso: string): string => `${iso.slice(0, 19)}+0000`

export function graphError(code: number, subcode: number | undefined, message: string, status = 400): Answer {
  const error = {
    message: `(#${String(code)}) ${message}`,
    type: code === 190 ? 'OAuthException' : 'GraphMethodException',
    code,
    ...(subcode === undefined ? {} : { error_subcode: subcode }),
    fbtrace_id: 'AsAnDbOx',
  }
  return { status, json: { error } }
}

export const missing = (id: string): Answer =>
  graphError(
    100,
    33,
    `Unsupported request. Object with ID '${id}' does not exist, cannot be loaded due to missing permissions, or does not support this operation.`,
  )
