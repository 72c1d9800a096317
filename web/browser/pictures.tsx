import { ActionIcon, Modal } from '@mantine/core'
import { IconChevronLeft, IconChevronRight, IconDownload } from '@tabler/icons-react'
import { useState, type KeyboardEvent } from 'react'
import type { MessageJson } from '../presenters/shapes.ts'
import { useSpeech } from './texts/index.tsx'

type Attachment = MessageJson['attachments'][number]

/** Whether it is a picture that can be shown: those without smaller copies are only for saving. */
export const isPicture = (attachment: Attachment): boolean =>
  attachment.state === 'fetched' &&
  (attachment.content_type ?? '').startsWith('image/') &&
  attachment.variants.length > 0

/** The pictures of one message: small ones in their real proportions, and a viewer with arrows. */
export function Pictures({ pictures }: { readonly pictures: readonly Attachment[] }) {
  const { t } = useSpeech()
  const [shown, setShown] = useState<number>()
  return (
    <>
      {pictures.map((picture, index) => {
        const small = picture.variants[0]
        const name = picture.title ?? t('attachment.image')
        return (
          <button
            type="button"
            key={picture.id}
            className="bare attachment-image"
            aria-label={t('attachment.open', { name })}
            onClick={() => setShown(index)}
          >
            <img src={small?.url} width={small?.width} height={small?.height} alt={name} loading="lazy" />
          </button>
        )
      })}
      <Viewer pictures={pictures} shown={shown} onShow={setShown} />
    </>
  )
}

interface ViewerProps {
  readonly pictures: readonly Attachment[]
  readonly shown: number | undefined
  readonly onShow: (index: number | undefined) => void
}

function Viewer({ pictures, shown, onShow }: ViewerProps) {
  const { t } = useSpeech()
  const picture = shown === undefined ? undefined : pictures[shown]
  const large = picture?.variants.at(-1)
  const step = (by: number) => shown !== undefined && onShow((shown + by + pictures.length) % pictures.length)
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'ArrowRight') step(1)
    else if (event.key === 'ArrowLeft') step(-1)
    // The keys of the inbox behind it rest.
    if (event.key !== 'Escape') event.stopPropagation()
  }
  return (
    <Modal
      opened={picture !== undefined}
      onClose={() => onShow(undefined)}
      size="auto"
      centered
      title={picture?.title ?? t('attachment.image')}
      closeButtonProps={{ 'aria-label': t('attachment.close') }}
      transitionProps={{ duration: 0 }}
    >
      <div className="viewer" onKeyDown={onKeyDown}>
        <img
          src={large?.url}
          width={large?.width}
          height={large?.height}
          alt={picture?.title ?? t('attachment.image')}
        />
        <div className="viewer-tools">
          {pictures.length > 1 && (
            <>
              <ActionIcon variant="default" size={40} aria-label={t('attachment.before')} onClick={() => step(-1)}>
                <IconChevronLeft size={20} />
              </ActionIcon>
              <span>
                {(shown ?? 0) + 1} / {pictures.length}
              </span>
              <ActionIcon variant="default" size={40} aria-label={t('attachment.after')} onClick={() => step(1)}>
                <IconChevronRight size={20} />
              </ActionIcon>
            </>
          )}
          <ActionIcon
            component="a"
            href={picture?.url ?? ''}
            target="_blank"
            rel="noreferrer"
            variant="default"
            size={40}
            aria-label={t('attachment.original')}
          >
            <IconDownload size={20} />
          </ActionIcon>
        </div>
      </div>
    </Modal>
  )
}
