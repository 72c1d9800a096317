import type { Attachment, Document, DocumentVariant, Storage } from '../../storage/index.ts'
import { servedType } from '../../storage/model/content-types.ts'
import type { DocumentJson, MessageJson } from './shapes.ts'

/** What is known of a document, with its smaller copies. */
export async function presentDocument(document: Document, storage: Storage): Promise<DocumentJson> {
  const variants = await storage.documents.variantsOf(storage.fresh, document.accountId, [document.id])
  return {
    id: document.id,
    digest: document.digest,
    content_type: document.contentType,
    size: document.size,
    name: document.name,
    variants: presentVariants(variants, `/api/v1/documents/${document.id}/content`),
  }
}

type AttachmentJson = MessageJson['attachments'][number]

/** `variants` of the attachment's document. The network's own address of a file is never shown: it is a signed link to somebody's data. */
export function presentAttachment(attachment: Attachment, variants: readonly DocumentVariant[]): AttachmentJson {
  const url = `/api/v1/attachments/${attachment.id}/content`
  const { documentId, contentType } = attachment
  return {
    id: attachment.id,
    kind: attachment.kind,
    state: attachment.state,
    title: attachment.title,
    text: attachment.text,
    link: attachment.link,
    alt_text: attachment.altText,
    content_type: contentType === null ? null : servedType(contentType),
    size: attachment.size,
    url: documentId === null ? null : url,
    variants: presentVariants(variants, url),
    // Between two tries the last failure is no news.
    reason: attachment.state === 'pending' ? null : attachment.reason,
    reason_code: attachment.state === 'pending' ? null : attachment.reasonCode,
    can_retry: attachment.state === 'unavailable' && (attachment.url !== null || attachment.externalId !== null),
  }
}

/** `url` of the original. */
export const presentVariants = (variants: readonly DocumentVariant[], url: string): AttachmentJson['variants'] =>
  variants.map(({ name, width, height, contentType, size }) => ({
    name,
    url: `${url}?variant=${name}`,
    content_type: contentType,
    size,
    width,
    height,
  }))
