/**
 * What X charges by default, in millionths of a dollar (X API: pay-per-usage pricing, as of April 2026): writes by request, reads
 * by item. What an app really pays stands in its developer console; its own prices come before these.
 */
import type { Pricing } from '../connector.ts'
import { hasLink } from './length.ts'

export const xPricing: Pricing = {
  prices: {
    post: 15_000,
    post_with_link: 200_000,
    dm: 15_000,
    post_read: 5_000,
    dm_read: 10_000,
  },
  kindOf: (use, text) =>
    use === 'direct' || use === 'private_reply' ? 'dm' : hasLink(text) ? 'post_with_link' : 'post',
  readKindOf: (thread) => (thread === 'direct' ? 'dm_read' : 'post_read'),
}
