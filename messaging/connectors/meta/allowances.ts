/**
 * How Meta limits what is said: shares of what a period allows, told in every answer (Graph API: rate limiting), and numbers
 * (Messenger Platform: rate limiting; Instagram: private replies).
 */
import type { Allowances, CallUse } from '../connector.ts'

const all: readonly CallUse[] = ['direct', 'public', 'private_reply', 'post']

/** By what `X-Business-Use-Case-Usage` calls them; of others (advertisements) nothing is said here. */
const business: Readonly<Record<string, readonly CallUse[]>> = {
  messenger: ['direct', 'private_reply'],
  pages: ['public', 'post'],
  instagram: all,
  whatsapp: ['direct'],
  business: all,
}

const channel = { of: 'channel', until: 'soon' } as const
// prettier-ignore
const spent: Allowances['spent'] = {
  4: { of: 'app', until: 'soon' },
  17: channel, 32: channel, 341: channel, 613: channel, 80001: channel, 80002: channel, 80006: channel, 80007: channel, 130429: channel, http_429: channel,
}

const about: Allowances['about'] = (name) => {
  if (name === 'app') return { uses: all, isOfApp: true }
  if (name === privateReplies.name) return { uses: ['private_reply'], isOfApp: false }
  const uses = business[name]
  return uses && { uses, isOfApp: false }
}

const privateReplies = { name: 'private replies', limit: 750, windowMs: 3_600_000 }

/** Pages and Instagram. */
export const pageAllowances: Allowances = { known: [privateReplies], about, spent }
export const whatsappAllowances: Allowances = { known: [], about, spent }
