/** The shapes of the API's answers, once: the routes answer them, the OpenAPI document is made of them, the browser app reads them. */
import { z } from 'zod'
import { hintCodes } from '../../messaging/advice.ts'
import { fileKinds } from '../../messaging/files.ts'
import { setupCodes, setupCures } from '../../messaging/setup-lines.ts'
import {
  actStates,
  attachmentStates,
  availabilities,
  channelStates,
  channelTypes,
  conversationStatuses,
  deliveryStates,
  directions,
  inboundKinds,
  messageActs,
  networkNames,
  outboundKinds,
  priorities,
  receivedStates,
  visibilities,
} from '../../storage/model/words.ts'

const id = z.string().describe('opaque id')
const instant = z.iso.datetime().describe('ISO 8601, UTC')

/** A page of a list; `next_cursor` is null at the end. */
export const page = <Item extends z.ZodType>(item: Item) =>
  z.object({ items: z.array(item), next_cursor: z.string().nullable() })

export const accountShape = z.object({ id, name: z.string() })

export const userShape = z.object({
  id,
  name: z.string(),
  email: z.string(),
  role: z.string().describe('a built-in role or the id of one of your own'),
  language: z.string(),
  time_zone: z.string(),
  availability: z.enum(availabilities).describe('whether they are given conversations'),
  availability_reason: z.string().nullable(),
})

/** Who am I. `csrf_token` goes into the `X-CSRF-Token` header of every change made with the session cookie. */
export const sessionShape = z.object({
  user: userShape,
  account: accountShape,
  csrf_token: z.string().nullable(),
  permissions: z.array(z.string()).describe('what this session or token may do'),
  is_limited: z.boolean().describe('to some channels or teams'),
  totp: z.object({
    is_set_up: z.boolean(),
    is_needed: z.boolean().describe('nothing else may be done before it is set up'),
  }),
  demo: z.boolean().describe('whether sandbox networks run beside this site'),
})

export const appShape = z.object({
  id,
  network: z.enum(networkNames),
  name: z.string(),
  external_id: z.string().nullable(),
  webhook_url: z.string(),
  verify_token: z.string().nullable().describe('Meta: to be entered beside the webhook address'),
  consumer_key: z.string().nullable(),
  client_id: z.string().nullable(),
  has_client_secret: z.boolean(),
  secret_count: z.int().describe('how many secrets are good'),
  api_base_url: z.string().nullable(),
  created_at: instant,
})

export const channelShape = z.object({
  id,
  app_id: id,
  type: z.enum(channelTypes),
  name: z.string(),
  external_id: z.string(),
  api_base_url: z.string().nullable(),
  health: z.object({
    state: z.enum(channelStates),
    reason: z.string().nullable(),
    last_event_at: instant.nullable(),
    token_expires_at: instant.nullable(),
    code: z.string().nullable().describe('what is wrong; stable'),
    cure: z.string().nullable().describe('the one step that mends it'),
    checked_at: instant.nullable(),
    subscription: z
      .object({ state: z.enum(['active', 'partial', 'missing']), missing: z.array(z.string()) })
      .nullable()
      .describe('whether the network tells us what happens; null: not known yet'),
    quotas: z.array(z.object({ name: z.string(), used: z.number().describe('0 to 1'), resets_at: instant.nullable() })),
    caught_up_to: instant.nullable().describe('nothing before this instant is missing'),
    catching_up: z
      .object({
        since: instant,
        pages: z.number().int(),
        found: z.number().int(),
        fresh: z.number().int().describe('of those found, not known before'),
        last_error: z.string().nullable(),
      })
      .nullable(),
  }),
  disconnected_at: instant.nullable(),
  created_at: instant,
})

/** One line of the set-up doctor. */
export const checkShape = z.object({
  name: z.string().describe('stable'),
  is_good: z.boolean(),
  code: z.enum(setupCodes).describe('what was found; stable'),
  parameters: z.record(z.string(), z.string()).describe('what the sentences name; `at` is an instant'),
  text: z.string().describe('the same in English'),
  cure_code: z.enum(setupCures).nullable().describe('the one step that mends it; stable'),
  cure: z.string().nullable().describe('the same in English'),
})

