/** Multipart bodies. */
import type { Request } from './http.ts'

/** The form of a call; an empty one when its body is none, or broken. */
export async function readForm({ headers, body }: Request): Promise<FormData> {
  const type = headers['content-type'] ?? ''
  if (!type.includes('multipart/form-data')) return new FormData()
  const whole = new Response(new Uint8Array(body), { headers: { 'content-type': type } })
  // Deprecated for servers on the open network: here the body is in memory, and comes from this machine.
  // eslint-disable-next-line @typescript-eslint/no-deprecated
  return whole.formData().catch(() => new FormData())
}
