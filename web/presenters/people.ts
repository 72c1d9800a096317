/** People, roles, teams, sessions, tokens and the audit log: their shapes, and from model to JSON. */
import { z } from 'zod'
import type { AuditEntry, CustomRole, Invitation, Team, Token, User } from '../../storage/index.ts'
import { builtInRoles, permissions, permissionsOfRole } from '../../storage/model/permissions.ts'
import type { SessionInfo } from '../../storage/sessions.ts'
import { userShape } from './shapes.ts'
import { assignmentWayField } from './together.ts'
import { presentUser } from './user.ts'

const id = z.string().describe('opaque id')
const instant = z.iso.datetime().describe('ISO 8601, UTC')
const ids = z.array(z.string())

export const permissionField = z.enum(permissions)

export const personShape = userShape.extend({
  capacity: z.int().describe('how many open conversations they are given at most'),
  skills: z.array(z.string()),
  channel_ids: ids.nullable().describe('the channels that they are limited to; null: every one'),
  is_team_limited: z.boolean().describe('sees the conversations of their teams, and of no team, only'),
  team_ids: ids,
  has_totp: z.boolean(),
  seen_at: instant.nullable(),
  disabled_at: instant.nullable(),
  created_at: instant,
})

export const invitationShape = z.object({
  ...{ id, email: z.string(), role: z.string(), channel_ids: ids.nullable(), is_team_limited: z.boolean() },
  ...{ team_ids: ids, created_by: id.nullable(), created_at: instant, expires_at: instant },
})

/** `url` is shown once, here. */
export const linkShape = z.object({ id, url: z.string().describe('shown only now'), expires_at: instant })

export const linkContentShape = z.object({
  kind: z.enum(['invitation', 'password']),
  email: z.string(),
  account: z.string().describe('the name of the account'),
})

export const roleShape = z.object({
  id: z.string().describe('the name of a built-in role, or an id'),
  name: z.string(),
  is_built_in: z.boolean(),
  permissions: z.array(permissionField),
  requires_totp: z.boolean().describe('nobody with this role works without a second factor'),
  user_count: z.int(),
})

export const teamShape = z.object({
  ...{ id, name: z.string(), member_ids: ids },
  assignment: assignmentWayField.describe('how its conversations are given out'),
  skills: z.array(z.string()).describe('what whoever is given one must have among their skills'),
})

export const ownSessionShape = z.object({
  ...{ id, address: z.string().nullable(), agent: z.string().nullable(), created_at: instant, seen_at: instant },
  is_current: z.boolean(),
})

export const tokenShape = z.object({
  ...{ id, name: z.string() },
  scopes: z.array(permissionField).nullable().describe('null: all that you may do'),
  ...{
    created_at: instant,
    used_at: instant.nullable(),
    expires_at: instant.nullable(),
    revoked_at: instant.nullable(),
  },
})

export const newTokenShape = tokenShape.extend({ token: z.string().describe('shown only now') })

const fields = z.record(z.string(), z.unknown())

export const auditEntryShape = z.object({
  sequence: z.int(),
  at: instant,
  actor: z.object({ id: id.nullable(), name: z.string() }),
  action: z.string(),
  subject: z.object({ type: z.string(), id: z.string().nullable(), name: z.string().nullable() }),
  via: z.string().describe('the beginning of a session’s name, or the id of a token'),
  address: z.string().nullable(),
  agent: z.string().nullable(),
  request_id: z.string().nullable(),
  before: fields,
  after: fields,
})

export const chainShape = z.object({
  is_whole: z.boolean().describe('no entry was changed or removed'),
  count: z.int(),
  broken_at: z.int().nullable().describe('the first entry that is missing or not as it was written'),
  head_hash: z
    .string()
    .nullable()
    .describe('of the newest entry: noted elsewhere, it proves that the log was not made anew'),
})

