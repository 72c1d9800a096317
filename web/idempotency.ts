/** Idempotency-Key: the same key with the same request gives the first answer again, however often and at whichever node. */
import type { Request } from 'express'
import { conflict, Problem } from '../infra/errors.ts'
import { newId } from '../infra/ids.ts'
import type { Storage } from '../storage/index.ts'
import type { Identity } from './auth.ts'
import { answered, Reply } from './route.ts'
import type { Route } from './route.ts'

/** Runs `work`, or gives the answer it gave before under the same key. A refused or failed request leaves the key free. */
export async function answerOnce(
  route: Route,
  request: Request,
  body: unknown,
  identity: Identity | undefined,
  storage: Storage,
  work: (effectId: string) => Promise<Reply<unknown> | typeof answered>,
): Promise<Reply<unknown> | typeof answered> {
  const key = request.get('idempotency-key')
  if (key === undefined || request.method !== 'POST' || identity === undefined || route.permission === 'public')
    return work(newId())
  if (!/^[\x21-\x7e]{1,200}$/.test(key))
    throw new Problem(400, 'bad_idempotency_key', 'An Idempotency-Key has 1 to 200 visible ASCII characters.')
  // Putting the same file twice is harmless, so files are put first, and their digest stands for the body.
  const early = route.reads === 'stream' ? await work(newId()) : undefined
  if (early === answered) return answered
  const { userId, accountId } = identity.asker
  const sent = early === undefined ? body : digestOf(early.body)
  const asked = {
    accountId,
    userId,
    key,
    request: `POST ${request.baseUrl}${request.path}\n${sent === undefined ? '' : JSON.stringify(sent)}`,
  }

  const begun = await storage.write((tx) => storage.idempotency.begin(tx, asked))
  if (begun.state === 'running')
    throw conflict('still_running', 'The first request with this Idempotency-Key is still being worked on.')
  if (begun.state === 'different')
    throw new Problem(409, 'idempotency_key_reused', 'This Idempotency-Key was used for another request.')
  if (begun.state === 'done') {
    request.res?.setHeader('idempotent-replayed', 'true')
    const text = route.showsSecret && begun.response !== '' ? open(storage, begun.response) : begun.response
    return new Reply(begun.status, text === '' ? undefined : (JSON.parse(text) as unknown))
  }
  try {
    const reply = early ?? (await work(begun.effectId))
    if (reply === answered) return answered
    const text = reply.body === undefined ? '' : JSON.stringify(reply.body)
    const kept = route.showsSecret && text !== '' ? seal(storage, text) : text
    await storage.write((tx) => storage.idempotency.finish(tx, asked, reply.status, kept))
    return reply
  } catch (error) {
    // A refusal changed nothing, so the key is free for the corrected request. What became of a failed commit is not
    // known: the key stays, and a repetition finds what was made by its id.
    if (error instanceof Problem && error.code !== 'commit_unknown')
      await storage.write((tx) => storage.idempotency.forget(tx, asked)).catch(() => undefined)
    throw error
  }
}

/** An answer that shows a secret is given again, but lies sealed until then. */
const seal = ({ secrets }: Storage, text: string): string => secrets.seal(text, sealedPlace).toString('base64')
const open = ({ secrets }: Storage, text: string): string => secrets.open(Buffer.from(text, 'base64'), sealedPlace)
const sealedPlace = 'idempotency_keys|response'

function digestOf(body: unknown): unknown {
  return typeof body === 'object' && body !== null && 'digest' in body ? body.digest : body
}
