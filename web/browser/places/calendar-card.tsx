/** A post in the calendar: when, where, its first words, how it stands. */
import { IconPhoto, IconPlayerPlay } from '@tabler/icons-react'
import { memo } from 'react'
import { Link } from 'react-router'
import type { PlannedPostJson } from '../../presenters/post-shapes.ts'
import { ChannelMark } from '../person.tsx'
import { useSpeech } from '../texts/index.tsx'
import type { Zone } from './calendar-days.ts'
import { mayMove } from './post-api.ts'
import { pictureOf } from './post-form.ts'
import { StateWord, toneOf } from './post-state.tsx'

interface Props {
  readonly post: PlannedPostJson
  readonly zone: Zone
  readonly href: string
  readonly isOpen: boolean
  readonly isLarge?: boolean
}

export const dragType = 'application/x-parley-post'

export const PostCard = memo(function PostCard({ post, zone, href, isOpen, isLarge = false }: Props) {
  const { t } = useSpeech()
  const words = wordsOf(post)
  const own = post.channels.find(({ files }) => files !== null && files.length > 0)
  const [file] = post.files.length > 0 ? post.files : (own?.files ?? [])
  const picture = file && thumbnailOf(file)
  return (
    <Link
      to={href}
      className="post-card"
      data-post={post.id}
      data-tone={toneOf(post.state)}
      data-large={isLarge || undefined}
      aria-current={isOpen ? 'true' : undefined}
      draggable={mayMove(post)}
      onDragStart={(event) => {
        event.dataTransfer.setData(dragType, post.id)
        event.dataTransfer.effectAllowed = 'move'
      }}
    >
      <span className="post-card-first">
        {post.publish_at && (
          <time dateTime={post.publish_at} title={zone.exact(post.publish_at)}>
            {zone.clock(post.publish_at)}
          </time>
        )}
        <span className="post-card-marks">
          {post.channels.map(({ id, channel }) => (
            <span key={id} title={channel.name}>
              <ChannelMark type={channel.type} size={16} />
            </span>
          ))}
          {post.channels.length === 0 && <span className="mark-text">{t('post.nowhere_yet')}</span>}
        </span>
      </span>
      <span className="post-card-body">
        <span className="post-card-words" dir="auto">
          {words || t('post.wordless')}
        </span>
        {file &&
          (picture ? (
            <img src={picture} alt="" loading="lazy" className="post-card-picture" draggable={false} />
          ) : (
            <span className="post-card-picture" aria-hidden>
              {file.content_type.startsWith('video/') ? <IconPlayerPlay size={18} /> : <IconPhoto size={18} />}
            </span>
          ))}
      </span>
      <StateWord state={post.state} />
    </Link>
  )
})

export function wordsOf(post: PlannedPostJson): string {
  const own = post.channels.find(({ text }) => text !== null && text.trim() !== '')?.text
  return (post.text.trim() || own?.trim() || post.link || '').slice(0, 200)
}

const thumbnailOf = ({ document_id, content_type, variants }: PlannedPostJson['files'][number]): string | null =>
  variants.find(({ name }) => name === 'thumbnail')?.url ?? pictureOf(document_id, content_type, variants)
