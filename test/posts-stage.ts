/** The stage of the tests of posts: a site with an API, the networks played beside it, and backend workers that publish. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fireDue } from '../backend/due.ts'
import { createApp, createChannel } from '../backend/networks.ts'
import { occurrenceKinds } from '../backend/occurrence-kinds.ts'
import { publishDue, startPublishing } from '../backend/publish.ts'
import { newId } from '../infra/ids.ts'
import type { Running } from '../infra/lifecycle.ts'
import { silentLogger } from '../infra/logger.ts'
import type { Connector } from '../messaging/connectors/connector.ts'
import { startSandbox } from '../messaging/sandbox/server.ts'
import type { Sandbox } from '../messaging/sandbox/server.ts'
import { openStorage } from '../storage/index.ts'
import type { Storage } from '../storage/index.ts'
import { photo } from './pictures.ts'
import { until } from './platform.ts'
import { openSite } from './web-site.ts'
import type { PlannedPostJson, PostStepJson, PublicationJson } from '../web/presenters/post-shapes.ts'
import type { Node, Person, Site } from './web-site.ts'

export const pageExternalId = '1122334455'
export const instagramExternalId = '17841400000000001'
export const xExternalId = '1400000000000000001'

/** What may stand in an answer: a post, a list, a problem; what is not there fails the expectation. */
export interface Said extends Omit<PlannedPostJson, 'channels'> {
  readonly channels: readonly [PublicationJson, ...PublicationJson[]]
  readonly items: readonly (PlannedPostJson & PostStepJson)[]
  readonly next_cursor: string | null
  readonly code: string
  readonly faults: readonly { readonly field: string }[]
}

export interface Stage extends Pick<Site, 'config' | 'storage' | 'ana' | 'ben' | 'zoe'> {
  readonly site: Site
  readonly web: Node
  readonly sandbox: Sandbox
  readonly metaAppId: string
  readonly pageId: string
  readonly instagramId: string
  readonly xId: string
  /** Somebody of Ana's account; `channelIds`: limited to these. */
  addPerson(name: string, role: string, channelIds?: readonly string[]): Promise<Person>
  /** Asks the API; the answer must have this status. */
  ask(person: Person, status: number, method: string, path: string, body?: unknown): Promise<Said>
  control(method: string, path: string, body?: unknown): Promise<Record<string, unknown>>
  /** What everybody sees on this channel of ours. */
  page(channel: string): Promise<readonly { text: string; external_id: string }[]>
  /** Composes with a picture of its own, which may show twice, unlike the same words. */
  compose(more: object, words?: string): Promise<Said>
  /** The post once it is so; by its channels it may be in any other state before. */
  until(id: string, state: string): Promise<Said>
  /** One look at what is due, by a worker that is not there otherwise. */
  publishOnce(postId: string, played?: Connector): Promise<void>
  /** Time goes by for attempts, look-ups and whoever holds a publication. */
  passWorkTime(postId: string, ms: number): Promise<void>
  /** A worker with a storage of its own; stopped with the stage. */
  addWorker(): Promise<Running>
  /** Lets the time come that a post waits for: its clock is turned back. */
  passTime(postId: string, ms: number): Promise<void>
  /** Fires what is due, as each backend node does each second. */
  fire(): Promise<number>
  close(): Promise<void>
}

