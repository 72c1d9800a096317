import { Problem } from '../../infra/errors.ts'
import { limitsFor } from '../../messaging/check-content.ts'
import { checkPlace } from '../../messaging/check-sayable.ts'
import type { Connector, FileKind, Limits, OutboundFile } from '../../messaging/connectors/connector.ts'
import { connectorOf } from '../../messaging/connectors/registry.ts'
import { fileKinds } from '../../messaging/files.ts'
import { humanAgentFrom, privateReplyClosesAt, windowClosesAt } from '../../messaging/windows.ts'
import type { OutboundKind } from '../../storage/model/words.ts'
import type { Channel, Conversation, Reader, Storage } from '../../storage/index.ts'
import type { ConversationJson } from './shapes.ts'

type SayableJson = NonNullable<ConversationJson['sayable']>[number]

/** Notes stay here; the bounds only keep them readable. */
export const noteLength = 20_000
export const noteFiles = 10

/** What may be said in a conversation now, until when, and why not. */
export async function presentSayable(
  storage: Storage,
  reader: Reader,
  conversation: Conversation,
  channel: Channel,
): Promise<SayableJson[]> {
  const connector = connectorOf(channel.type)
  if (connector === undefined) return [note]
  const { kinds, acts, ownActs = [] } = connector.limits(conversation.visibility)
  const said = kinds.map(async (kind): Promise<SayableJson> => {
    if (kind === 'note') return note
    const limits = limitsFor(connector, kind)
    const { closesAt, from } = await timesOf(storage, reader, conversation, channel, kind)
    return {
      kind,
      refused: await refusalOf(storage, reader, conversation, channel, kind, limits),
      max_text_length: limits.maxTextLength,
      counting: limits.counting,
      closes_at: closesAt?.toISOString() ?? null,
      human_agent_from: from?.toISOString() ?? null,
      files: { ...presentFiles(limits), together: togetherIn(connector, kind) },
      extras: presentExtraLimits(limits),
      acts: [...acts],
      own_acts: [...ownActs],
    }
  })
  return Promise.all(said)
}

const note: SayableJson = {
  kind: 'note',
  refused: null,
  max_text_length: noteLength,
  counting: 'characters',
  closes_at: null,
  human_agent_from: null,
  files: {
    max: noteFiles,
    kinds: Object.fromEntries(
      fileKinds.map((kind) => [
        kind,
        { types: [kind === 'file' ? '*/*' : `${kind}/*`], max_bytes: 100 * 1024 * 1024, max_bytes_of: {} },
      ]),
    ),
    together: { text_with: [...fileKinds], pictures: noteFiles },
  },
  extras: { quick_replies: null, templates: false, interactive: null, quote: false },
  acts: [],
}

async function timesOf(
  storage: Storage,
  reader: Reader,
  conversation: Conversation,
  { type }: Channel,
  kind: OutboundKind,
): Promise<{ closesAt?: Date | undefined; from?: Date | undefined }> {
  const { accountId, id, visibility, lastInboundAt } = conversation
  if (kind === 'reply')
    return {
      closesAt: windowClosesAt(type, visibility, lastInboundAt),
      from: humanAgentFrom(type, visibility, lastInboundAt),
    }
  const latest = kind === 'private_reply' ? await storage.messages.latestInbound(reader, accountId, id) : undefined
  return { closesAt: latest && privateReplyClosesAt(type, latest.occurredAt) }
}

/** The same check as before anything is queued. */
async function refusalOf(
  storage: Storage,
  reader: Reader,
  conversation: Conversation,
  channel: Channel,
  kind: Exclude<OutboundKind, 'note'>,
  limits: Limits,
): Promise<SayableJson['refused']> {
  try {
    await checkPlace(storage, reader, conversation, channel, { kind }, new Date())
    return null
  } catch (error) {
    if (!(error instanceof Problem) || error.status >= 500) throw error
    const hasWayOut = error.code === 'window_closed' && kind === 'reply' && limits.extras.templates === true
    return { code: error.code, reason: error.message, except: hasWayOut ? 'template' : null }
  }
}

/** Told by how the connector divides a text with one file, and pictures alone. */
function togetherIn(connector: Connector, kind: Exclude<OutboundKind, 'note'>): SayableJson['files']['together'] {
  if (connector.split === undefined) return { text_with: [...fileKinds], pictures: Number.MAX_SAFE_INTEGER }
  const parts = (text: string, files: readonly FileKind[]) =>
    connector.split?.({ kind, text, files: files.map(sample) }) ?? []
  const pictures = Array.from({ length: 20 }, () => 'image' as const)
  return {
    text_with: fileKinds.filter((file) => parts('.', [file]).length === 1),
    pictures: parts('', pictures)[0]?.files.length ?? 1,
  }
}

const sample = (kind: FileKind): OutboundFile => ({
  kind,
  contentType: kind === 'file' ? 'application/pdf' : `${kind}/${kind === 'image' ? 'jpeg' : 'mp4'}`,
  size: 1,
  name: undefined,
  altText: undefined,
  uploadedId: undefined,
  publicUrl: '',
  open: () => Promise.reject(new Error('a sample has no bytes')),
})

const presentFiles = ({ files }: Limits): Omit<SayableJson['files'], 'together'> => ({
  max: files.max,
  kinds: Object.fromEntries(
    fileKinds.flatMap((kind) => {
      const limit = files.kinds[kind]
      if (limit === undefined) return []
      return [[kind, { types: [...limit.types], max_bytes: limit.maxBytes, max_bytes_of: { ...limit.maxBytesOf } }]]
    }),
  ),
})

const presentExtraLimits = ({ extras }: Limits): SayableJson['extras'] => ({
  quick_replies:
    extras.quickReplies === undefined
      ? null
      : { max: extras.quickReplies.max, max_title_length: extras.quickReplies.maxTitleLength },
  templates: extras.templates === true,
  interactive:
    extras.interactive === undefined
      ? null
      : { max_buttons: extras.interactive.maxButtons, max_rows: extras.interactive.maxRows },
  quote: extras.quote === true,
})
