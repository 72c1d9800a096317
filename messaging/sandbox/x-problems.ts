/** How X words what it refuses. */
import type { Answer, Refusal } from './http.ts'

export const problem = (status: number, title: string, detail: string, type = 'about:blank'): Answer => ({
  status,
  json: { title, detail, type, status },
})

/** A parameter that X does not take: one sentence for all, the particular one beside it. */
export const invalidRequest = (parameter: string, value: string, message: string): Answer => ({
  status: 400,
  json: {
    errors: [{ parameters: { [parameter]: [value] }, message }],
    title: 'Invalid Request',
    detail: 'One or more parameters to your request was invalid.',
    type: 'https://api.x.com/2/problems/invalid-request',
  },
})

/** As v1.1 does: by number. */
export const numbered = (status: number, code: number, message: string): Answer => ({
  status,
  json: { errors: [{ code, message }] },
})

export const forbidden = (detail: string): Answer => problem(403, 'Forbidden', detail)

/** What only other plans can do. */
export const otherPlan = (): Answer =>
  problem(
    403,
    'Client Forbidden',
    'This operation is not available on your current plan.',
    'https://api.x.com/2/problems/client-forbidden',
  )

/** What the fault `refuse_code` says: with `subcode` a number of v1.1, with `problem` one of v2's problem types. */
export function refused({ code, subcode, problem: type, detail }: Refusal): Answer {
  const words = detail ?? 'Refused by a fault of the sandbox.'
  if (subcode !== undefined) return numbered(code, subcode, words)
  return problem(code, 'Refused', words, type === undefined ? undefined : `https://api.x.com/2/problems/${type}`)
}