export async function openStage(): Promise<Stage> {
  const home = mkdtempSync(join(tmpdir(), 'posts-'))
  const sandbox = await startSandbox({ config: { home, listen: { host: '127.0.0.1', port: 0 } }, logger: silentLogger })
  const base = `http://127.0.0.1:${String(sandbox.port)}`
  const site = await openSite({ PARLEY_NETWORK_HOSTS: new URL(base).host })
  const { storage, config, ana } = site
  const web = await site.addNode()
  // Instagram fetches every file from us.
  const reachable = { ...config, publicUrl: web.url }
  const control: Stage['control'] = async (method, path, body) => {
    const answer = await fetch(`${base}/control/${path}`, {
      method,
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    const json = (await answer.json()) as Record<string, unknown>
    if (!answer.ok) throw new Error(`${method} ${path}: ${JSON.stringify(json)}`)
    return json
  }
  const nowhere = 'http://127.0.0.1:9/webhooks'
  await control('PUT', 'apps', {
    network: 'meta',
    app_id: '99',
    secrets: ['meta-secret'],
    verify_token: 'verify',
    webhook_url: nowhere,
  })
  await control('PUT', 'apps', {
    network: 'x',
    app_id: '98',
    secrets: ['x-secret'],
    consumer_key: 'x-key',
    webhook_url: nowhere,
  })
  await control('PUT', 'channels', {
    type: 'facebook',
    external_id: pageExternalId,
    name: 'Harbour',
    access_token: 'page-token',
    app_id: '99',
  })
  await control('PUT', 'channels', {
    type: 'x', external_id: xExternalId, name: 'Harbour', handle: 'harbour', access_token: 'x-token', access_token_secret: 'x-token-secret', app_id: '98',
  }) // prettier-ignore
  await control('PUT', 'channels', {
    type: 'instagram', external_id: instagramExternalId, name: 'Harbour', handle: 'harbour', access_token: 'page-token', app_id: '99', page_id: pageExternalId,
  }) // prettier-ignore
  const metaId = await createApp(storage, config, ana.accountId, {
    network: 'meta',
    name: 'Meta',
    externalId: '99',
    secrets: ['meta-secret'],
    verifyToken: 'verify',
    apiBaseUrl: base,
  })
  const xAppId = await createApp(storage, config, ana.accountId, {
    network: 'x',
    name: 'X',
    externalId: '98',
    secrets: ['x-secret'],
    consumerKey: 'x-key',
    apiBaseUrl: base,
  })
  const channel = (
    appId: string,
    type: 'facebook' | 'instagram' | 'x',
    externalId: string,
    credentials: Record<string, string>,
  ) => createChannel(storage, config, ana.accountId, { appId, type, name: 'Harbour', externalId, credentials })
  const instagramId = await channel(metaId, 'instagram', instagramExternalId, { access_token: 'page-token' })
  const pageId = await channel(metaId, 'facebook', pageExternalId, { access_token: 'page-token' })
  const xId = await channel(xAppId, 'x', xExternalId, {
    access_token: 'x-token',
    access_token_secret: 'x-token-secret',
  })
  const workers: { readonly running: Running; readonly storage: Storage }[] = []
  const stage: Stage = {
    ...site,
    site,
    web,
    sandbox,
    metaAppId: metaId,
    pageId,
    instagramId,
    xId,
    control,
    async addPerson(name, role, channelIds) {
      const { accountId } = ana
      const email = `${name.toLowerCase()}@posts.example`
      return storage.write(async (tx) => {
        const limit = channelIds === undefined ? {} : { channelIds }
        const userId = await storage.users.create(tx, { accountId, email, name, role, passwordHash: null, ...limit })
        const { text } = await storage.tokens.create(tx, { accountId, userId, name: 'test' })
        return { accountId, userId, email, token: text }
      })
    },
    async ask(person, status, method, path, body) {
      const answer = await web.ask(person, method, path, body)
      if (answer.status !== status)
        throw new Error(`${method} ${path}: ${String(answer.status)} ${JSON.stringify(answer.json)}`)
      return answer.json as Said
    },
    async page(channelId) {
      const { items } = (await control('GET', `ledger?channel=${channelId}`)) as {
        items: { text: string; external_id: string; direction: string; kind: string; at: string }[]
      }
      return items.filter(({ direction, kind }) => direction === 'outbound' && kind === 'post')
    },
    async compose(more, words = `Picture ${newId()}`) {
      const { url } = web
      const picture = await photo(40, 30)
      const answer = await fetch(`${url}/api/v1/documents`, {
        method: 'POST',
        headers: { authorization: `Bearer ${ana.token}`, 'content-type': 'image/jpeg' },
        body: new Uint8Array(picture),
      })
      const { id } = (await answer.json()) as { id: string }
      const files = [{ document_id: id, alt_text: 'A ferry' }]
      return stage.ask(ana, 201, 'POST', '/posts', {
        text: words,
        channel_ids: [pageId],
        files,
        state: 'publishing',
        ...more,
      })
    },
    until(id, state) {
      return until(async () => {
        const post = await stage.ask(ana, 200, 'GET', `/posts/${id}`)
        return (post.state === state || post.channels[0].state === state) && post
      }, 20_000)
    },
    async publishOnce(postId, played) {
      const [publication] = await storage.publications.ofPosts(storage.primary, ana.accountId, [postId])
      if (publication === undefined) throw new Error('it has no channel')
      const context = { storage, config: reachable, logger: silentLogger, holder: newId() }
      await publishDue(
        { ...context, ...(played !== undefined && { connectorOf: () => played }) },
        publication,
        new AbortController().signal,
      )
    },
    async passWorkTime(postId, ms) {
      const back = (column: string) => `${column} = ${column} - interval ? microsecond`
      const place = [ana.accountId, postId]
      const us = ms * 1000
      await storage.write(async (tx) => {
        await tx.run(
          `update publications set ${back('next_attempt_at')}, ${back('expires_at')} where account_id = ? and planned_post_id = ?`,
          [us, us, ...place],
        )
        await tx.run(
          `update publication_attempts set ${back('started_at')}, ${back('finished_at')} where account_id = ? and publication_id in (select id from publications where planned_post_id = ?)`,
          [us, us, ...place],
        )
      })
    },
    async addWorker() {
      const own = await openStorage(config, silentLogger)
      const running = startPublishing({ storage: own, config: reachable, logger: silentLogger, holder: newId() })
      workers.push({ running, storage: own })
      return running
    },
    async passTime(postId, ms) {
      await storage.write(async (tx) => {
        const back = [ms * 1000, ana.accountId, postId]
        await tx.run(
          'update planned_posts set publish_at = publish_at - interval ? microsecond where account_id = ? and id = ?',
          back,
        )
        await tx.run(
          'update publications set due_at = due_at - interval ? microsecond where account_id = ? and planned_post_id = ?',
          back,
        )
        await tx.run(
          'update occurrences set due_at = due_at - interval ? microsecond, next_try_at = next_try_at - interval ? microsecond where account_id = ? and subject_id = ?',
          [ms * 1000, ...back],
        )
      })
    },
    fire: () => fireDue({ storage, logger: silentLogger, node: 'node-1' }, occurrenceKinds),
    async close() {
      for (const { running, storage: own } of workers) {
        await running.stop()
        await own.close()
      }
      await site.close()
      await sandbox.stop()
      rmSync(home, { recursive: true })
    },
  }
  return stage
}

/** An instant so many milliseconds from now. */
export const inMs = (ms: number): string => new Date(Date.now() + ms).toISOString()
