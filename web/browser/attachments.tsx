import { IconFile, IconHourglassLow, IconMapPin, IconPhotoOff } from '@tabler/icons-react'
import { Fragment } from 'react'
import type { MessageJson } from '../presenters/shapes.ts'
import { useSpeech, type Speech } from './texts/index.tsx'

type Attachment = MessageJson['attachments'][number]

/** Files of a message: fetched ones to see and open, pending and unavailable ones in words. */
export function Attachments({ attachments }: { readonly attachments: readonly Attachment[] }) {
  if (attachments.length === 0) return null
  return (
    <div className="attachments" data-many={attachments.length > 1 || undefined}>
      {attachments.map((attachment) => (
        <Fragment key={attachment.id}>
          <One attachment={attachment} />
        </Fragment>
      ))}
    </div>
  )
}

function One({ attachment }: { readonly attachment: Attachment }) {
  const speech = useSpeech()
  const { t } = speech
  const name = titleOf(attachment, speech)
  if (attachment.state === 'pending') {
    return (
      <span className="attachment-card" data-state="pending">
        <IconHourglassLow size={18} aria-hidden /> {name} · {t('attachment.pending')}
      </span>
    )
  }
  if (attachment.state === 'unavailable' || attachment.url === null) {
    const isPlace = attachment.kind === 'location'
    return (
      <span className="attachment-card" data-state="unavailable">
        {isPlace ? <IconMapPin size={18} aria-hidden /> : <IconPhotoOff size={18} aria-hidden />}
        <span>
          {name}
          {!isPlace && ` · ${t('attachment.unavailable')}`}
          {attachment.reason && <span className="attachment-reason">{attachment.reason}</span>}
        </span>
      </span>
    )
  }
  const type = attachment.content_type ?? ''
  if (type.startsWith('image/')) {
    const small = attachment.variants[0]?.url ?? attachment.url
    return (
      <a
        href={attachment.url}
        target="_blank"
        rel="noreferrer"
        className="attachment-image"
        aria-label={t('attachment.open', { name })}
      >
        <img src={small} alt={attachment.title ?? t('attachment.image')} loading="lazy" />
      </a>
    )
  }
  if (type.startsWith('video/'))
    return <video className="attachment-image" src={attachment.url} controls preload="metadata" aria-label={name} />
  if (type.startsWith('audio/'))
    return <audio className="attachment-audio" src={attachment.url} controls preload="metadata" aria-label={name} />
  return (
    <a
      href={attachment.url}
      target="_blank"
      rel="noreferrer"
      className="attachment-card"
      aria-label={t('attachment.open', { name })}
    >
      <IconFile size={18} aria-hidden />
      <span>
        {name}
        {attachment.size !== null && (
          <span className="attachment-reason">{sizeOf(attachment.size, speech.language)}</span>
        )}
      </span>
    </a>
  )
}

const kinds = ['image', 'video', 'audio', 'file', 'sticker', 'location', 'share'] as const

function titleOf(attachment: Attachment, { t }: Speech): string {
  return attachment.title ?? t(`attachment.${kinds.find((kind) => kind === attachment.kind) ?? 'other'}`)
}

function sizeOf(bytes: number, language: string): string {
  const [value, unit] = bytes < 1_000_000 ? [bytes / 1_000, 'kilobyte'] : [bytes / 1_000_000, 'megabyte']
  return new Intl.NumberFormat(language, { style: 'unit', unit, maximumFractionDigits: value < 10 ? 1 : 0 }).format(
    value,
  )
}
