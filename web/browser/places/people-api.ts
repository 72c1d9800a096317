/** The calls of the settings for people, and of the ways in. */
import type {
  AuditEntryJson,
  ChainJson,
  InvitationJson,
  LinkContentJson,
  LinkJson,
  NewTokenJson,
  OwnSessionJson,
  PersonJson,
  RoleJson,
  TeamJson,
  TokenJson,
} from '../../presenters/people.ts'
import { ask, newKey, query, type Page } from '../api.ts'

type Fields = Readonly<Record<string, unknown>>
const list = <Item>(path: string) => ({
  queryKey: ['people', path],
  queryFn: ({ signal }: { signal: AbortSignal }) => ask<Page<Item>>('GET', path, undefined, { signal }),
  staleTime: 5_000,
})

/** What is asked for: each a query of the library. */
export const lists = {
  all: ['people'],
  users: list<PersonJson>('/users'),
  allUsers: list<PersonJson>('/users?include=disabled'),
  invitations: list<InvitationJson>('/invitations'),
  roles: list<RoleJson>('/roles'),
  teams: list<TeamJson>('/teams'),
  sessions: list<OwnSessionJson>('/sessions'),
  tokens: list<TokenJson>('/tokens'),
}

export const peopleApi = {
  changeUser: (id: string, change: Fields) => ask<PersonJson>('PATCH', `/users/${id}`, change),
  passwordLink: (id: string) => ask<LinkJson>('POST', `/users/${id}/password-link`, {}, { key: newKey() }),
  dropTotp: (id: string) => ask<unknown>('DELETE', `/users/${id}/totp`),
  invite: (wish: Fields) => ask<LinkJson>('POST', '/invitations', wish, { key: newKey() }),
  withdraw: (id: string) => ask<unknown>('DELETE', `/invitations/${id}`),
  createRole: (wish: Fields) => ask<RoleJson>('POST', '/roles', wish, { key: newKey() }),
  changeRole: (id: string, change: Fields) => ask<RoleJson>('PATCH', `/roles/${id}`, change),
  removeRole: (id: string) => ask<unknown>('DELETE', `/roles/${id}`),
  createTeam: (wish: Fields) => ask<TeamJson>('POST', '/teams', wish, { key: newKey() }),
  changeTeam: (id: string, change: Fields) => ask<TeamJson>('PATCH', `/teams/${id}`, change),
  removeTeam: (id: string) => ask<unknown>('DELETE', `/teams/${id}`),
  changeProfile: (change: Fields) => ask<unknown>('PATCH', '/profile', change),
  setPassword: (password: string) => ask<unknown>('PATCH', '/profile/password', { password }),
  beginTotp: () => ask<{ secret: string; url: string }>('POST', '/profile/totp', {}, { key: newKey() }),
  confirmTotp: (code: string) => ask<{ recovery_codes: string[] }>('POST', '/profile/totp/confirm', { code }),
  removeTotp: () => ask<unknown>('DELETE', '/profile/totp'),
  newCodes: () => ask<{ recovery_codes: string[] }>('POST', '/profile/recovery-codes', {}, { key: newKey() }),
  endSession: (id: string) => ask<unknown>('DELETE', `/sessions/${id}`),
  endOthers: () => ask<unknown>('DELETE', '/sessions'),
  createToken: (wish: Fields) => ask<NewTokenJson>('POST', '/tokens', wish, { key: newKey() }),
  revokeToken: (id: string) => ask<unknown>('DELETE', `/tokens/${id}`),
  look: (token: string) => ask<LinkContentJson>('POST', '/join/look', { token }),
  join: (given: Fields) => ask<unknown>('POST', '/join', given),
  confirm: (given: Fields) => ask<unknown>('PATCH', '/session', given),
  audit: (filter: Readonly<Record<string, string>>, cursor: string | null, signal?: AbortSignal) =>
    ask<Page<AuditEntryJson>>('GET', `/audit${query({ ...filter, cursor, limit: '50' })}`, undefined, { signal }),
  verify: () => ask<ChainJson>('GET', '/audit/verify'),
}
