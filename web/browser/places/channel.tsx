/** One channel: how it is, what mends it, and what can be done with it. */
import { ActionIcon, Button, Group, Progress, Skeleton, Text, Title } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import {
  IconArrowLeft,
  IconHistory,
  IconPencil,
  IconPlugConnected,
  IconStethoscope,
  IconUnlink,
} from '@tabler/icons-react'
import { useEffect, useState } from 'react'
import { Link, useParams, useSearchParams } from 'react-router'
import type { ChannelJson } from '../../presenters/shapes.ts'
import { useNow } from '../clock.ts'
import { ChannelMark } from '../person.tsx'
import { keys } from '../queries.ts'
import { Failure } from '../states.tsx'
import { useSpeech } from '../texts/index.tsx'
import { CureButton, cureOf, HealthMark, stateOf, useCatchUp, useReason } from './channel-health.tsx'
import { channelsApi } from './channels-api.ts'
import { Disconnect } from './disconnect.tsx'
import { Examination } from './examination.tsx'
import { FormDialog } from './form.tsx'
import { useRename } from './use-rename.ts'

export function Channel() {
  const { t } = useSpeech()
  const { channelId = '' } = useParams()
  const query = useQuery({
    queryKey: keys.channel(channelId),
    queryFn: ({ signal }) => channelsApi.one(channelId, signal),
    staleTime: 5_000,
    // Facts tell of changes; how far a catching up has come is not a fact.
    refetchInterval: (current) => (current.state.data?.health.catching_up ? 2_000 : 30_000),
  })
  useEffect(() => {
    document.title = `${query.data?.name ?? t('place.channels')} · ${t('app.name')}`
  }, [t, query.data?.name])
  return (
    <div className="place">
      <div className="place-inner">
        <Link to="/channels" className="back-link">
          <IconArrowLeft size={18} aria-hidden /> {t('place.channels')}
        </Link>
        {query.isPending && <Skeleton height={180} radius="md" mt="md" aria-label={t('state.loading')} />}
        {query.isError && !query.data && <Failure error={query.error} again={() => void query.refetch()} />}
        {query.data && <Shown key={channelId} channel={query.data} />}
      </div>
    </div>
  )
}

function Shown({ channel }: { readonly channel: ChannelJson }) {
  const { t } = useSpeech()
  const [search] = useSearchParams()
  // Each turn is one run of the check.
  const [turn, setTurn] = useState(search.get('examine') === '1' ? 1 : 0)
  const [isRenaming, setRenaming] = useState(false)
  const [isLeaving, setLeaving] = useState(false)
  const reason = useReason(channel)
  const catchUp = useCatchUp(channel.id)
  const rename = useRename(channel.id)
  const cure = cureOf(channel)
  const isDisconnected = channel.disconnected_at !== null
  const examine = (): void => setTurn((old) => old + 1)
  return (
    <>
      <header className="channel-head">
        <ChannelMark type={channel.type} size={40} />
        <div className="card-main">
          <Group gap={4} wrap="nowrap">
            <Title order={1} size="h2">
              {channel.name}
            </Title>
            <ActionIcon
              variant="subtle"
              color="gray"
              size={32}
              aria-label={t('channels.rename')}
              onClick={() => setRenaming(true)}
            >
              <IconPencil size={18} />
            </ActionIcon>
          </Group>
          <Text c="dimmed">
            {t(`channel.${channel.type}`)} · {channel.external_id}
          </Text>
        </div>
      </header>
      <div className="channel-health" data-state={stateOf(channel)}>
        <HealthMark channel={channel} />
        <div className="card-main">{reason ?? t('channels.all_well')}</div>
        <CureButton channel={channel} examine={examine} />
      </div>
      <Group gap="xs" my="md">
        {!isDisconnected && (
          <>
            {cure !== 'examine' && (
              <Button variant="default" leftSection={<IconStethoscope size={18} aria-hidden />} onClick={examine}>
                {t('channels.examine')}
              </Button>
            )}
            {cure !== 'catch_up' && (
              <Button
                variant="default"
                leftSection={<IconHistory size={18} aria-hidden />}
                loading={catchUp.isPending}
                disabled={channel.health.catching_up !== null || channel.health.state === 'reconnect_needed'}
                onClick={() => catchUp.mutate()}
              >
                {t('channels.catch_up')}
              </Button>
            )}
            {cure !== 'reconnect' && (
              <Button
                variant="default"
                component={Link}
                to={`/channels/connect?channel=${channel.id}`}
                leftSection={<IconPlugConnected size={18} aria-hidden />}
              >
                {t('channels.reconnect')}
              </Button>
            )}
            <Button
              variant="subtle"
              color="red"
              leftSection={<IconUnlink size={18} aria-hidden />}
              onClick={() => setLeaving(true)}
            >
              {t('channels.disconnect')}
            </Button>
          </>
        )}
      </Group>
      {turn > 0 && <Examination key={turn} channelId={channel.id} name={channel.name} />}
      <Facts channel={channel} />
      <FormDialog
        title={t('channels.rename')}
        isOpen={isRenaming}
        close={() => setRenaming(false)}
        initial={{ name: channel.name }}
        fields={() => [{ name: 'name', label: t('channels.name') }]}
        save={({ name = '' }) => rename(name)}
      />
      <Disconnect channel={channel} isOpen={isLeaving} close={() => setLeaving(false)} />
    </>
  )
}

