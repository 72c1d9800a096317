/** The Cloud API of one phone number: the statuses that follow a send; the customers' media in two steps. */
import { randomBytes } from 'node:crypto'
import { fieldsOf, idOf, textOf } from '../connectors/reading.ts'
import type { Fields } from '../connectors/reading.ts'
import { ageOf } from './clock.ts'
import type { Stage } from './customers.ts'
import { businessAccountOf, displayNumberOf } from './graph-channel.ts'
import { missing } from './graph-error.ts'
import type { Answer } from './http.ts'
import { bytesOf, digestOf, files } from './files.ts'
import { fileUrl } from './media.ts'
import type { SandboxChannel, Utterance } from './world.ts'

const dayMs = 24 * 60 * 60 * 1000
/** The address of a file is good for five minutes. */
const addressMs = 5 * 60 * 1000

export const newWhatsAppId = (): string => `wamid.${randomBytes(33).toString('base64').replace(/=+$/, '')}`

/** The statuses of an accepted send. Outside the window only a template arrives. */
export async function followSend(
  stage: Stage,
  channel: SandboxChannel,
  said: Utterance,
  isTemplate: boolean,
): Promise<void> {
  const last = stage.world
    .between(channel.external_id, said.person)
    .findLast((one) => one.direction === 'inbound' && one.kind === 'message')
  const isClosed = !isTemplate && (last === undefined || ageOf(stage, last) > dayMs)
  const isBlocked = stage.world.notes.get(`meta.blocked.${channel.external_id}.${said.person}`) === true
  const failure =
    takeFailure(stage, channel) ??
    (isBlocked
      ? { code: 131_026, title: 'Message undeliverable' }
      : isClosed
        ? { code: 131_047, title: 'Re-engagement message' }
        : undefined)
  await tellStatus(stage, channel, said, 'sent')
  if (failure !== undefined) await tellStatus(stage, channel, said, 'failed', failure)
  else if (stage.hasReceipts) await tellStatus(stage, channel, said, 'delivered')
}

interface Failure {
  readonly code: number
  readonly title: string
}

function takeFailure(stage: Stage, channel: SandboxChannel): Failure | undefined {
  const key = `meta.fail.${channel.external_id}`
  const { code, title, count } = fieldsOf(stage.world.notes.get(key))
  if (typeof code !== 'number' || typeof count !== 'number' || count < 1) return undefined
  stage.world.note(key, { code, title, count: count - 1 })
  return { code, title: textOf(title) ?? 'Message undeliverable' }
}

/** One status webhook. */
export async function tellStatus(
  stage: Stage,
  channel: SandboxChannel,
  said: Utterance,
  status: string,
  failure?: Failure,
): Promise<void> {
  const isNumber = /^\d+$/.test(said.person)
  const body = {
    id: said.external_id,
    status,
    timestamp: String(Math.floor(stage.clock.now() / 1000)),
    ...(isNumber ? { recipient_id: said.person } : { recipient_user_id: said.person }),
    ...(said.metadata === undefined ? {} : { biz_opaque_callback_data: said.metadata }),
    ...(failure === undefined
      ? {}
      : {
          errors: [
            {
              code: failure.code,
              title: failure.title,
              message: failure.title,
              error_data: { details: failure.title },
            },
          ],
        }),
  }
  await tellWhatsApp(stage, channel, 'messages', { statuses: [body] })
}

/** One webhook of the number. */
export async function tellWhatsApp(stage: Stage, channel: SandboxChannel, field: string, value: Fields): Promise<void> {
  const app = stage.world.apps.get(channel.app_id)
  if (app === undefined) return
  const body = {
    object: 'whatsapp_business_account',
    entry: [{ id: businessAccountOf(channel), changes: [{ field, value: { ...numberValue(channel), ...value } }] }],
  }
  await stage.webhooks.post(app, body, channel.external_id)
}

export const numberValue = (channel: SandboxChannel): Fields => ({
  messaging_product: 'whatsapp',
  metadata: { display_phone_number: displayNumberOf(channel), phone_number_id: channel.external_id },
})

/** `GET /{media-id}`: where the file lies for the next five minutes. */
export function locateWhatsAppMedia(stage: Stage, channel: SandboxChannel, id: string, base: string): Answer {
  const said = stage.world.ledger.find(
    (one) => one.channel === channel.external_id && one.files?.some((file) => file.id === id) === true,
  )
  const file = said?.files?.find((one) => one.id === id)
  const name = file?.file
  if (name === undefined || stage.world.notes.get(`meta.gone.${id}`) === true) return missing(id)
  return {
    status: 200,
    json: {
      messaging_product: 'whatsapp',
      id: idOf(id),
      url: fileUrl(base, name, {
        wa: channel.external_id,
        expires: String(Math.floor(stage.clock.now() + addressMs)),
      }),
      mime_type: files[name]?.contentType,
      sha256: Buffer.from(digestOf(name), 'base64').toString('hex'),
      file_size: bytesOf(name)?.length,
    },
  }
}
