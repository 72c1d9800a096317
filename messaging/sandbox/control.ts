/** The control interface: what a demonstration or a test does to the networks. Loopback only, so no one is asked who he is. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { z } from 'zod'
import { Problem } from '../../infra/errors.ts'
import { readJson } from '../connectors/reading.ts'
import {
  appShape,
  channelShape,
  personShape,
  saidShape,
  faultShape,
  settingsShape,
  advanceShape,
  rawShape,
  oneChannelShape,
  subscriptionShape,
  readShape,
} from './control-shapes.ts'
import { burstSchema, runBurst } from './burst.ts'
import type { Progress } from './burst.ts'
import { baseOf, keepMedia } from './media.ts'
import { isSubscribed, setSubscribed } from './subscriptions.ts'
import { xRevoke } from './wire-x.ts'
import type { XLimits } from './x-limits.ts'
import { setSubscribedOf, subscribedOf } from './x-subscriptions.ts'
import { killTokens } from './x-tokens.ts'
import { firstPost, markRead, say, tell } from './customers.ts'
import type { Stage } from './customers.ts'
import type { Answer, Request } from './http.ts'
import type { Marks, SandboxChannel, SandboxType, Utterance } from './world.ts'

type Act = (request: Request) => Answer | Promise<Answer>

/** Answers `/control/...`; `undefined` when there is no such call. */
export function openControl(
  stage: Stage,
  limits: XLimits,
  signal: AbortSignal,
): (request: Request) => Promise<Answer | undefined> {
  const { world, webhooks, faults } = stage
  const ok = (json: unknown, status = 200): Answer => ({ status, json })
  let lastBurst: Progress | undefined

  const acts: Readonly<Record<string, Act>> = {
    async 'PUT /control/apps'(request) {
      const given = parse(appShape, request)
      world.putApp(given)
      return ok(await webhooks.verify(given))
    },
    'PUT /control/channels'(request) {
      const { post, ...given } = parse(channelShape, request)
      if (!world.apps.has(given.app_id)) throw new Problem(422, 'invalid', 'The app must be put first.')
      world.putChannel(given)
      let demo = firstPost(world, given.external_id)
      const words = post ?? demoPosts[given.type]
      if (demo === undefined && words !== undefined) {
        demo = world.say({
          type: given.type,
          channel: given.external_id,
          person: '',
          direction: 'outbound',
          kind: 'post',
          text: words,
        })
        void tell(stage, [demo])
      }
      return ok({ external_id: given.external_id, post_id: demo?.external_id ?? null })
    },
    'POST /control/people'(request) {
      const given = parse(personShape, request)
      world.putPerson(given)
      return ok({ id: given.id }, 201)
    },
    async 'POST /control/say'(request) {
      const given = parse(saidShape, request)
      needChannel(given.channel, given.type)
      const { media, media_expires_ms, ...told } = given
      const picture =
        media === undefined
          ? told.picture
          : keepMedia(stage, baseOf(request), { ...told, kind_of_media: media }, media_expires_ms)
      const { utterance, delivered } = say(stage, { ...told, picture })
      // The answer waits for the first try, so that a script may go on from there; never long.
      await Promise.race([delivered, sleep(2_000, undefined, { ref: false })])
      return ok(
        { external_id: utterance.external_id, post_id: utterance.post_id ?? null, occurred_at: utterance.at },
        201,
      )
    },
    /** The owner withdraws what he allowed: every token dies, and X says so. */
    async 'POST /control/revoke'(request) {
      const found = needChannel(parse(oneChannelShape, request).channel)
      killTokens(world, found)
      const app = world.apps.get(found.app_id)
      if (app !== undefined && found.type === 'x') await webhooks.post(app, xRevoke(world, app, found.external_id))
      return ok({})
    },
    'PUT /control/subscriptions'(request) {
      const { channel: id, is_on } = parse(subscriptionShape, request)
      const found = needChannel(id)
      if (found.type !== 'x') setSubscribed(world, id, is_on)
      else setSubscribedOf(world, id, is_on ? undefined : { aaa: false, activity: [] })
      return ok({})
    },
    /** Whether the network tells of the channel; of X also in which forms. */
    'GET /control/subscriptions'(request) {
      const found = needChannel(request.url.searchParams.get('channel') ?? '')
      const app = world.apps.get(found.app_id)
      if (found.type !== 'x' || app === undefined) return ok({ is_on: isSubscribed(world, found.external_id) })
      const { aaa, activity } = subscribedOf(world, app, found.external_id)
      return ok({ is_on: aaa || activity.length > 0, aaa, types: activity.map(({ event_type }) => event_type) })
    },
    async 'POST /control/read'(request) {
      const given = parse(readShape, request)
      await Promise.race([markRead(stage, given.channel, given.person), sleep(500, undefined, { ref: false })])
      return ok({})
    },
    'GET /control/ledger': (request) => ok({ items: listLedger(request.url.searchParams) }),
    'GET /control/acts': ({ url }) =>
      ok({
        items: world.acts.filter(
          ({ channel, seq }) =>
            seq > (Number(url.searchParams.get('after')) || 0) &&
            [null, channel].includes(url.searchParams.get('channel')),
        ),
      }),
    'GET /control/world': () =>
      ok({
        apps: [...world.apps.values()].map(({ network, app_id, webhook_url }) => ({
          network,
          app_id,
          webhook_url,
          verified: webhooks.isVerified(app_id),
        })),
        channels: [...world.channels.values()].map(
          ({ access_token: _token, access_token_secret: _secret, ...shown }) => ({
            ...shown,
            post_id: firstPost(world, shown.external_id)?.external_id ?? null,
          }),
        ),
        people: [...world.people.values()].slice(0, 200),
        faults: faults.list,
        webhooks_pending: webhooks.pending,
      }),
    'GET /control/faults': () => ok({ items: faults.list }),
    'POST /control/faults'(request) {
      faults.set(parse(faultShape, request))
      return ok({ items: faults.list })
    },
    'DELETE /control/faults'() {
      faults.clear()
      return ok({ items: [] })
    },
    'PUT /control/settings'(request) {
      const given = parse(settingsShape, request)
      if (given.retry_ms !== undefined) webhooks.retryMs = given.retry_ms
      if (given.receipts !== undefined) stage.hasReceipts = given.receipts
      if (given.course !== undefined) webhooks.course = given.course
      if (given.speed !== undefined) stage.clock.setSpeed(given.speed)
      if (given.x_plan !== undefined) world.note('x.plan', given.x_plan)
      if (typeof given.x_limits === 'string') limits.mode = given.x_limits
      limits.own = typeof given.x_limits === 'object' ? given.x_limits : given.x_limits === undefined ? limits.own : {}
      return ok({
        retry_ms: webhooks.retryMs,
        receipts: stage.hasReceipts,
        course: webhooks.course,
        speed: stage.clock.speed,
      })
    },
    async 'POST /control/deliver'(request) {
      const given = parse(rawShape, request)
      const known = world.apps.get(given.app_id)
      if (known === undefined) throw new Problem(404, 'not_found', 'There is no such app.')
      const bytes =
        given.body_base64 !== undefined
          ? Buffer.from(given.body_base64, 'base64')
          : Buffer.from(typeof given.body === 'string' ? given.body : JSON.stringify(given.body ?? null))
      return ok(await webhooks.deliverRaw(known, bytes, given.headers))
    },
    'GET /control/webhooks': (request) =>
      ok({
        pending: webhooks.pending,
        counts: webhooks.counts,
        consequences: webhooks.standing.consequences.slice(-200),
        items: webhooks.attempts.slice(-(Number(request.url.searchParams.get('limit')) || 200)),
      }),
    'POST /control/burst'(request) {
      const given = parse(burstSchema, request)
      const wanted = given.channels ?? (given.channel === undefined ? [...world.channels.keys()] : [given.channel])
      const channels = wanted.map((id) => needChannel(id))
      const total = given.messages * given.times
      const progress = { said: 0, told: 0, total, is_over: false, started_at: new Date().toISOString() }
      lastBurst = progress
      void runBurst(stage, channels, given, progress, signal)
      return ok({ messages: given.messages, total, prefix: given.prefix, seed: given.seed }, 202)
    },
    'GET /control/burst': () => ok({ ...lastBurst, pending: webhooks.pending, counts: webhooks.counts }),
    'GET /control/clock': () => ok({ now: new Date(stage.clock.now()).toISOString(), speed: stage.clock.speed }),
    'POST /control/clock'(request) {
      stage.clock.advance(parse(advanceShape, request).ms)
      return ok({ now: new Date(stage.clock.now()).toISOString(), speed: stage.clock.speed })
    },
  }

  function needChannel(id: string, wanted?: SandboxType): SandboxChannel {
    const found = world.channels.get(id)
    if (found !== undefined && (wanted === undefined || found.type === wanted)) return found
    throw new Problem(404, 'not_found', 'There is no such channel in the sandbox.')
  }

  function listLedger(query: URLSearchParams): readonly Utterance[] {
    const channelId = query.get('channel')
    const personId = query.get('person')
    const after = Number(query.get('after')) || 0
    const all =
      channelId !== null && personId !== null
        ? world.between(channelId, personId)
        : world.ledger.filter(
            (one) =>
              (channelId === null || one.channel === channelId) && (personId === null || one.person === personId),
          )
    return all
      .filter((one) => one.seq > after)
      .slice(0, Number(query.get('limit')) || undefined)
      .map((one) => ({ ...one, ...marked(world.marks.get(one.external_id)) }))
  }

  return async (request) => {
    const act = acts[`${request.method} ${request.path}`]
    return act?.(request)
  }
}

/** What has become of it, beside what was said. */
const marked = (marks: Marks | undefined) => (marks === undefined ? {} : { marks })

const demoPosts: Readonly<Partial<Record<SandboxType, string>>> = {
  facebook: 'The night ferry sails again from Friday! Tickets at the harbour office or with us here. ⛴️',
  instagram: 'The night ferry, from Friday. Ask us anything. ⛴️',
  x: 'Night ferry is back from Friday. Ask us anything about tickets and times. ⛴️',
}

function parse<T>(schema: z.ZodType<T>, request: Request): T {
  const parsed = schema.safeParse(readJson(request.body))
  if (parsed.success) return parsed.data
  throw new Problem(
    422,
    'invalid',
    parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; '),
  )
}
