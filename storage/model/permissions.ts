/** What a user may do: a closed list of permissions, and the roles that bundle them. Imports nothing. */

/** Every permission, `noun.verb`. A route names the one that it needs; a role and a token hold some of them. */
export const permissions = [
  'conversations.read',
  'conversations.reply',
  'conversations.assign',
  'conversations.change',
  'conversations.bulk',
  'notes.write',
  'contacts.read',
  'contacts.edit',
  'contacts.merge',
  'documents.put',
  'posts.read',
  'posts.write',
  'posts.approve',
  'posts.publish',
  'channels.read',
  'channels.manage',
  'apps.manage',
  'received.read',
  'received.replay',
  'users.read',
  'users.manage',
  'roles.manage',
  'teams.manage',
  'rules.manage',
  'canned.manage',
  'labels.manage',
  'views.manage',
  'reports.read',
  'exports.make',
  'imports.make',
  'schedules.manage',
  'audit.read',
  'account.manage',
  'cluster.read',
  'cluster.manage',
] as const
export type Permission = (typeof permissions)[number]

const knownPermissions: ReadonlySet<string> = new Set(permissions)

/** Whether this text names a permission. */
export const isPermission = (text: string): text is Permission => knownPermissions.has(text)

export const builtInRoles = ['administrator', 'supervisor', 'agent', 'viewer'] as const
export type BuiltInRole = (typeof builtInRoles)[number]

/** Whether this role is in the code; any other is the id of an account's own role. */
export const isBuiltInRole = (role: string): role is BuiltInRole => (builtInRoles as readonly string[]).includes(role)

const viewing: readonly Permission[] = [
  'conversations.read',
  'contacts.read',
  'posts.read',
  'channels.read',
  'users.read',
  'reports.read',
]

const answering: readonly Permission[] = [
  ...viewing,
  'conversations.reply',
  'conversations.assign',
  'conversations.change',
  'notes.write',
  'contacts.edit',
  'documents.put',
  'posts.write',
]

const leading: readonly Permission[] = [
  ...answering,
  'conversations.bulk',
  'contacts.merge',
  'posts.approve',
  'posts.publish',
  'rules.manage',
  'canned.manage',
  'labels.manage',
  'views.manage',
  'exports.make',
  'imports.make',
  'schedules.manage',
]

/** What each built-in role may do; an administrator may do everything. */
export const permissionsOfRole: Readonly<Record<BuiltInRole, readonly Permission[]>> = {
  administrator: permissions,
  supervisor: leading,
  agent: answering,
  viewer: viewing,
}

/** What concerns the whole account: whoever is limited to channels or teams has none of it, else they could lift the limit. */
export const accountWide: ReadonlySet<Permission> = new Set([
  'apps.manage',
  'received.read',
  'received.replay',
  'users.manage',
  'roles.manage',
  'teams.manage',
  'rules.manage',
  'audit.read',
  'account.manage',
  'cluster.read',
  'cluster.manage',
])

/**
 * What someone may do at last: what the role gives, less what concerns the whole account where they are limited,
 * and only what the token names where they come with one that names some.
 */
export function effectivePermissions(
  ofRole: readonly Permission[],
  isLimited: boolean,
  ofToken: readonly Permission[] | null = null,
): ReadonlySet<Permission> {
  return new Set(
    ofRole.filter((each) => !(isLimited && accountWide.has(each)) && (ofToken === null || ofToken.includes(each))),
  )
}

/** The permission to hear of facts whose type begins with this word. */
const permissionOfFacts: Readonly<Record<string, Permission>> = {
  app: 'channels.read',
  channel: 'channels.read',
  contact: 'contacts.read',
  post: 'posts.read',
  user: 'users.read',
  team: 'users.read',
  report: 'reports.read',
  export: 'exports.make',
  import: 'imports.make',
  rule: 'rules.manage',
}

/** The permission to hear of a fact of this type, such as `message.received`. */
export const permissionToHear = (type: string): Permission =>
  permissionOfFacts[type.slice(0, Math.max(0, type.indexOf('.')))] ?? 'conversations.read'
