/** `/{app-id}/subscriptions`: where the app's webhooks lead, for each object; set up by a handshake. */
import { appFields } from '../connectors/meta/permissions.ts'
import { fieldsOf, textOf } from '../connectors/reading.ts'
import type { Stage } from './customers.ts'
import type { GraphRequest } from './graph-request.ts'
import { graphError, missing } from './graph-error.ts'
import type { Answer } from './http.ts'
import type { SandboxApp } from './world.ts'

const objects = Object.keys(appFields) as (keyof typeof appFields)[]

/** GET lists, POST sets one up (with Meta's handshake), DELETE takes one away. Untouched, all are set up for the app's address. */
export async function appSubscriptions(stage: Stage, app: SandboxApp, call: GraphRequest): Promise<Answer> {
  const { world } = stage
  if (call.edge !== 'subscriptions' || call.id !== (app.client_id ?? app.app_id)) return missing(call.id)
  const key = (object: string): string => `meta.webhook.${app.app_id}.${object}`
  const object = textOf(call.parameters.object) ?? ''
  if (call.method === 'DELETE') {
    for (const one of objects) if (object === '' || object === one) world.note(key(one), { is_off: true })
    return { status: 200, json: { success: true } }
  }
  if (call.method === 'POST') {
    const address = textOf(call.parameters.callback_url)
    if (!objects.some((one) => one === object))
      return graphError(100, undefined, 'Param object must be a valid object type')
    if (address === undefined || !URL.canParse(address))
      return graphError(100, undefined, 'Param callback_url must be a valid URL')
    const changed = {
      ...app,
      webhook_url: address,
      verify_token: textOf(call.parameters.verify_token) ?? app.verify_token,
    }
    const { verified, detail } = await stage.webhooks.verify(changed)
    if (!verified) return graphError(2200, undefined, `Callback verification failed: ${detail}`)
    world.putApp(changed)
    world.note(key(object), { fields: (textOf(call.parameters.fields) ?? '').split(',') })
    return { status: 200, json: { success: true } }
  }
  const data = objects.flatMap((one) => {
    const note = fieldsOf(world.notes.get(key(one)))
    const fields = Array.isArray(note.fields) ? note.fields : appFields[one]
    if (note.is_off === true) return []
    return [
      {
        object: one,
        callback_url: app.webhook_url,
        active: true,
        fields: fields.map((name: unknown) => ({ name, version: 'v25.0' })),
      },
    ]
  })
  return { status: 200, json: { data } }
}
