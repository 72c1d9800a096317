import { Anchor } from '@mantine/core'
import { IconExternalLink, IconWorld } from '@tabler/icons-react'
import type { ConversationJson } from '../presenters/shapes.ts'
import { useNow } from './clock.ts'
import { ChannelMark } from './person.tsx'
import { useSpeech } from './texts/index.tsx'
import { isWeb } from './web-address.ts'

/** The words that nobody may overlook: it stands above the thread and never scrolls away. */
export function PublicBand({ conversation }: { readonly conversation: ConversationJson }) {
  const { t } = useSpeech()
  return (
    <div className="public-band" data-channel={conversation.channel.type}>
      <IconWorld size={18} aria-hidden />
      <strong>{t('conversation.public_band')}</strong>
      <span className="public-hint" title={conversation.post?.text ?? undefined}>
        {conversation.post?.text ?? t('conversation.public_hint')}
      </span>
    </div>
  )
}

/** The public post that the thread stands under. */
export function PostAbove({ conversation }: { readonly conversation: ConversationJson }) {
  const { t, times } = useSpeech()
  const now = useNow()
  const { post, channel } = conversation
  if (!post) return null
  return (
    <article className="post" aria-label={t('conversation.post', { name: channel.name })}>
      <div className="post-head">
        <ChannelMark type={channel.type} size={20} />
        <strong>{channel.name}</strong>
        {post.occurred_at && (
          <time dateTime={post.occurred_at} title={times.exact(post.occurred_at)}>
            {times.day(post.occurred_at, now)}, {times.clock(post.occurred_at)}
          </time>
        )}
        {isWeb(post.permalink) && (
          <Anchor href={post.permalink} target="_blank" rel="noreferrer noopener" className="post-link">
            {t('conversation.post_open', { network: t(`channel.${channel.type}`) })}{' '}
            <IconExternalLink size={14} aria-hidden />
          </Anchor>
        )}
      </div>
      <p className="post-text" dir="auto">
        {post.text ?? t('conversation.post_textless')}
      </p>
      {post.reactions.length > 0 && (
        <ul className="post-reactions">
          {post.reactions.slice(0, 6).map(({ emoji, count }) => (
            <li key={emoji}>
              <span aria-hidden>
                {emoji} {count}
              </span>
              <span className="heard-only">{t('conversation.post_reactions', { emoji, count: String(count) })}</span>
            </li>
          ))}
        </ul>
      )}
    </article>
  )
}
