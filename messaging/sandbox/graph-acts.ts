/** What customers of Meta's networks do beside plain words, on request of the control interface: `/control/meta/...`. */
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { Problem } from '../../infra/errors.ts'
import { readJson } from '../connectors/reading.ts'
import { say, tell } from './customers.ts'
import type { Stage } from './customers.ts'
import { channelsOf, setTokenState, tokenState } from './graph-channel.ts'
import { changeBody } from './graph-changes.ts'
import {
  limitShape,
  personShape,
  press,
  pressShape,
  publishingShape,
  setChannel,
  setPerson,
  templatesShape,
} from './graph-settings.ts'
import { newWhatsAppId, tellWhatsApp } from './graph-whatsapp.ts'
import type { Answer, Request } from './http.ts'
import { bytesOf, digestOf, fileOf, files as knownFiles } from './files.ts'
import { baseOf, fileUrl } from './media.ts'
import type { SandboxChannel, SandboxFile } from './world.ts'

const text = z.string().min(1)
// prettier-ignore
const file = z.object({
  /** The network's word: image, video, audio, file, sticker; for WhatsApp also document and voice. */
  kind: text, file: text.optional(), title: text.optional(), expires_ms: z.int().optional(), gone: z.boolean().optional(),
})
// prettier-ignore
const said = z.object({
  channel: text, person: z.object({ id: text, name: text.optional(), handle: text.optional() }), kind: z.enum(['message', 'comment', 'mention', 'post']).default('message'),
  text: z.string().default(''), post_id: text.optional(), in_reply_to: text.optional(), occurred_at: z.iso.datetime().optional(),
  files: z.array(file).max(20).default([]), wire: z.record(z.string(), z.unknown()).optional(),
})
// prettier-ignore
const change = z.object({
  channel: text, external_id: text, what: z.enum(['edit', 'delete', 'react', 'unreact', 'hide', 'unhide']), text: z.string().optional(), emoji: text.default('❤️'), person: text.optional(),
})
const appSays = z.object({ channel: text, person: text, text })
// prettier-ignore
const token = z.object({
  channel: text, is_valid: z.boolean().default(true), subcode: z.int().optional(), expires_in_ms: z.int().optional(), scopes: z.array(text).optional(),
})
const failLate = z.object({
  channel: text,
  code: z.int().default(131_026),
  title: text.default('Message undeliverable'),
  count: z.int().min(0).default(1),
})
const number = z.object({ channel: text, person: text, new_id: text })

type Act = (request: Request) => Promise<Answer> | Answer

