/** One picture, large: arrows to the next, + to see it in its full size, Escape back. */
import { ActionIcon, Modal } from '@mantine/core'
import { IconChevronLeft, IconChevronRight, IconDownload, IconZoomIn, IconZoomOut } from '@tabler/icons-react'
import { useState, type KeyboardEvent } from 'react'
import type { MessageJson } from '../presenters/shapes.ts'
import { useSpeech } from './texts/index.tsx'

interface Props {
  readonly pictures: readonly MessageJson['attachments'][number][]
  readonly shown: number
  readonly onShow: (index: number | undefined) => void
}

export function Viewer({ pictures, shown, onShow }: Props) {
  const { t } = useSpeech()
  const [isLarge, setLarge] = useState(false)
  const picture = pictures[shown]
  const large = picture?.variants.at(-1)
  const words = picture?.alt_text ?? picture?.title ?? t('attachment.image')
  const step = (by: number): void => {
    setLarge(false)
    onShow((shown + by + pictures.length) % pictures.length)
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'ArrowRight') step(1)
    else if (event.key === 'ArrowLeft') step(-1)
    else if (event.key === '+' || event.key === '=') setLarge(true)
    else if (event.key === '-' || event.key === '0') setLarge(false)
    // The keys of the inbox behind it rest.
    if (event.key !== 'Escape') event.stopPropagation()
  }
  return (
    <Modal
      opened
      onClose={() => onShow(undefined)}
      size="auto"
      centered
      title={picture?.title ?? t('attachment.image')}
      closeButtonProps={{ 'aria-label': t('attachment.close') }}
      transitionProps={{ duration: 0 }}
    >
      <div className="viewer" onKeyDown={onKeyDown} data-large={isLarge || undefined}>
        <div className="viewer-frame" tabIndex={isLarge ? 0 : -1}>
          <img
            // The largest copy is enough until someone looks closer.
            src={isLarge ? (picture?.url ?? large?.url) : large?.url}
            width={isLarge ? undefined : large?.width}
            height={isLarge ? undefined : large?.height}
            alt={words}
            onClick={() => setLarge((is) => !is)}
          />
        </div>
        {picture?.alt_text && <p className="viewer-words">{picture.alt_text}</p>}
        <div className="viewer-tools">
          {pictures.length > 1 && (
            <>
              <ActionIcon variant="default" size={40} aria-label={t('attachment.before')} onClick={() => step(-1)}>
                <IconChevronLeft size={20} />
              </ActionIcon>
              <span aria-live="polite">
                {shown + 1} / {pictures.length}
              </span>
              <ActionIcon variant="default" size={40} aria-label={t('attachment.after')} onClick={() => step(1)}>
                <IconChevronRight size={20} />
              </ActionIcon>
            </>
          )}
          <ActionIcon
            variant="default"
            size={40}
            aria-label={t(isLarge ? 'viewer.fit' : 'viewer.zoom')}
            aria-pressed={isLarge}
            data-autofocus
            onClick={() => setLarge((is) => !is)}
          >
            {isLarge ? <IconZoomOut size={20} /> : <IconZoomIn size={20} />}
          </ActionIcon>
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