/** What a disconnection did at the network. */
export const disconnectedShape = z.object({
  subscription: z
    .enum(['ended', 'shared', 'none', 'failed', 'not_possible'])
    .describe(
      'what became of the subscription at the network; `shared`: kept for another channel, `failed`: the network may go on sending, which is then taken by nobody',
    ),
  reason: z.string().nullable(),
})

export const examinationShape = z.object({ checks: z.array(checkShape), channel: channelShape })

/** What may be connected after a sign-in at the network. */
export const connectableShape = z.object({
  type: z.enum(channelTypes),
  external_id: z.string(),
  name: z.string(),
  channel_id: z.string().nullable().describe('the channel it is already, whose access is renewed'),
})

export const contactShape = z.object({
  id,
  name: z.string(),
  addresses: z.array(
    z.object({
      id,
      channel_type: z.enum(channelTypes),
      external_id: z.string(),
      name: z.string().nullable(),
      handle: z.string().nullable(),
    }),
  ),
})

export const postShape = z.object({
  id,
  external_id: z.string(),
  text: z.string().nullable(),
  permalink: z.string().nullable(),
  occurred_at: instant.nullable(),
  reactions: z.array(z.object({ emoji: z.string(), count: z.number().int() })).describe('the most frequent first'),
})

/** What may be said in a conversation, by kind, and whether it may be said now. */
export const sayableShape = z.object({
  kind: z.enum(outboundKinds),
  refused: z
    .object({
      code: z.string(),
      reason: z.string(),
      except: z.enum(['template']).nullable().describe('what may be said all the same'),
    })
    .nullable()
    .describe('why nothing of this kind may be said now'),
  max_text_length: z.number().int(),
  counting: z.enum(['characters', 'bytes', 'weighted']).describe('how the network counts text'),
  closes_at: instant.nullable().describe('when the reply window closes; null: no window'),
  human_agent_from: instant.nullable().describe('from then on it is sent as an answer of a human agent'),
  files: z.object({
    max: z.number().int(),
    kinds: z.partialRecord(
      z.enum(fileKinds),
      z.object({
        types: z.array(z.string()).describe('in full, or a family such as `image/*`'),
        max_bytes: z.number().int(),
        max_bytes_of: z.record(z.string(), z.number().int()).describe('for single types'),
      }),
    ),
    together: z
      .object({
        text_with: z.array(z.enum(fileKinds)).describe('kinds of file that a text goes with in one message'),
        pictures: z.number().int().describe('so many stand in one message; other files stand alone'),
      })
      .describe('what the network takes in one message; the rest follows in messages of its own'),
  }),
  extras: z.object({
    quick_replies: z.object({ max: z.number().int(), max_title_length: z.number().int() }).nullable(),
    templates: z.boolean(),
    interactive: z.object({ max_buttons: z.number().int(), max_rows: z.number().int() }).nullable(),
    quote: z.boolean(),
  }),
  acts: z.array(z.string()).describe('what can be done to a message here, beside answering'),
  own_acts: z.array(z.string()).optional().describe('those of them that can be done to our own words only'),
})

export const conversationShape = z.object({
  id,
  channel: z.object({ id, type: z.enum(channelTypes), name: z.string() }),
  contact: z.object({ id, name: z.string(), handle: z.string().nullable() }),
  visibility: z.enum(visibilities),
  status: z.enum(conversationStatuses),
  snoozed_until: instant.nullable().describe('of a snoozed one; null: until the contact writes'),
  assignee: z.object({ id, name: z.string() }).nullable(),
  team: z.object({ id, name: z.string() }).nullable(),
  priority: z.enum(priorities),
  labels: z.array(z.object({ id, name: z.string(), color: z.string().describe('`#rrggbb`') })),
  participants: z.array(z.object({ id, name: z.string() })),
  post: postShape.nullable(),
  preview: z.string(),
  last_activity_at: instant,
  last_inbound_at: instant.nullable(),
  waiting_since: instant.nullable().describe('since when the contact waits for an answer'),
  created_at: instant,
  sayable: z.array(sayableShape).optional().describe('only where one conversation is asked for'),
})

/** Smaller copies of a picture, the smallest first: `thumbnail` (320 pixels), `preview` (1,280 pixels). */
export const variantsShape = z.array(
  z.object({
    name: z.string(),
    url: z.string(),
    content_type: z.string(),
    size: z.number().int(),
    width: z.number().int(),
    height: z.number().int(),
  }),
)

