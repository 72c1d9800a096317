/** One thing of each kind that an account has, by the first word of its addresses: what another account must not find. */
import { expect } from 'vitest'
import { newId } from '../infra/ids.ts'
import { z } from 'zod'
import { beginConversation, password } from './web-site.ts'
import type { connectChannels, Node, Site } from './web-site.ts'

export interface Owned {
  readonly site: Site
  readonly node: Node
  readonly keys: Awaited<ReturnType<typeof connectChannels>>
  readonly conversation: Awaited<ReturnType<typeof beginConversation>>
}

const withId = z.object({ id: z.string() })

/** Makes one that belongs to Ana or her account; its id. Undefined: no kind of that name is known here. */
export async function ownThing(noun: string, { site, node, keys, conversation }: Owned): Promise<string | undefined> {
  const { storage } = site
  const { accountId, userId } = site.ana
  const ask = async (path: string, body: unknown): Promise<string> => {
    const { status, json } = await node.ask(site.ana, 'POST', path, body)
    expect([path, status < 300]).toEqual([path, true])
    return withId.parse(json).id
  }
  const name = newId()
  const makers: Readonly<Record<string, () => Promise<string> | string>> = {
    apps: () => keys.metaId,
    channels: () => keys.pageId,
    conversations: () => conversation.id,
    messages: () => conversation.messageId,
    contacts: () => conversation.contactId,
    users: () => site.ben.userId,
    posts: () => ask('/posts', { text: 'Two more boats', channel_ids: [keys.pageId] }),
    labels: () => ask('/labels', { name }),
    views: () => ask('/views', { name: 'Boats', filter: { status: ['open'] }, is_for_all: true }),
    'bulk-jobs': () => ask('/conversations/bulk', { ids: [conversation.id], change: { priority: 'low' } }),
    rules: () =>
      ask('/rules', {
        name,
        trigger: { type: 'message.received' },
        conditions: { all: [] },
        acts: [{ do: 'priority', priority: 'low' }],
      }),
    'canned-replies': () => ask('/canned-replies', { shortcut: name.slice(-12), name, text: 'On its way' }),
    macros: () => ask('/macros', { name, scope: 'all', acts: [{ do: 'priority', priority: 'low' }] }),
    segments: () => ask('/segments', { name, filter: {} }),
    async publications() {
      const post = await node.ask(site.ana, 'POST', '/posts', { text: 'One boat more', channel_ids: [keys.pageId] })
      return z.object({ channels: z.array(withId) }).parse(post.json).channels[0]?.id ?? ''
    },
    async merges() {
      const survivor = await beginConversation(site, accountId, keys.pageId, `A ${name}`)
      const other = await beginConversation(site, accountId, keys.pageId, `B ${name}`)
      return ask(`/contacts/${survivor.contactId}/merge`, { other_id: other.contactId })
    },
    roles: () => storage.write((tx) => storage.roles.create(tx, { accountId, name, permissions: [] })),
    teams: () => storage.write((tx) => storage.teams.create(tx, { accountId, name })),
    tokens: async () => (await storage.write((tx) => storage.tokens.create(tx, { accountId, userId, name }))).id,
    async sessions() {
      await node.ask(undefined, 'POST', '/session', { email: site.ana.email, password })
      return (await storage.sessions.list(accountId, userId))[0]?.id ?? ''
    },
    async invitations() {
      const link = { accountId, userId: null, email: `${name}@nowhere.example`, role: 'agent', createdBy: userId }
      const limits = { channelIds: null, isTeamLimited: false, teamIds: null, ttlMs: 60_000 }
      return (await storage.write((tx) => storage.invitations.create(tx, { ...link, ...limits }))).id
    },
    async documents() {
      const file = { accountId, digest: 'a'.repeat(64), name: null, contentType: 'text/plain', size: 1 }
      return (await storage.write((tx) => storage.documents.create(tx, file))).id
    },
    attachments: () =>
      storage.write(async (tx) => {
        const place = { accountId, messageId: conversation.messageId }
        await storage.attachments.insert(tx, [{ ...place, position: 0, kind: 'image', url: 'https://a.example/' }])
        return (await storage.attachments.ofMessages(tx, accountId, [place.messageId]))[0]?.id ?? ''
      }),
    async received() {
      const id = newId()
      const body = { id, accountId, appId: keys.metaId, body: Buffer.from('{}'), receivedAt: new Date() }
      await storage.write((tx) => storage.received.keepPending(tx, body))
      return id
    },
    async 'dead-letters'() {
      const letter = { queue: 'inbound', messageId: `m-${accountId}`, body: Buffer.from('x'), properties: { account: accountId } } as const // prettier-ignore
      await storage.write((tx) =>
        storage.parked.keep(tx, { ...letter, tries: 8, state: 'dead', delayMs: 0, lastError: 'no' }),
      )
      return (await storage.parked.list(storage.primary, 'dead', 1))[0]?.id ?? ''
    },
    async connect() {
      const wish = { appId: keys.metaId, type: 'facebook' as const, redirectUri: 'http://here', ttlMs: 60_000 }
      await storage.write(async (tx) => {
        const attempt = { ...wish, id: name, accountId, userId, state: name, binding: 'session', data: '' }
        await storage.connectAttempts.begin(tx, storage, attempt)
        await storage.connectAttempts.offer(tx, storage, name, '[]', 60_000)
      })
      return name
    },
  }
  return makers[noun]?.()
}
