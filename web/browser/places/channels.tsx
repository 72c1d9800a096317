/** Where people can write to us, and how each connection does. */
import { Button, Skeleton, Text, Title } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { IconPlugConnected, IconPlus } from '@tabler/icons-react'
import { useEffect, useState } from 'react'
import { Link } from 'react-router'
import type { ChannelJson } from '../../presenters/shapes.ts'
import { api } from '../api.ts'
import { useNow } from '../clock.ts'
import { useActions } from '../keyboard.ts'
import { ChannelMark } from '../person.tsx'
import { keys } from '../queries.ts'
import { useSession } from '../session.ts'
import { Empty, Failure } from '../states.tsx'
import { useSpeech } from '../texts/index.tsx'
import { AddApp } from './add-app.tsx'
import { AppCard } from './app-card.tsx'
import { CureButton, HealthMark, useReason } from './channel-health.tsx'

export function Channels() {
  const { t } = useSpeech()
  const isAdministrator = useSession().permissions.includes('apps.manage')
  const channels = useQuery({
    queryKey: keys.channels,
    queryFn: ({ signal }) => api.channels(signal),
    staleTime: 10_000,
    refetchInterval: 30_000,
  })
  const apps = useQuery({ queryKey: keys.apps, queryFn: ({ signal }) => api.apps(signal), enabled: isAdministrator })
  const [isAddingApp, setAddingApp] = useState(false)
  useEffect(() => {
    document.title = `${t('place.channels')} · ${t('app.name')}`
  }, [t])
  const step = (by: 1 | -1): void => {
    const links = [...document.querySelectorAll<HTMLElement>('.channel-name')]
    const at = links.findIndex((link) => link === document.activeElement)
    links[at < 0 ? 0 : Math.min(links.length - 1, Math.max(0, at + by))]?.focus()
  }
  useActions([
    { id: 'channel-next', label: 'action.next_line', keys: 'j', group: 'group.list', isKeyOnly: true, run: () => step(1) },
    { id: 'channel-previous', label: 'action.previous_line', keys: 'k', group: 'group.list', isKeyOnly: true, run: () => step(-1) },
  ]) // prettier-ignore
  const appList = apps.data?.items ?? []
  const connect = (
    <Button component={Link} to="/channels/connect" leftSection={<IconPlus size={18} aria-hidden />}>
      {t('channels.connect')}
    </Button>
  )

  return (
    <div className="place">
      <div className="place-inner">
        <header className="place-head">
          <div>
            <Title order={1} size="h2">
              {t('place.channels')}
            </Title>
            <Text c="dimmed">{t('channels.lead')}</Text>
          </div>
          {isAdministrator && channels.data?.items.length !== 0 && connect}
        </header>
        {channels.isPending && (
          <div role="status" aria-busy aria-label={t('state.loading')}>
            <Skeleton height={66} radius="md" mb={8} />
            <Skeleton height={66} radius="md" />
          </div>
        )}
        {channels.isError && !channels.data && <Failure error={channels.error} again={() => void channels.refetch()} />}
        {channels.data?.items.length === 0 && (
          <Empty
            icon={<IconPlugConnected size={40} stroke={1.3} />}
            title={t('channels.empty')}
            hint={t('channels.empty_hint')}
          >
            {isAdministrator && connect}
          </Empty>
        )}
        <ul className="cards" aria-label={t('channels.list')}>
          {channels.data?.items.map((channel) => (
            <ChannelCard key={channel.id} channel={channel} isAdministrator={isAdministrator} />
          ))}
        </ul>
        {isAdministrator && (
          <section aria-label={t('channels.apps')}>
            <header className="place-head place-part">
              <div>
                <Title order={2} size="h4">
                  {t('channels.apps')}
                </Title>
                <Text c="dimmed">{t('channels.apps_lead')}</Text>
              </div>
              <Button
                variant="default"
                leftSection={<IconPlus size={18} aria-hidden />}
                onClick={() => setAddingApp(true)}
              >
                {t('channels.add_app')}
              </Button>
            </header>
            {apps.isError && <Failure error={apps.error} again={() => void apps.refetch()} />}
            {apps.data && appList.length === 0 && <Text c="dimmed">{t('channels.apps_empty')}</Text>}
            <ul className="cards" aria-label={t('channels.apps')}>
              {appList.map((app) => (
                <AppCard key={app.id} app={app} />
              ))}
            </ul>
          </section>
        )}
      </div>
      <AddApp isOpen={isAddingApp} close={() => setAddingApp(false)} />
    </div>
  )
}

function ChannelCard({
  channel,
  isAdministrator,
}: {
  readonly channel: ChannelJson
  readonly isAdministrator: boolean
}) {
  const { t, times } = useSpeech()
  const now = useNow()
  const reason = useReason(channel)
  const { health } = channel
  const told = [
    health.last_event_at
      ? t('channels.last_event', { time: times.relative(health.last_event_at, now) })
      : t('channels.no_event'),
    ...(health.catching_up ? [t('channels.catching_up', { count: health.catching_up.found })] : []),
  ]
  return (
    <li className="card-row">
      <ChannelMark type={channel.type} size={28} />
      <div className="card-main">
        {isAdministrator ? (
          <Link to={`/channels/${channel.id}`} className="channel-name">
            {channel.name}
          </Link>
        ) : (
          <span className="channel-name">{channel.name}</span>
        )}
        <div className="card-side">{reason ?? told.join(' · ')}</div>
      </div>
      <HealthMark channel={channel} />
      {isAdministrator && <CureButton channel={channel} />}
    </li>
  )
}
