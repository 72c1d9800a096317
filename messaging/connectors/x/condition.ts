/** How an X account stands (`GET /2/users/me`): by X's codes, and by the rights that the token carries. */
import type { ChannelAccess, ChannelCondition } from '../connector.ts'
import { fieldsOf, instantOf } from '../reading.ts'
import { callX, isOAuth1 } from './api.ts'
import { nameOf } from './people.ts'

const needed = ['tweet.read', 'tweet.write', 'users.read', 'dm.read', 'dm.write'] as const

/** Never throws; what cannot be found out now is `degraded`. */
export async function examineX(channel: ChannelAccess, signal: AbortSignal): Promise<ChannelCondition> {
  const tokenExpiresAt = instantOf(channel.credentials.expires_at)
  const condition = (
    state: ChannelCondition['state'],
    code?: string,
    reason?: string,
    missingPermissions: readonly string[] = [],
  ): ChannelCondition => ({ state, code, reason, tokenExpiresAt, missingPermissions })

  const result = await callX(channel, { method: 'GET', path: '/2/users/me' }, signal)
  if (!result.ok) {
    const { outcome } = result
    // How often we may ask says nothing about the channel.
    if (outcome.type === 'retry' && (outcome.code === 'http_429' || outcome.code === '88'))
      return condition('connected')
    if (outcome.type !== 'refused')
      return condition('degraded', outcome.code, `X cannot be asked now: ${outcome.reason}`)
    if (outcome.class === 'token')
      return condition(
        'reconnect_needed',
        outcome.code,
        'X does not take the token any more. Connect the account again.',
      )
    return condition('degraded', outcome.code, cures[outcome.code] ?? `X restricts the account: ${outcome.reason}`)
  }
  const id = nameOf(fieldsOf(fieldsOf(result.json).data).id)
  if (id !== undefined && id !== channel.externalId)
    return condition(
      'reconnect_needed',
      'other_account',
      'The token is that of another account. Connect this one again.',
    )
  const missing = missingOf(channel, result.headers['x-access-level'])
  return missing.length === 0
    ? condition('connected')
    : condition(
        'reconnect_needed',
        'permissions',
        'The token lacks rights. Connect the account again and allow all of them.',
        missing,
      )
}

const cures: Readonly<Record<string, string>> = {
  'usage-capped': 'The app has used up its monthly cap. Raise it in the developer portal, or wait for the next period.',
  '326': 'X has locked the account. Sign in to X and unlock it.',
  '64': 'X has suspended the account. Appeal in X.',
  'client-forbidden': 'The app is not allowed to do this. Check its project and its access in the developer portal.',
}

/** OAuth 2 tells the scopes with the token; OAuth 1.0a tells the level of access in a header of each answer. */
function missingOf(channel: ChannelAccess, level: string | undefined): readonly string[] {
  if (isOAuth1(channel)) {
    if (level === undefined || level === 'read-write-directmessages') return []
    return level === 'read-write' ? ['dm.read', 'dm.write'] : ['tweet.write', 'dm.read', 'dm.write']
  }
  const { scope } = channel.credentials
  if (scope === undefined) return []
  const given = new Set(scope.split(/\s+/))
  return needed.filter((one) => !given.has(one))
}