/** Answers `/control/meta/...`; `undefined` when there is no such call. */
export function openMetaControl(stage: Stage): (request: Request) => Promise<Answer | undefined> {
  const { world } = stage
  const ok = (json: unknown, status = 200): Answer => ({ status, json })
  /** The answer waits for the first try, so that a script may go on from there; never long. */
  const settle = (sent: Promise<void>): Promise<void> => Promise.race([sent, sleep(2_000, undefined, { ref: false })])

  const acts: Readonly<Record<string, Act>> = {
    async 'POST /control/meta/say'(request) {
      const { channel: id, files, ...given } = parse(said, request)
      const channel = need(id)
      const made = files.map((one) => makeFile(stage, channel, one, baseOf(request)))
      const { utterance, delivered } = say(stage, { ...given, type: channel.type, channel: id, files: made })
      await settle(delivered)
      return ok(
        {
          external_id: utterance.external_id,
          post_id: utterance.post_id ?? null,
          occurred_at: utterance.at,
          files: made,
        },
        201,
      )
    },
    async 'POST /control/meta/change'(request) {
      const given = parse(change, request)
      const channel = need(given.channel)
      const target = world.byId.get(given.external_id)
      if (target?.channel !== channel.external_id)
        throw new Problem(404, 'not_found', 'There is no such utterance on this channel.')
      const { person = target.person, ...done } = given
      // Hiding is the channel's; the rest is done by customers.
      world.act({ ...done, person, by: given.what === 'hide' || given.what === 'unhide' ? 'channel' : 'customer' })
      const body = changeBody(stage, channel, target, given)
      const app = world.apps.get(channel.app_id)
      if (app !== undefined && body !== undefined) await settle(stage.webhooks.post(app, body, channel.external_id))
      return ok({ told: body !== undefined })
    },
    /** Somebody answers in the network's own app, not through us. */
    async 'POST /control/meta/app_says'(request) {
      const given = parse(appSays, request)
      const channel = need(given.channel)
      const utterance = world.say({
        type: channel.type,
        channel: given.channel,
        person: given.person,
        direction: 'outbound',
        kind: 'reply',
        text: given.text,
        clock_at: stage.clock.now(),
        // The page's inbox is an app of its own.
        ...(channel.type === 'whatsapp' ? { external_id: newWhatsAppId() } : { wire: { app_id: 26_390_203_743_090 } }),
      })
      await settle(tell(stage, [utterance]))
      return ok({ external_id: utterance.external_id }, 201)
    },
    'PUT /control/meta/token'(request) {
      const { channel: id, expires_in_ms: expiresIn, ...state } = parse(token, request)
      const channel = need(id)
      setTokenState(world, channel.access_token, {
        is_valid: state.is_valid,
        subcode: state.subcode,
        scopes: state.scopes,
        expires_at: expiresIn === undefined ? undefined : stage.clock.now() + expiresIn,
      })
      return ok({
        ...tokenState(stage, channel.access_token),
        channels: channelsOf(world, channel.access_token).map((one) => one.external_id),
      })
    },
    'POST /control/meta/fail_late'(request) {
      const { channel: id, ...failure } = parse(failLate, request)
      need(id)
      world.note(`meta.fail.${id}`, failure)
      return ok(failure)
    },
    'PUT /control/meta/person'(request) {
      const given = parse(personShape, request)
      need(given.channel)
      setPerson(stage, given)
      return ok(given)
    },
    'PUT /control/meta/templates': (request) => set(request, templatesShape),
    'PUT /control/meta/limit': (request) => set(request, limitShape),
    'PUT /control/meta/publishing': (request) => set(request, publishingShape),
    async 'POST /control/meta/press'(request) {
      const given = parse(pressShape, request)
      const { utterance, delivered } = press(stage, need(given.channel), given)
      await settle(delivered)
      return ok({ external_id: utterance.external_id }, 201)
    },
    /** WhatsApp: a person goes by another number. */
    async 'POST /control/meta/number'(request) {
      const given = parse(number, request)
      const channel = need(given.channel)
      const known = world.people.get(given.person)
      if (known !== undefined) world.putPerson({ ...known, id: given.new_id })
      const system = {
        body: `User changed from ${given.person} to ${given.new_id}`,
        wa_id: given.new_id,
        type: 'user_changed_number',
      }
      const message = {
        from: given.person,
        id: newWhatsAppId(),
        timestamp: String(Math.floor(stage.clock.now() / 1000)),
        type: 'system',
        system,
      }
      await settle(tellWhatsApp(stage, channel, 'messages', { messages: [message] }))
      return ok({})
    },
  }

  function set(request: Request, shape: typeof templatesShape | typeof limitShape | typeof publishingShape): Answer {
    const given = parse<z.infer<typeof shape>>(shape, request)
    setChannel(stage, need(given.channel), given)
    return ok(given)
  }

  function need(id: string): SandboxChannel {
    const found = world.channels.get(id)
    if (found !== undefined && found.type !== 'x') return found
    throw new Problem(404, 'not_found', 'There is no such channel of Meta in the sandbox.')
  }

  return async (request) => acts[`${request.method} ${request.path}`]?.(request)
}

/** A file that lies at `/media/`; WhatsApp names it by an id. */
function makeFile(
  stage: Stage,
  channel: SandboxChannel,
  given: z.infer<typeof file>,
  base: string,
): SandboxFile & { sha256?: string } {
  const name = given.file ?? (Object.hasOwn(fileOf, given.kind) ? fileOf[given.kind] : undefined) ?? 'photo.png'
  if (bytesOf(name) === undefined)
    throw new Problem(422, 'invalid', `There is no file ${name}; there are ${Object.keys(knownFiles).join(', ')}.`)
  const title = given.title === undefined ? {} : { title: given.title }
  if (channel.type === 'whatsapp') {
    const id = `1${String(randomBytes(6).readUIntBE(0, 6)).padStart(15, '0')}`
    if (given.gone === true) stage.world.note(`meta.gone.${id}`, true)
    return { kind: given.kind, id, file: name, ...title, sha256: digestOf(name) }
  }
  const expires =
    given.expires_ms === undefined ? {} : { expires: String(Math.floor(stage.clock.now() + given.expires_ms)) }
  return { kind: given.kind, url: fileUrl(base, given.gone === true ? 'gone.bin' : name, expires), ...title }
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
