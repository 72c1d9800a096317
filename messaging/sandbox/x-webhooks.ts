/** X's webhook administration: the address and its CRC, subscriptions in both forms, and the replay of what was missed. */
import { fieldsOf, idOf, readJson, textOf } from '../connectors/reading.ts'
import type { Fields } from '../connectors/reading.ts'
import type { Stage } from './customers.ts'
import { register, registrationOf } from './handshake.ts'
import type { Registration } from './handshake.ts'
import type { Answer, Request } from './http.ts'
import { pack, tellingsOf } from './tellings.ts'
import type { SandboxApp, SandboxChannel } from './world.ts'
import { problem } from './x-problems.ts'
import { activityTypes, setSubscribedOf, subscribedOf } from './x-subscriptions.ts'

const minuteMs = 60_000

/** `app`: of a call with a bearer token of its own, or the app of the user who calls. */
export interface Caller {
  readonly app: SandboxApp
  readonly channel: SandboxChannel | undefined
}

/** Answers below `/2/webhooks`, `/2/account_activity` and `/2/activity`; `undefined` for all else. */
export function openXWebhooks(stage: Stage): (request: Request, caller: Caller) => Promise<Answer | undefined> {
  const { world, webhooks } = stage
  let replaying = false

  async function create(app: SandboxApp, body: Fields): Promise<Answer> {
    const url = textOf(body.url)
    if (url === undefined || url.length > 200 || URL.parse(url) === null) return invalid('UrlValidationFailed')
    const known = registrationOf(world, app.app_id)
    if (known !== undefined) return invalid(known.url === url ? 'DuplicateUrlFailed' : 'WebhookLimitExceeded')
    const wished = { ...app, webhook_url: url }
    const { verified } = await webhooks.verify(wished)
    if (!verified) {
      register(world, app.app_id, undefined)
      return invalid('CrcValidationFailed')
    }
    world.putApp(wished)
    return { status: 200, json: { data: registrationOf(world, app.app_id) } }
  }

  async function single(app: SandboxApp, method: string, known: Registration): Promise<Answer> {
    if (method === 'DELETE') {
      register(world, app.app_id, undefined)
      return { status: 200, json: { data: { deleted: true } } }
    }
    const { verified } = await webhooks.verify(app)
    return verified
      ? { status: 200, json: { data: { valid: true } } }
      : { ...invalid('CrcValidationFailed'), headers: { 'x-webhook': known.id } }
  }

  /** Says everything of that time again, in the forms that are subscribed now, and then that it is over. */
  function replay(app: SandboxApp, body: Fields): Answer {
    const known = registrationOf(world, app.app_id)
    const [from, to] = [readStamp(body.from_date), readStamp(body.to_date)]
    const now = stage.clock.now()
    if (known?.id !== idOf(body.webhook_id) || known === undefined) return invalid('WebhookIdInvalid')
    if (from === undefined || to === undefined || from >= to || from < now - 24 * 60 * minuteMs)
      return invalid('QueryParamInvalid')
    if (from > now - 31 * minuteMs || to > now - 10 * minuteMs) return invalid('QueryParamInvalid')
    if (!known.valid) return invalid('CrcValidationFailed')
    if (replaying) return invalid('ReplayConflictError')
    replaying = true
    const job_id = world.newSnowflake()
    void (async () => {
      const before = webhooks.counts.given_up
      const said = world.ledger.filter((one) => {
        const at = Date.parse(one.at)
        return one.type === 'x' && at >= from && at < to && world.channels.get(one.channel)?.app_id === app.app_id
      })
      for (const one of pack(tellingsOf(world, said), 1)) await webhooks.post(one.app, one.body, one.channel, true)
      const isComplete = webhooks.counts.given_up === before
      await webhooks.post(app, {
        replay_job_status: {
          webhook_id: known.id,
          job_state: isComplete ? 'Complete' : 'Incomplete',
          job_state_description: isComplete
            ? 'Job completed successfully'
            : 'Job failed to deliver all events, please retry your replay job',
          job_id,
        },
      })
    })().finally(() => {
      replaying = false
    })
    return { status: 200, json: { data: { job_id, created_at: new Date(now).toISOString() } } }
  }

  function accountActivity(method: string, caller: Caller, parts: readonly string[]): Answer | undefined {
    const [, first = '', webhookId = '', , last = '', list = ''] = parts
    const own = [...world.channels.values()].filter(({ app_id, type }) => app_id === caller.app.app_id && type === 'x')
    const active = own.filter(({ external_id }) => subscribedOf(world, caller.app, external_id).aaa)
    if (first === 'subscriptions')
      return {
        status: 200,
        json: { data: { provisioned_count: '15', subscriptions_count_all: String(active.length) } },
      }
    const known = registrationOf(world, caller.app.app_id)
    if (known?.id !== webhookId) return invalid('WebhookIdInvalid')
    if (last === 'all' && list === 'list')
      return {
        status: 200,
        json: {
          data: {
            webhook_id: known.id,
            webhook_url: known.url,
            subscriptions: active.map(({ external_id }) => ({ user_id: external_id })),
          },
        },
      }
    const user = last === 'all' ? caller.channel?.external_id : last
    if (user === undefined)
      return problem(
        403,
        'Unsupported Authentication',
        'Authenticating with OAuth 2.0 Application-Only is forbidden for this endpoint.',
        'https://api.x.com/2/problems/unsupported-authentication',
      )
    const now = subscribedOf(world, caller.app, user)
    if (method === 'POST' && now.aaa) return invalid('DuplicateSubscriptionFailed')
    if (method !== 'GET') setSubscribedOf(world, user, { ...now, aaa: method === 'POST' })
    return { status: 200, json: { data: { subscribed: method === 'GET' ? now.aaa : method === 'POST' } } }
  }

  function activity(method: string, caller: Caller, id: string, body: Fields): Answer {
    const { app } = caller
    const known = registrationOf(world, app.app_id)
    const own = [...world.channels.values()].filter(({ app_id, type }) => app_id === app.app_id && type === 'x')
    const all = own.flatMap(({ external_id }) =>
      subscribedOf(world, app, external_id).activity.map((one) => ({
        ...one,
        filter: { user_id: external_id },
        webhook_id: known?.id,
      })),
    )
    if (method === 'GET') return { status: 200, json: { data: all, meta: { total_subscriptions: all.length } } }
    if (method === 'DELETE') {
      const found = all.find((one) => one.subscription_id === id)
      if (found === undefined) return invalid('SubscriptionNotFound')
      const { aaa, activity: list } = subscribedOf(world, app, found.filter.user_id)
      setSubscribedOf(world, found.filter.user_id, { aaa, activity: list.filter((one) => one.subscription_id !== id) })
      return { status: 200, json: { data: { deleted: true }, meta: { total_subscriptions: all.length - 1 } } }
    }
    const event_type = textOf(body.event_type) ?? ''
    const user = idOf(fieldsOf(body.filter).user_id) ?? ''
    if (!activityTypes.includes(event_type) || !own.some(({ external_id }) => external_id === user))
      return invalid('InvalidRequest')
    if (known === undefined || idOf(body.webhook_id) !== known.id) return invalid('WebhookIdInvalid')
    if (caller.channel?.external_id !== user)
      return problem(403, 'Forbidden', 'This event type requires authorization by the user.')
    if (all.some((one) => one.event_type === event_type && one.filter.user_id === user))
      return invalid('DuplicateSubscriptionFailed')
    if (stage.faults.take('refuse_code', 'x', user) !== undefined)
      return problem(
        403,
        'Forbidden',
        'This app may not have this event type.',
        'https://api.x.com/2/problems/client-forbidden',
      )
    const made = {
      subscription_id: world.newSnowflake(),
      event_type,
      tag: textOf(body.tag),
      created_at: new Date().toISOString(),
    }
    const { aaa, activity: list } = subscribedOf(world, app, user)
    setSubscribedOf(world, user, { aaa, activity: [...list, made] })
    return {
      status: 200,
      json: {
        data: { ...made, filter: { user_id: user }, webhook_id: known.id },
        meta: { total_subscriptions: all.length + 1 },
      },
    }
  }

  return async (request, caller) => {
    const parts = request.path.split('/').slice(2).map(decodeURIComponent)
    const [family = '', second = '', third = ''] = parts
    const body = fieldsOf(readJson(request.body))
    const { method } = request
    if (family === 'account_activity') return accountActivity(method, caller, parts)
    if (family === 'activity' && second === 'subscriptions') return activity(method, caller, third, body)
    if (family !== 'webhooks') return undefined
    if (caller.channel !== undefined)
      return problem(
        403,
        'Unsupported Authentication',
        'Only OAuth 2.0 Application-Only is supported.',
        'https://api.x.com/2/problems/unsupported-authentication',
      )
    if (second === 'replay' && method === 'POST') return replay(caller.app, body)
    const known = registrationOf(world, caller.app.app_id)
    if (second === '' && method === 'GET')
      return {
        status: 200,
        json: { data: known === undefined ? [] : [known], meta: { result_count: known === undefined ? 0 : 1 } },
      }
    if (second === '' && method === 'POST') return create(caller.app, body)
    return known?.id === second ? single(caller.app, method, known) : invalid('WebhookIdInvalid')
  }
}

/** yyyymmddhhmm, UTC. */
function readStamp(value: unknown): number | undefined {
  const found = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)$/.exec(textOf(value) ?? '')
  if (found === null) return undefined
  const [, year, month, day, hour, minute] = found.map(Number)
  return Date.UTC(year ?? 0, (month ?? 1) - 1, day, hour, minute)
}

const invalid = (message: string): Answer => ({
  status: 400,
  json: {
    errors: [{ message }],
    title: 'Invalid Request',
    detail: message,
    type: 'https://api.x.com/2/problems/invalid-request',
  },
})
