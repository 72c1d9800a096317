import { lazy, Suspense, useState } from 'react'
import type { MessageJson } from '../presenters/shapes.ts'
import { useSpeech } from './texts/index.tsx'

const Viewer = lazy(() => import('./viewer.tsx').then((file) => ({ default: file.Viewer })))

type Attachment = MessageJson['attachments'][number]

/** Whether it is a picture that can be shown: those without smaller copies are only for saving. */
export const isPicture = (attachment: Attachment): boolean =>
  attachment.state === 'fetched' &&
  (attachment.content_type ?? '').startsWith('image/') &&
  attachment.variants.length > 0

/** The pictures of one message: small ones in their real proportions, and a viewer when one is opened. */
export function Pictures({ pictures }: { readonly pictures: readonly Attachment[] }) {
  const { t } = useSpeech()
  const [shown, setShown] = useState<number>()
  return (
    <>
      {pictures.map((picture, index) => {
        const small = picture.variants[0]
        const name = picture.alt_text ?? picture.title ?? t('attachment.image')
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
      {shown !== undefined && (
        <Suspense>
          <Viewer pictures={pictures} shown={shown} onShow={setShown} />
        </Suspense>
      )}
    </>
  )
}
