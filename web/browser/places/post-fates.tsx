/** What became of a post on each channel: where it is, what is wrong, what can be done. */
import { Anchor, Button, Group } from '@mantine/core'
import { IconExternalLink, IconMessageCircle, IconRefresh } from '@tabler/icons-react'
import { Link } from 'react-router'
import type { PlannedPostJson, PublicationJson } from '../../presenters/post-shapes.ts'
import { useNow } from '../clock.ts'
import { ChannelMark } from '../person.tsx'
import { useSession } from '../session.ts'
import { useSpeech } from '../texts/index.tsx'
import { isWeb } from '../web-address.ts'
import type { Zone } from './calendar-days.ts'
import { postApi } from './post-api.ts'
import { StateWord } from './post-state.tsx'

interface Props {
  readonly post: PlannedPostJson
  readonly zone: Zone
  /** Does it and takes the post as it is afterwards. */
  readonly run: (act: () => Promise<PlannedPostJson>) => void
  readonly isBusy: boolean
}

export function PostFates({ post, zone, run, isBusy }: Props) {
  const { t } = useSpeech()
  return (
    <section className="post-part" aria-label={t('post.fates')}>
      <ul className="plain-list post-fates">
        {post.channels.map((publication) => (
          <li key={publication.id} className="post-fate" data-state={publication.state}>
            <div className="post-fate-head">
              <ChannelMark type={publication.channel.type} size={22} />
              <strong>{publication.channel.name}</strong>
              <StateWord state={publication.state} />
            </div>
            <Fate publication={publication} zone={zone} run={run} isBusy={isBusy} />
          </li>
        ))}
      </ul>
    </section>
  )
}

function Fate({ publication, zone, run, isBusy }: Omit<Props, 'post'> & { readonly publication: PublicationJson }) {
  const { t, times } = useSpeech()
  const now = useNow()
  const mayPublish = useSession().permissions.includes('posts.publish')
  const { id, state, reason, channel, permalink, comment_count, published_at, next_attempt_at, attempts } = publication
  const network = t(`channel.${channel.type}`)
  const soon = next_attempt_at === null ? null : times.relative(next_attempt_at, now)
  const retry = (label: string) => (
    <Button
      size="compact-md"
      variant="default"
      leftSection={<IconRefresh size={16} aria-hidden />}
      disabled={isBusy}
      onClick={() => run(() => postApi.retry(id))}
    >
      {label}
    </Button>
  )
  const tries = attempts.length > 1 && <span className="mark-text">{t('post.tries', { count: attempts.length })}</span>

  if (state === 'published')
    return (
      <Group gap="md">
        {published_at && (
          <time dateTime={published_at} title={zone.exact(published_at)}>
            {zone.short(published_at)}
          </time>
        )}
        {isWeb(permalink) && (
          <Anchor href={permalink} target="_blank" rel="noreferrer noopener">
            {t('conversation.post_open', { network })} <IconExternalLink size={14} aria-hidden />
          </Anchor>
        )}
        {comment_count !== null && (
          <Anchor component={Link} to="/inbox" className="post-comments">
            <IconMessageCircle size={16} aria-hidden /> {t('post.comments', { count: comment_count })}
          </Anchor>
        )}
      </Group>
    )
  if (state === 'retrying')
    return (
      <p>
        {reason} {soon !== null && <strong>{t('post.again', { time: soon })}</strong>} {tries}
      </p>
    )
  if (state === 'unknown')
    return (
      <>
        <p>
          {t('post.unknown_lead', { network })} {reason}{' '}
          {soon === null ? <strong>{t('post.unknown_left')}</strong> : t('post.unknown_checked', { time: soon })}
        </p>
        {mayPublish && (
          <Group gap="xs">
            <Button size="compact-md" disabled={isBusy} onClick={() => run(() => postApi.settle(id, true))}>
              {t('post.is_there')}
            </Button>
            <Button
              size="compact-md"
              variant="default"
              disabled={isBusy}
              onClick={() => run(() => postApi.settle(id, false))}
            >
              {t('post.is_not_there')}
            </Button>
            {soon === null && retry(t('post.retry'))}
          </Group>
        )}
      </>
    )
  if (state === 'failed' || state === 'cancelled' || state === 'asked')
    return (
      <>
        {reason !== null && <p>{reason}</p>}
        {state === 'failed' && <p className="dimmed">{t(cureOf(publication))}</p>}
        <Group gap="xs">
          {mayPublish && retry(t(state === 'failed' ? 'post.retry' : 'post.publish_here'))}
          {publication.problems.some(({ code }) => code === 'reconnect_needed' || code === 'disconnected') && (
            <Button size="compact-md" variant="default" component={Link} to={`/channels/${channel.id}`}>
              {t('post.to_channel')}
            </Button>
          )}
          {tries}
        </Group>
      </>
    )
  return null
}

/** What to do, by what the network minded. */
function cureOf({ reason_code }: PublicationJson) {
  const code = reason_code ?? ''
  if (/token|auth|permission|access|reconnect|disconnected/.test(code)) return 'post.cure_channel'
  if (/rate|limit|budget|throttl|spend/.test(code)) return 'post.cure_wait'
  return 'post.cure_change'
}