export const attachmentShape = z.object({
  id,
  kind: z.string(),
  state: z.enum(attachmentStates).describe('a card without a file is fetched and has no url'),
  title: z.string().nullable(),
  text: z.string().nullable().describe('words of its own: an address, numbers, the lines of an order'),
  link: z.string().nullable().describe('a page outside that it leads to'),
  alt_text: z.string().nullable().describe('said to people who do not see the picture'),
  content_type: z.string().nullable().describe('as it is served: by its bytes, not by its name'),
  size: z.number().int().nullable(),
  url: z.string().nullable(),
  variants: variantsShape,
  reason: z.string().nullable().describe('why it is unavailable, or may only be saved'),
  reason_code: z.string().nullable(),
  can_retry: z.boolean().describe('whether POST /attachments/:id/fetch may bring it'),
})

export const attemptShape = z.object({
  part: z.number().int(),
  number: z.number().int(),
  started_at: instant,
  finished_at: instant.nullable(),
  outcome: z.string().nullable(),
  code: z.string().nullable(),
  reason: z.string().nullable().describe('in the words of the network'),
})

const fateFields = {
  state: z.enum(deliveryStates),
  reason: z.string().nullable().describe('in plain words'),
  reason_code: z.string().nullable().describe("the network's code, or ours; stable"),
  reason_class: z.string().nullable().describe('of a refusal: token, window, recipient, content, policy'),
  detail: z.string().nullable().describe('in the words of the network'),
  hint: z.string().nullable().describe('what to do'),
  hint_code: z.enum(hintCodes).nullable(),
  next_attempt_at: instant.nullable(),
}

/** One request's share of an answer. */
export const deliveryPartShape = z.object({
  id,
  position: z.number().int(),
  ...fateFields,
  text: z.string().nullable(),
  attachment_ids: z.array(z.string()),
  external_id: z.string().nullable(),
  deleted_at: instant.nullable().describe('when it was taken back on the network'),
})

export const deliveryShape = z.object({
  id,
  ...fateFields,
  attempts: z.array(attemptShape),
  parts: z.array(deliveryPartShape).describe('most answers have one'),
})

/** One part of an answer, in a list over all conversations. */
export const deliveryRowShape = z.object({
  id,
  message_id: id,
  conversation_id: id,
  channel_id: id,
  kind: z.string(),
  position: z.number().int(),
  part_count: z.number().int(),
  text: z.string().nullable().describe('its beginning'),
  ...fateFields,
  attempt_count: z.number().int(),
  created_at: instant,
  updated_at: instant,
})

/** Something done to a message on its network, beside answering. */
export const actShape = z.object({
  id,
  message_id: id,
  what: z.enum(messageActs),
  emoji: z.string().nullable(),
  state: z.enum(actStates),
  reason_code: z.string().nullable(),
  reason: z.string().nullable().describe('why it failed, or why it is tried again'),
  attempts: z.number().int(),
  next_attempt_at: instant.nullable(),
  by: id.nullable().describe('the user; null: Parley itself'),
  created_at: instant,
  updated_at: instant,
})

export const messageShape = z.object({
  id,
  channel_id: id,
  conversation_id: id,
  contact_id: id.nullable(),
  direction: z.enum(directions),
  kind: z.enum([...inboundKinds, ...outboundKinds]),
  visibility: z.enum(visibilities),
  external_id: z.string().nullable(),
  author: z
    .object({ id, name: z.string() })
    .nullable()
    .describe('the user who wrote it; null for contacts and for what was sent elsewhere'),
  /** For public threads, where several people speak. */
  contact_name: z.string().nullable(),
  text: z.string().nullable(),
  /** What cannot be seen here, or is about something that cannot. */
  hint: z.enum(['encrypted', 'unsupported', 'standby', 'story']).nullable(),
  in_reply_to: z.string().nullable(),
  attachments: z.array(attachmentShape),
  extras: z
    .record(z.string(), z.unknown())
    .nullable()
    .describe('what we said beside text and files, as it was asked for'),
  sent_elsewhere: z.boolean().describe("our own words, said in the network's own app or by another one"),
  reactions: z.array(
    z.object({
      by: z.string().describe("the network's id of who reacted"),
      emoji: z.string(),
      is_ours: z.boolean().describe('by the channel itself'),
    }),
  ),
  is_hidden: z.boolean(),
  acts: z.array(actShape).describe('what is being done to it on its network, and the last one if that failed'),
  occurred_at: instant,
  received_at: instant,
  edited_at: instant.nullable(),
  deleted_at: instant.nullable(),
  state: z
    .enum(deliveryStates)
    .nullable()
    .describe('of the delivery; null for inbound messages, notes and what was sent elsewhere'),
  delivery: deliveryShape.nullable(),
  send_at: instant.nullable().describe('of an answer that waits for its time'),
  cancel_if_answered: z.boolean().describe('called off when the contact writes before `send_at`'),
})

