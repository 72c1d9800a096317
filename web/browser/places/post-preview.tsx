/** Roughly how each network will show a post: its order of things and its cuts, in a neutral skin. */
import { IconFile, IconPlayerPlay, IconWorld } from '@tabler/icons-react'
import { ChannelMark, Person } from '../person.tsx'
import { useSpeech } from '../texts/index.tsx'
import { filesFor, isLinkGood, linkOf, textFor, type FormFile, type PostForm } from './post-form.ts'
import { PostProblems } from './post-problems.tsx'
import type { PostCheck } from './use-post-checks.ts'

interface Props {
  readonly form: PostForm
  readonly checks: readonly PostCheck[]
  readonly when: string
}

/** Beyond so many characters a network folds the text. */
const folds: Readonly<Record<string, number>> = { facebook: 480, instagram: 125 }

export function PostPreviews({ form, checks, when }: Props) {
  const { t } = useSpeech()
  return (
    <section className="post-previews" aria-label={t('post.preview')}>
      <h2>{t('post.preview')}</h2>
      {checks.length === 0 && <p className="dimmed">{t('post.preview_empty')}</p>}
      {checks.map((check) => (
        <Preview key={check.channel.id} form={form} check={check} when={when} />
      ))}
    </section>
  )
}

function Preview({ form, check, when }: { readonly form: PostForm; readonly check: PostCheck; readonly when: string }) {
  const { t } = useSpeech()
  const { channel, limits } = check
  const text = textFor(form, channel.id).trim()
  const files = filesFor(form, channel.id)
  const link = isLinkGood(form.link) && limits?.has_link === true ? linkOf(form.link) : null
  const fold = folds[channel.type] ?? Infinity
  // Of what is too long the part beyond the limit is marked, so that it is seen where to cut.
  const over =
    limits !== null && limits.counting !== 'bytes' && check.length > limits.max_text_length
      ? check.length - limits.max_text_length
      : 0
  const good = over > 0 ? text.slice(0, Math.max(0, text.length - over)) : text
  const shown = over === 0 && good.length > fold ? `${good.slice(0, fold).trimEnd()}…` : good
  const words = (text !== '' || (files.length === 0 && link === null)) && (
    <p className="preview-words" dir="auto">
      {channel.type === 'instagram' && files.length > 0 && <strong>{channel.name} </strong>}
      {text === '' ? <span className="dimmed">{t('post.preview_words')}</span> : shown}
      {over > 0 && <mark>{text.slice(good.length)}</mark>}
      {shown.endsWith('…') && shown !== good && <span className="dimmed"> {t('post.preview_more')}</span>}
      {channel.type === 'x' && link !== null && !text.includes(link) && (
        <span className="preview-link-text"> {link.replace(/^https?:\/\//, '')}</span>
      )}
    </p>
  )
  const media = files.length > 0 && <Media files={files} isSquare={channel.type === 'instagram'} />
  return (
    <article
      className="preview"
      data-channel={channel.type}
      aria-label={`${channel.name}, ${t(`channel.${channel.type}`)}`}
    >
      <header className="preview-head">
        <Person name={channel.name} id={channel.id} size={36} />
        <span>
          <strong>{channel.name}</strong>
          <span className="mark-text">
            {when} {channel.type === 'facebook' && <IconWorld size={14} aria-hidden />}
          </span>
        </span>
        <ChannelMark type={channel.type} size={20} />
      </header>
      {channel.type === 'instagram'
        ? [<div key="media">{media}</div>, <div key="words">{words}</div>]
        : [<div key="words">{words}</div>, <div key="media">{media}</div>]}
      {link !== null && files.length === 0 && (
        <div className="preview-link">
          <span className="mark-text">{URL.parse(link)?.host ?? link}</span>
          <span>{link}</span>
        </div>
      )}
      <PostProblems checks={[check]} form={form} />
    </article>
  )
}

function Media({ files, isSquare }: { readonly files: readonly FormFile[]; readonly isSquare: boolean }) {
  const { t } = useSpeech()
  const shown = isSquare ? files.slice(0, 1) : files.slice(0, 4)
  return (
    <div className="preview-media" data-count={shown.length} data-square={isSquare || undefined}>
      {shown.map((file, index) => (
        <span key={file.key} className="preview-file">
          {file.contentType.startsWith('video/') && file.url ? (
            <video src={file.url} muted controls preload="metadata" aria-label={file.altText || file.name} />
          ) : file.picture ? (
            <img src={file.picture} alt={file.altText || t('post.no_alt', { name: file.name })} />
          ) : (
            <span className="preview-blank">
              {file.contentType.startsWith('video/') ? (
                <IconPlayerPlay size={28} aria-hidden />
              ) : (
                <IconFile size={28} aria-hidden />
              )}
              {file.name}
            </span>
          )}
          {index === shown.length - 1 && files.length > shown.length && (
            <span className="preview-rest">{isSquare ? `1/${files.length}` : `+${files.length - shown.length}`}</span>
          )}
        </span>
      ))}
    </div>
  )
}
