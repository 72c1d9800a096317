/** Whether Meta knows our app under its secret (Graph API: debug_token, asked with and about the app's own token). */
import type { AppAccess, Asked } from '../connector.ts'
import { fieldsOf } from '../reading.ts'
import { callGraphAs, graphHost } from './graph.ts'

/** Codes by which Graph refuses an app's token: the secret is wrong (190), there is no such app (101). */
const refusals: readonly string[] = ['101', '190']

/** Never throws. */
export async function examineApp(app: AppAccess, signal: AbortSignal): Promise<Asked<'known' | 'not_possible'>> {
  const id = app.externalId ?? app.app.clientId
  const { secret } = app.app
  if (id === undefined || secret === undefined) return { type: 'ok', value: 'not_possible' }
  const token = `${id}|${secret}`
  const call = { method: 'GET', path: 'debug_token', query: { input_token: token } } as const
  const result = await callGraphAs(app, token, graphHost, call, signal)
  if (result.ok)
    return fieldsOf(fieldsOf(result.json).data).is_valid === false ? wrong('190') : { type: 'ok', value: 'known' }
  const { code } = result.outcome
  return refusals.includes(code) ? wrong(code) : result.outcome
}

const wrong = (code: string): Asked<never> => ({
  type: 'refused',
  class: 'token',
  code,
  reason: code === '101' ? 'Meta knows no app of this id.' : 'Meta does not take the secret of the app.',
})
