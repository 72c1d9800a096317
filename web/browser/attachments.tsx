import { Button } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { IconExternalLink, IconFile, IconHourglassLow, IconId, IconMapPin, IconPhotoOff } from '@tabler/icons-react'
import type { MessageJson } from '../presenters/shapes.ts'
import { isPicture, Pictures } from './pictures.tsx'
import { useFetchAgain } from './queries.ts'
import { useSpeech, type Speech } from './texts/index.tsx'
import { isWeb } from './web-address.ts'

type Attachment = MessageJson['attachments'][number]

/** Files of a message: fetched ones to see and open, pending and unavailable ones in words. */
export function Attachments({ attachments }: { readonly attachments: readonly Attachment[] }) {
  if (attachments.length === 0) return null
  return (
    <div className="attachments" data-many={attachments.length > 1 || undefined}>
      <Pictures pictures={attachments.filter(isPicture)} />
      {attachments
        .filter((attachment) => !isPicture(attachment))
        .map((attachment) => (
          <One key={attachment.id} attachment={attachment} />
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
  if (attachment.state === 'fetched' && attachment.url === null) return <Card attachment={attachment} />
  if (attachment.state === 'unavailable' || attachment.url === null) {
    return (
      <span className="attachment-card" data-state="unavailable">
        <IconPhotoOff size={18} aria-hidden />
        <span>
          {name} · {t('attachment.unavailable')}
          {attachment.reason && <span className="attachment-reason">{attachment.reason}</span>}
        </span>
        {attachment.can_retry && <FetchAgain attachment={attachment} />}
      </span>
    )
  }
  const type = attachment.content_type ?? ''
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
        {attachment.text !== null && (
          <span className="attachment-text" dir="auto">
            {attachment.text}
          </span>
        )}
        {attachment.size !== null && (
          <span className="attachment-reason">{sizeOf(attachment.size, speech.language)}</span>
        )}
      </span>
    </a>
  )
}

/** What has no file: a place, a contact, an order, a shared post. The link leads out and tells nobody where from. */
function Card({ attachment }: { readonly attachment: Attachment }) {
  const speech = useSpeech()
  const { link, text, kind } = attachment
  const isOutside = isWeb(link)
  const Icon = kind === 'location' ? IconMapPin : kind === 'share' ? IconExternalLink : IconId
  return (
    <span className="attachment-card" data-card>
      <Icon size={18} aria-hidden />
      <span>
        <span dir="auto">{titleOf(attachment, speech)}</span>
        {text !== null && (
          <span className="attachment-text" dir="auto">
            {text}
          </span>
        )}
        {isOutside && (
          <a href={link} target="_blank" rel="noreferrer noopener nofollow" className="attachment-link">
            {speech.t('attachment.outside', { host: new URL(link).host })}
          </a>
        )}
      </span>
    </span>
  )
}

function FetchAgain({ attachment }: { readonly attachment: Attachment }) {
  const { t } = useSpeech()
  const again = useFetchAgain((error) =>
    notifications.show({ color: 'red', message: t('attachment.fetch_failed', { reason: error.message }) }),
  )
  return (
    <Button variant="default" size="compact-sm" loading={again.isPending} onClick={() => again.mutate(attachment.id)}>
      {t('attachment.fetch_again')}
    </Button>
  )
}

const kinds = ['image', 'video', 'audio', 'file', 'sticker', 'location', 'share'] as const

function titleOf(attachment: Attachment, { t }: Speech): string {
  return attachment.title ?? t(`attachment.${kinds.find((kind) => kind === attachment.kind) ?? 'other'}`)
}

export function sizeOf(bytes: number, language: string): string {
  const [value, unit] = bytes < 1_000_000 ? [bytes / 1_000, 'kilobyte'] : [bytes / 1_000_000, 'megabyte']
  return new Intl.NumberFormat(language, { style: 'unit', unit, maximumFractionDigits: value < 10 ? 1 : 0 }).format(
    value,
  )
}
