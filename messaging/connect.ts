/** Connecting channels: a person signs in at the network, comes back with a code, and chooses. */
import { createHash, randomBytes } from 'node:crypto'
import { z } from 'zod'
import { notFound, Problem } from '../infra/errors.ts'
import { newId } from '../infra/ids.ts'
import type { Actor } from '../storage/index.ts'
import { channelTypes, networkOf } from '../storage/model/words.ts'
import type { ChannelType } from '../storage/model/words.ts'
import { openApp } from './directory.ts'
import { connectorFor, withLimit } from './health.ts'
import type { CareContext } from './health.ts'
import { putChannel } from './reconnect.ts'
import type { Connected } from './reconnect.ts'

const signInMs = 10 * 60_000
const choiceMs = 30 * 60_000
const exchangeLimitMs = 25_000

/** Who signs in. `binding` names the browser session: who comes back in another one finds nothing. */
export interface Signer {
  readonly accountId: string
  readonly userId: string
  readonly binding: string
  /** For the audit log. */
  readonly actor?: Actor
}

/** A channel to choose. `channelId`: it is connected already, and choosing it gives it new credentials. */
export interface Choice {
  readonly type: ChannelType
  readonly externalId: string
  readonly name: string
  readonly channelId: string | undefined
}

const connectables = z.array(
  z.object({
    type: z.enum(channelTypes),
    externalId: z.string(),
    name: z.string(),
    credentials: z.record(z.string(), z.string()),
    tokenExpiresAt: z.coerce.date().optional(),
  }),
)

/**
 * Where to send the person. The state is good once, for ten minutes; PKCE's verifier never leaves the server.
 * @param wish.redirectUri where the network sends the person back to: entered at the network exactly so
 * @throws Problem 404 for the app, 422 `sign_in_not_possible`
 */
export async function beginConnect(
  context: CareContext,
  signer: Signer,
  wish: { readonly appId: string; readonly type: ChannelType; readonly redirectUri: string },
): Promise<{ readonly url: string; readonly state: string; readonly expiresAt: Date }> {
  const { storage, config } = context
  const { accountId, userId, binding } = signer
  const app = await storage.apps.get(storage.primary, accountId, wish.appId)
  if (app === undefined) throw notFound('app')
  const signIn = connectorFor(context, wish.type)?.signIn
  if (signIn === undefined || app.network !== networkOf[wish.type])
    throw new Problem(
      422,
      'sign_in_not_possible',
      'Channels of this type are connected with an access token, or through another app.',
    )
  const state = randomBytes(32).toString('base64url')
  const verifier = randomBytes(48).toString('base64url')
  const challenge = createHash('sha256').update(verifier).digest('base64url')
  const url = signIn.authorizeUrl(openApp(storage, config, app), { redirectUri: wish.redirectUri, state, challenge })
  await storage.write((tx) =>
    storage.connectAttempts.begin(tx, storage, {
      ...{ id: newId(), accountId, userId, appId: app.id, type: wish.type, redirectUri: wish.redirectUri },
      ...{ state, binding, data: verifier, ttlMs: signInMs },
    }),
  )
  return { url, state, expiresAt: new Date(Date.now() + signInMs) }
}

/**
 * The person came back with a code: exchanged once for the channels they may connect, which lie sealed for half an hour.
 * @throws Problem 422 `sign_in_expired` (state unknown, used, too late, or of another session), `sign_in_refused`
 */
export async function finishConnect(
  context: CareContext,
  signer: Signer,
  answer: { readonly state: string; readonly code: string },
): Promise<{ readonly attemptId: string; readonly choices: readonly Choice[] }> {
  const { storage, config } = context
  const { accountId } = signer
  const attempt = await storage.write((tx) =>
    storage.connectAttempts.takeState(tx, accountId, { ...signer, state: answer.state }),
  )
  const app = attempt && (await storage.apps.get(storage.primary, accountId, attempt.appId))
  const signIn = attempt && connectorFor(context, attempt.type)?.signIn
  if (attempt === undefined || app === undefined || signIn === undefined) throw expired()
  const verifier = storage.connectAttempts.openData(storage, attempt)
  const given = { code: answer.code, redirectUri: attempt.redirectUri, verifier }
  const asked = await withLimit(exchangeLimitMs, AbortSignal.timeout(exchangeLimitMs), (signal) =>
    signIn.exchange(openApp(storage, config, app), given, signal),
  )
  if (asked.type !== 'ok')
    throw new Problem(422, 'sign_in_refused', `The sign-in did not work: ${asked.reason} Begin again.`)
  const found = connectables.parse(asked.value)
  await storage.write((tx) => storage.connectAttempts.offer(tx, storage, attempt.id, JSON.stringify(found), choiceMs))
  return { attemptId: attempt.id, choices: await choicesOf(context, accountId, found) }
}

/** What may be chosen, again, as after a reload. @throws Problem 422 `sign_in_expired` */
export async function listChoices(context: CareContext, signer: Signer, attemptId: string): Promise<readonly Choice[]> {
  const { found } = await openChoice(context, signer, attemptId)
  return choicesOf(context, signer.accountId, found)
}

/**
 * Connects what was chosen, in one transaction; safe to repeat. Subscribing and the first reading back follow within seconds.
 * @throws Problem 422 `sign_in_expired`, 422 `not_offered`
 */
export async function connectChosen(
  context: CareContext,
  signer: Signer,
  attemptId: string,
  chosen: readonly { readonly type: ChannelType; readonly externalId: string }[],
): Promise<readonly Connected[]> {
  const { found, appId } = await openChoice(context, signer, attemptId)
  const wanted = chosen.map((one) => {
    const offered = found.find(({ type, externalId }) => type === one.type && externalId === one.externalId)
    if (offered === undefined)
      throw new Problem(422, 'not_offered', `${one.type} ${one.externalId} is not among what can be connected.`)
    return offered
  })
  return context.storage.write(async (tx) => {
    const done: Connected[] = []
    for (const one of wanted)
      done.push(
        await putChannel(
          context,
          tx,
          signer.accountId,
          { ...one, appId, apiBaseUrl: null, tokenExpiresAt: one.tokenExpiresAt ?? null },
          signer.actor,
        ),
      )
    return done
  })
}

async function openChoice({ storage }: CareContext, signer: Signer, id: string) {
  const attempt = await storage.connectAttempts.choosing(storage.primary, signer.accountId, { ...signer, id })
  if (attempt === undefined) throw expired()
  const found = connectables.parse(JSON.parse(storage.connectAttempts.openData(storage, attempt)))
  return { found, appId: attempt.appId }
}

async function choicesOf(
  { storage }: CareContext,
  accountId: string,
  found: z.infer<typeof connectables>,
): Promise<readonly Choice[]> {
  const known = await storage.channels.list(storage.primary, accountId)
  return found.map(({ type, externalId, name }) => ({
    ...{ type, externalId, name },
    channelId: known.find((one) => one.type === type && one.externalId === externalId)?.id,
  }))
}

const expired = (): Problem =>
  new Problem(
    422,
    'sign_in_expired',
    'This sign-in is over: it is good once, for ten minutes, in one browser. Begin again.',
  )
