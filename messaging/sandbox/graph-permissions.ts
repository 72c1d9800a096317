/** Whether a token may do something at Meta. */
import type { Stage } from './customers.ts'
import { tokenState } from './graph-channel.ts'
import { graphError } from './graph-error.ts'
import type { Answer } from './http.ts'
import type { SandboxChannel } from './world.ts'

/** The refusal when the token of the channel was granted other permissions; one of which nothing was said may do everything. */
export function lacks(stage: Stage, channel: SandboxChannel, permission: string): Answer | undefined {
  const { scopes } = tokenState(stage, channel.access_token)
  if (scopes === undefined || scopes.includes(permission)) return undefined
  return channel.type === 'facebook'
    ? graphError(200, undefined, `Permissions error: requires ${permission}`, 403)
    : graphError(10, undefined, 'Application does not have permission for this action', 403)
}