function Facts({ channel }: { readonly channel: ChannelJson }) {
  const { t, times, language } = useSpeech()
  const now = useNow()
  const { health } = channel
  const percent = new Intl.NumberFormat(language, { style: 'percent', maximumFractionDigits: 0 })
  const when = (instant: string | null, none: string) =>
    instant === null ? none : <span title={times.exact(instant)}>{times.relative(instant, now)}</span>
  return (
    <dl className="facts facts-card">
      <dt>{t('channels.fact_event')}</dt>
      <dd>{when(health.last_event_at, t('channels.no_event'))}</dd>
      {channel.disconnected_at === null && (
        <>
          <dt>{t('channels.fact_subscription')}</dt>
          <dd>
            {health.subscription === null
              ? t('channels.not_known')
              : health.subscription.missing.length > 0
                ? t('channels.subscription_lacks', { names: health.subscription.missing.join(', ') })
                : t(`channels.subscription_${health.subscription.state}`)}
          </dd>
          <dt>{t('channels.fact_token')}</dt>
          <dd>{when(health.token_expires_at, t('channels.token_endless'))}</dd>
          <dt>{t('channels.fact_checked')}</dt>
          <dd>{when(health.checked_at, t('channels.never'))}</dd>
          <dt>{t('channels.fact_caught_up')}</dt>
          <dd>
            {health.catching_up ? (
              <>
                {t('channels.catching_up_long', {
                  since: times.exact(health.catching_up.since),
                  found: health.catching_up.found,
                  fresh: health.catching_up.fresh,
                })}
                {health.catching_up.last_error && <div className="dimmed">{health.catching_up.last_error}</div>}
              </>
            ) : (
              when(health.caught_up_to, t('channels.never'))
            )}
          </dd>
        </>
      )}
      {health.quotas.map(({ name, used, resets_at }) => (
        <FactOfQuota
          key={name}
          name={name}
          used={used}
          text={`${percent.format(used)}${resets_at ? ` · ${t('channels.quota_resets', { time: times.relative(resets_at, now) })}` : ''}`}
        />
      ))}
      <dt>{t('channels.fact_since')}</dt>
      <dd>{when(channel.created_at, '')}</dd>
    </dl>
  )
}

function FactOfQuota({ name, used, text }: { readonly name: string; readonly used: number; readonly text: string }) {
  const { t } = useSpeech()
  return (
    <>
      <dt>{t('channels.fact_quota', { name })}</dt>
      <dd className="quota">
        <Progress
          value={Math.min(100, used * 100)}
          color={used >= 0.9 ? 'red' : used >= 0.75 ? 'yellow' : 'harbour'}
          aria-label={t('channels.fact_quota', { name })}
        />
        <span className="count">{text}</span>
      </dd>
    </>
  )
}
