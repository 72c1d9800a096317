/** How a channel is, in one line, and the cure as a button. */
import { Button } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import {
  IconAlertTriangle,
  IconCircleCheck,
  IconHistory,
  IconPlugConnected,
  IconPlugConnectedX,
  IconPlugX,
  IconStethoscope,
} from '@tabler/icons-react'
import { Link } from 'react-router'
import type { ChannelJson } from '../../presenters/shapes.ts'
import { newKey } from '../api.ts'
import { keys } from '../queries.ts'
import { useSpeech, type Key } from '../texts/index.tsx'
import { channelsApi } from './channels-api.ts'
import { useTell } from './use-tell.ts'

const signs = {
  connected: IconCircleCheck,
  degraded: IconAlertTriangle,
  reconnect_needed: IconPlugConnectedX,
  disconnected: IconPlugX,
} as const

export const stateOf = (channel: ChannelJson): keyof typeof signs =>
  channel.disconnected_at === null ? channel.health.state : 'disconnected'

/** The state as a sign and a word. */
export function HealthMark({ channel }: { readonly channel: ChannelJson }) {
  const { t } = useSpeech()
  const state = stateOf(channel)
  const Sign = signs[state]
  return (
    <span className="health" data-state={state}>
      <Sign size={18} aria-hidden /> {t(`channels.${state}`)}
    </span>
  )
}

/** What is wrong in the reader's language where the code is one of ours, else in the words of the network. */
const known: Readonly<Record<string, Key>> = {
  not_subscribed: 'trouble.not_subscribed',
  token_expired: 'trouble.token_expired',
  token_expires_soon: 'trouble.token_expires_soon',
  refresh_answer_lost: 'trouble.refresh_answer_lost',
}

export function useReason(channel: ChannelJson): string | undefined {
  const { t, times, language } = useSpeech()
  if (channel.disconnected_at !== null) return t('trouble.disconnected', { time: times.exact(channel.disconnected_at) })
  const { code, reason, token_expires_at } = channel.health
  const key = code === null ? undefined : known[code]
  if (key === undefined) {
    // The network explains itself in English, and more closely than a code can.
    const general = language === 'en' || code === null ? undefined : generalOf(channel.health.state, code)
    return general === undefined ? (reason ?? undefined) : t(general, { code: code ?? '' })
  }
  return t(key, { time: token_expires_at === null ? '' : times.exact(token_expires_at) })
}

function generalOf(state: ChannelJson['health']['state'], code: string): Key | undefined {
  if (code === 'subscription_partial') return 'trouble.subscription_partial'
  if (code.startsWith('subscription_')) return 'trouble.subscription_refused'
  if (state === 'reconnect_needed') return 'trouble.token_refused'
  return code === '100' ? 'trouble.app_refused' : undefined
}

/** Which of our actions mends it. */
export function cureOf(channel: ChannelJson): 'reconnect' | 'examine' | 'catch_up' | undefined {
  const { state, code } = channel.health
  if (channel.disconnected_at !== null || state === 'reconnect_needed') return 'reconnect'
  if (state === 'connected' || code === null) return undefined
  if (/^(token|refresh|expir|subscription_partial)/.test(code)) return 'reconnect'
  if (/^(catch_up|silence|gap)/.test(code)) return 'catch_up'
  return 'examine'
}

/** The one step that mends the channel. */
export function CureButton({ channel, examine }: { readonly channel: ChannelJson; readonly examine?: () => void }) {
  const { t } = useSpeech()
  const catchUp = useCatchUp(channel.id)
  const cure = cureOf(channel)
  if (cure === undefined) return null
  if (cure === 'reconnect')
    return (
      <Button
        component={Link}
        to={`/channels/connect?channel=${channel.id}`}
        leftSection={<IconPlugConnected size={18} aria-hidden />}
      >
        {t('channels.reconnect')}
      </Button>
    )
  if (cure === 'catch_up')
    return (
      <Button
        leftSection={<IconHistory size={18} aria-hidden />}
        loading={catchUp.isPending}
        onClick={() => catchUp.mutate()}
      >
        {t('channels.catch_up')}
      </Button>
    )
  const icon = <IconStethoscope size={18} aria-hidden />
  return examine ? (
    <Button leftSection={icon} onClick={examine}>
      {t('channels.examine')}
    </Button>
  ) : (
    <Button component={Link} to={`/channels/${channel.id}?examine=1`} leftSection={icon}>
      {t('channels.examine')}
    </Button>
  )
}

export function useCatchUp(id: string) {
  const { t } = useSpeech()
  const client = useQueryClient()
  const tell = useTell()
  return useMutation({
    mutationFn: () => channelsApi.catchUp(id, newKey()),
    onSuccess: (channel) => {
      client.setQueryData(keys.channel(id), channel)
      tell.done(t('channels.catch_up_begun'))
      return client.invalidateQueries({ queryKey: keys.channels })
    },
    onError: tell.failed,
  })
}