export const eventShape = z.object({
  number: z.number().int(),
  type: z.string(),
  at: instant,
  data: z.record(z.string(), z.unknown()),
})

const receivedFields = {
  id,
  app_id: id,
  channel_id: id.nullable(),
  state: z.enum(receivedStates),
  reason: z.string().nullable(),
  size: z.number().int().describe('bytes of the body'),
  tries: z.number().int(),
  received_at: instant,
  processed_at: instant.nullable(),
}

const traceFields = {
  at: z.string().describe('where in the body it stood'),
  became: z.string(),
  id: z.string().nullable().describe('of what it became'),
}

/** A row of the log. */
export const receivedEntryShape = z.object({
  ...receivedFields,
  snippet: z.string().describe('the beginning of the body'),
  body: z
    .string()
    .nullable()
    .describe('the raw body where it is small and `body=no` was not asked; else ask for the one'),
  trace: z.array(z.object(traceFields)),
})

export const receivedShape = z.object({
  ...receivedFields,
  body: z.string().describe('the raw body; bytes that are no UTF-8 are shown as U+FFFD'),
  trace: z.array(
    z.object({
      ...traceFields,
      conversation_id: z.string().nullable().describe('where the message lies, if it became or changed one'),
    }),
  ),
})

export const replayShape = z.object({
  count: z.number().int().describe('how many were handed in again'),
  is_complete: z.boolean().describe('false: there are more; ask again with `to` set to `next_to`'),
  next_to: instant.nullable(),
})

export const documentShape = z.object({
  id,
  digest: z.string(),
  content_type: z.string(),
  size: z.number().int(),
  name: z.string().nullable(),
  variants: variantsShape,
})

/** Said by its name and language, with a value for each placeholder `{{1}}`. */
export const templateShape = z.object({
  name: z.string(),
  language: z.string(),
  category: z.string(),
  state: z.string().describe('only APPROVED ones may be said'),
  header: z.string().nullable(),
  body: z.string(),
  footer: z.string().nullable(),
  buttons: z.array(z.object({ text: z.string(), link: z.string().nullable().describe('may have a placeholder') })),
})

export const deadLetterShape = z.object({
  id,
  queue: z.string(),
  message_id: z.string(),
  state: z.enum(['waiting', 'dead']),
  tries: z.number().int(),
  last_error: z.string(),
  body: z.string().describe('the beginning of the body'),
  size: z.number().int(),
  next_try_at: instant.nullable(),
  created_at: instant,
})

export type DeadLetterJson = z.infer<typeof deadLetterShape>
export type AppJson = z.infer<typeof appShape>
export type CheckJson = z.infer<typeof checkShape>
export type DisconnectedJson = z.infer<typeof disconnectedShape>
export type ExaminationJson = z.infer<typeof examinationShape>
export type ConnectableJson = z.infer<typeof connectableShape>
export type ChannelJson = z.infer<typeof channelShape>
export type ContactJson = z.infer<typeof contactShape>
export type ConversationJson = z.infer<typeof conversationShape>
export type ActJson = z.infer<typeof actShape>
export type MessageJson = z.infer<typeof messageShape>
export type DeliveryRowJson = z.infer<typeof deliveryRowShape>
export type EventJson = z.infer<typeof eventShape>
export type ReceivedEntryJson = z.infer<typeof receivedEntryShape>
export type ReplayJson = z.infer<typeof replayShape>
export type ReceivedJson = z.infer<typeof receivedShape>
export type SessionJson = z.infer<typeof sessionShape>
export type TemplateJson = z.infer<typeof templateShape>
export type DocumentJson = z.infer<typeof documentShape>