export type PersonJson = z.infer<typeof personShape>
export type InvitationJson = z.infer<typeof invitationShape>
export type LinkJson = z.infer<typeof linkShape>
export type LinkContentJson = z.infer<typeof linkContentShape>
export type RoleJson = z.infer<typeof roleShape>
export type TeamJson = z.infer<typeof teamShape>
export type OwnSessionJson = z.infer<typeof ownSessionShape>
export type TokenJson = z.infer<typeof tokenShape>
export type NewTokenJson = z.infer<typeof newTokenShape>
export type AuditEntryJson = z.infer<typeof auditEntryShape>
export type ChainJson = z.infer<typeof chainShape>

/** @param teams the members of each team by its id */
export const presentPerson = (user: User, teams: ReadonlyMap<string, readonly string[]>): PersonJson => ({
  ...presentUser(user),
  capacity: user.capacity,
  skills: [...user.skills],
  channel_ids: user.channelIds && [...user.channelIds],
  is_team_limited: user.isTeamLimited,
  team_ids: [...teams].flatMap(([team, members]) => (members.includes(user.id) ? team : [])),
  has_totp: user.hasTotp,
  seen_at: user.seenAt?.toISOString() ?? null,
  disabled_at: user.disabledAt?.toISOString() ?? null,
  created_at: user.createdAt.toISOString(),
})

export const presentInvitation = (invitation: Invitation): InvitationJson => ({
  id: invitation.id,
  email: invitation.email,
  role: invitation.role,
  channel_ids: invitation.channelIds && [...invitation.channelIds],
  is_team_limited: invitation.isTeamLimited,
  team_ids: [...(invitation.teamIds ?? [])],
  created_by: invitation.createdBy,
  created_at: invitation.createdAt.toISOString(),
  expires_at: invitation.expiresAt.toISOString(),
})

/** The built-in roles first. */
export function presentRoles(
  own: readonly CustomRole[],
  needingTotp: readonly string[],
  counts: ReadonlyMap<string, number>,
): RoleJson[] {
  const builtIn = builtInRoles.map((name) => ({
    id: name,
    name,
    permissions: permissionsOfRole[name],
  }))
  return [...builtIn, ...own].map((role, index) => ({
    id: role.id,
    name: role.name,
    is_built_in: index < builtIn.length,
    permissions: [...role.permissions],
    requires_totp: needingTotp.includes(role.id),
    user_count: counts.get(role.id) ?? 0,
  }))
}

export const presentTeam = (team: Team, members: ReadonlyMap<string, readonly string[]>): TeamJson => ({
  id: team.id,
  name: team.name,
  member_ids: [...(members.get(team.id) ?? [])],
  assignment: team.assignment,
  skills: [...team.skills],
})

export const presentOwnSession = (session: SessionInfo, currentId: string | undefined): OwnSessionJson => ({
  id: session.id,
  address: session.address,
  agent: session.agent,
  created_at: session.createdAt.toISOString(),
  seen_at: session.seenAt.toISOString(),
  is_current: session.id === currentId,
})

export const presentToken = (token: Token): TokenJson => ({
  id: token.id,
  name: token.name,
  scopes: token.scopes && [...token.scopes],
  created_at: token.createdAt.toISOString(),
  used_at: token.usedAt?.toISOString() ?? null,
  expires_at: token.expiresAt?.toISOString() ?? null,
  revoked_at: token.revokedAt?.toISOString() ?? null,
})

export const presentAuditEntry = (entry: AuditEntry): AuditEntryJson => ({
  sequence: entry.sequence,
  at: entry.at.toISOString(),
  actor: { id: entry.by.userId, name: entry.by.name },
  action: entry.action,
  subject: { type: entry.subject.type, id: entry.subject.id, name: entry.subject.name ?? null },
  via: entry.by.via,
  address: entry.by.address ?? null,
  agent: entry.by.agent ?? null,
  request_id: entry.by.requestId ?? null,
  before: { ...entry.before },
  after: { ...entry.after },
})
