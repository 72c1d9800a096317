import type { ConversationJson, MessageJson } from '../../presenters/shapes.ts'
import type { NewMessage } from '../api.ts'
import type { PickedFile } from './picked-files.ts'

/** Shown in the thread until the server's own word of it comes. */
export function makeStandIn(
  conversation: ConversationJson,
  message: NewMessage,
  key: string,
  author: { readonly id: string; readonly name: string },
  files: readonly PickedFile[],
): MessageJson {
  const at = new Date().toISOString()
  const { kind, text, in_reply_to, template, interactive, quick_replies, send_at, cancel_if_answered } = message
  const extras = {
    ...(template && { template }),
    ...(interactive && { interactive }),
    ...(quick_replies && { quick_replies }),
  }
  return {
    id: `local:${key}`,
    channel_id: conversation.channel.id,
    conversation_id: conversation.id,
    contact_id: conversation.contact.id,
    direction: 'outbound',
    kind,
    visibility: kind === 'comment' ? 'public' : 'direct',
    external_id: null,
    author: { id: author.id, name: author.name },
    contact_name: null,
    text,
    in_reply_to: in_reply_to ?? null,
    hint: null,
    attachments: files.flatMap(({ document, altText }) => (document ? [attachmentOf(document, altText)] : [])),
    extras: Object.keys(extras).length === 0 ? null : extras,
    sent_elsewhere: false,
    reactions: [],
    is_hidden: false,
    acts: [],
    occurred_at: send_at ?? at,
    received_at: at,
    edited_at: null,
    deleted_at: null,
    state: kind === 'note' ? null : 'queued',
    delivery: null,
    send_at: send_at ?? null,
    cancel_if_answered: cancel_if_answered ?? false,
  }
}

type Attachment = MessageJson['attachments'][number]

const attachmentOf = (document: NonNullable<PickedFile['document']>, altText: string): Attachment => ({
  id: document.id,
  kind: document.content_type.split('/', 1)[0] ?? 'file',
  state: 'fetched',
  title: document.name,
  text: null,
  link: null,
  alt_text: altText || null,
  content_type: document.content_type,
  size: document.size,
  url: `/api/v1/documents/${document.id}/content`,
  variants: document.variants,
  reason: null,
  reason_code: null,
  can_retry: false,
})
