/** How X limits what is said (X API: rate limits; direct messages: manage; posts: manage). */
import type { Allowances, CallUse } from '../connector.ts'

const quarterMs = 15 * 60_000
const dayMs = 24 * 3_600_000

/** By the endpoint, as its answers' headers are noted. */
const endpoints: readonly (readonly [string, readonly CallUse[]])[] = [
  ['POST /2/dm_conversations/with/:id/messages', ['direct', 'private_reply']],
  ['POST /2/tweets', ['public', 'post']],
]

export const xAllowances: Allowances = {
  known: [
    { name: 'POST /2/dm_conversations/with/:id/messages', limit: 15, windowMs: quarterMs },
    { name: 'POST /2/dm_conversations/with/:id/messages (24 h)', limit: 1_440, windowMs: dayMs },
    { name: 'POST /2/dm_conversations/with/:id/messages (app, 24 h)', limit: 1_440, windowMs: dayMs },
    { name: 'POST /2/tweets', limit: 100, windowMs: quarterMs },
    { name: 'POST /2/tweets (app, 24 h)', limit: 10_000, windowMs: dayMs },
  ],
  about(name) {
    const uses = endpoints.find(([endpoint]) => name === endpoint || name.startsWith(`${endpoint} (`))?.[1]
    return uses && { uses, isOfApp: name.endsWith('(app, 24 h)') }
  },
  spent: {
    88: { of: 'channel', until: 'soon' },
    355: { of: 'channel', until: 'soon' },
    http_429: { of: 'channel', until: 'soon' },
    'rate-limit-exceeded': { of: 'channel', until: 'soon' },
    'usage-capped': { of: 'app', until: 'month' },
  },
}
