import { ActionIcon, Button, CopyButton, Group, Skeleton, Text, Title } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import {
  IconAlertTriangle,
  IconCheck,
  IconCircleCheck,
  IconCopy,
  IconPlugConnected,
  IconPlugConnectedX,
  IconPlus,
} from '@tabler/icons-react'
import { useEffect, useState } from 'react'
import type { AppJson, ChannelJson } from '../../presenters/shapes.ts'
import { api } from '../api.ts'
import { useNow } from '../clock.ts'
import { ChannelMark } from '../person.tsx'
import { keys } from '../queries.ts'
import { useSession } from '../session.ts'
import { Empty, Failure } from '../states.tsx'
import { useSpeech } from '../texts/index.tsx'
import { AddApp } from './add-app.tsx'
import { AddChannel } from './add-channel.tsx'

/** Where people can write to us, and how each connection does. */
export function Channels() {
  const { t } = useSpeech()
  const isAdministrator = useSession().user.role === 'administrator'
  const channels = useQuery({
    queryKey: keys.channels,
    queryFn: ({ signal }) => api.channels(signal),
    staleTime: 10_000,
    refetchInterval: 30_000,
  })
  const apps = useQuery({ queryKey: keys.apps, queryFn: ({ signal }) => api.apps(signal), enabled: isAdministrator })
  const [adding, setAdding] = useState<'app' | 'channel'>()
  useEffect(() => {
    document.title = `${t('place.channels')} · ${t('app.name')}`
  }, [t])
  const appList = apps.data?.items ?? []

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
          {isAdministrator && (
            <Group gap="xs">
              <Button
                variant="default"
                leftSection={<IconPlus size={18} aria-hidden />}
                onClick={() => setAdding('app')}
              >
                {t('channels.add_app')}
              </Button>
              <Button
                leftSection={<IconPlus size={18} aria-hidden />}
                onClick={() => setAdding('channel')}
                disabled={appList.length === 0}
              >
                {t('channels.add')}
              </Button>
            </Group>
          )}
        </header>
        {channels.isPending && <Skeleton height={66} radius="md" aria-label={t('state.loading')} />}
        {channels.isError && <Failure error={channels.error} again={() => void channels.refetch()} />}
        {channels.data?.items.length === 0 && (
          <Empty
            icon={<IconPlugConnected size={40} stroke={1.3} />}
            title={t('channels.empty')}
            hint={t('channels.empty_hint')}
          />
        )}
        <ul className="cards" aria-label={t('channels.list')}>
          {channels.data?.items.map((channel) => (
            <ChannelCard key={channel.id} channel={channel} />
          ))}
        </ul>
        {isAdministrator && (
          <>
            <Title order={2} size="h4" mt="xl" mb="sm">
              {t('channels.apps')}
            </Title>
            {apps.isError && <Failure error={apps.error} again={() => void apps.refetch()} />}
            {apps.data && appList.length === 0 && <Text c="dimmed">{t('channels.apps_empty')}</Text>}
            <ul className="cards" aria-label={t('channels.apps')}>
              {appList.map((app) => (
                <AppCard key={app.id} app={app} />
              ))}
            </ul>
          </>
        )}
      </div>
      <AddApp isOpen={adding === 'app'} close={() => setAdding(undefined)} />
      <AddChannel isOpen={adding === 'channel'} apps={appList} close={() => setAdding(undefined)} />
    </div>
  )
}

const signs = { connected: IconCircleCheck, degraded: IconAlertTriangle, reconnect_needed: IconPlugConnectedX } as const

function ChannelCard({ channel }: { readonly channel: ChannelJson }) {
  const { t, times } = useSpeech()
  const now = useNow()
  const { health } = channel
  const Sign = signs[health.state]
  return (
    <li className="card-row">
      <ChannelMark type={channel.type} size={28} />
      <div className="card-main">
        <Text fw={600}>{channel.name}</Text>
        <div className="card-side">
          {health.last_event_at
            ? t('channels.last_event', { time: times.relative(health.last_event_at, now) })
            : t('channels.no_event')}
          {health.token_expires_at &&
            ` · ${t('channels.token_expires', { time: times.relative(health.token_expires_at, now) })}`}
        </div>
        {health.reason && <div>{health.reason}</div>}
      </div>
      <span className="health" data-state={health.state}>
        <Sign size={18} aria-hidden /> {t(`channels.${health.state}`)}
      </span>
    </li>
  )
}

function AppCard({ app }: { readonly app: AppJson }) {
  const { t } = useSpeech()
  return (
    <li className="card-row">
      <div className="card-main">
        <Text fw={600}>{app.name}</Text>
        <CopyLine name={t('channels.webhook')} value={app.webhook_url} />
        {app.verify_token && <CopyLine name={t('channels.verify_token')} value={app.verify_token} />}
      </div>
      <span className="card-side">{app.network === 'meta' ? 'Meta' : 'X'}</span>
    </li>
  )
}

function CopyLine({ name, value }: { readonly name: string; readonly value: string }) {
  const { t } = useSpeech()
  return (
    <div className="copy-line">
      <span className="dimmed">{name}</span>
      <code title={value}>{value}</code>
      <CopyButton value={value}>
        {({ copied, copy }) => (
          <ActionIcon
            variant="subtle"
            color="gray"
            size={28}
            onClick={copy}
            aria-label={copied ? t('channels.copied') : `${t('channels.copy')}: ${name}`}
          >
            {copied ? <IconCheck size={16} /> : <IconCopy size={16} />}
          </ActionIcon>
        )}
      </CopyButton>
    </div>
  )
}
