import { Button, CloseButton, NativeSelect, SegmentedControl, TextInput } from '@mantine/core'
import { useDebouncedCallback } from '@mantine/hooks'
import { IconRefresh, IconSearch } from '@tabler/icons-react'
import { useState } from 'react'
import type { AppJson, ChannelJson } from '../../presenters/shapes.ts'
import { useSpeech } from '../texts/index.tsx'
import { spans, type ReceivedFilter } from './received-api.ts'

export const receivedStates = ['processed', 'kept', 'dead', 'pending'] as const
const names = ['state', 'app_id', 'channel_id', 'q', 'since'] as const

/** The filter that an address carries. */
export function filterOf(search: URLSearchParams): ReceivedFilter {
  const filter: ReceivedFilter = {}
  for (const name of names) {
    const value = search.get(name)
    if (!value) continue
    if (name === 'state' && !receivedStates.some((state) => state === value)) continue
    if (name === 'since' && !(value in spans)) continue
    filter[name] = value
  }
  return filter
}

interface Props {
  readonly filter: ReceivedFilter
  readonly change: (filter: ReceivedFilter) => void
  readonly channels: readonly ChannelJson[]
  readonly apps: readonly AppJson[]
  /** Offers to process all of these again. */
  readonly replay: (() => void) | undefined
}

export function FilterBar({ filter, change, channels, apps, replay }: Props) {
  const { t } = useSpeech()
  const set = (name: keyof ReceivedFilter, value: string): void => {
    const { [name]: _, ...others } = filter
    change(value ? { ...others, [name]: value } : others)
  }
  return (
    <div className="filter-bar" role="search" aria-label={t('received.filter')}>
      <SegmentedControl
        aria-label={t('received.state')}
        className="filter-states"
        value={filter.state ?? 'all'}
        onChange={(value) => set('state', value === 'all' ? '' : value)}
        data={['all' as const, ...receivedStates].map((value) => ({ value, label: t(`received.${value}`) }))}
      />
      <NativeSelect
        aria-label={t('received.channel')}
        value={filter.channel_id ?? ''}
        onChange={(event) => set('channel_id', event.currentTarget.value)}
        data={[
          { value: '', label: t('received.any_channel') },
          ...channels.map(({ id, name, type }) => ({ value: id, label: `${name} · ${t(`channel.${type}`)}` })),
        ]}
      />
      {apps.length > 1 && (
        <NativeSelect
          aria-label={t('channels.app')}
          value={filter.app_id ?? ''}
          onChange={(event) => set('app_id', event.currentTarget.value)}
          data={[
            { value: '', label: t('received.any_app') },
            ...apps.map(({ id, name }) => ({ value: id, label: name })),
          ]}
        />
      )}
      <NativeSelect
        aria-label={t('received.time')}
        value={filter.since ?? ''}
        onChange={(event) => set('since', event.currentTarget.value)}
        data={[
          { value: '', label: t('received.any_time') },
          ...(['hour', 'day', 'week'] as const).map((value) => ({ value, label: t(`received.since_${value}`) })),
        ]}
      />
      <IdField key={filter.q ? 'set' : 'none'} value={filter.q ?? ''} change={(value) => set('q', value)} />
      {replay && (
        <Button variant="default" leftSection={<IconRefresh size={18} aria-hidden />} onClick={replay}>
          {t('received.replay_these')}
        </Button>
      )}
    </div>
  )
}

function IdField({ value, change }: { readonly value: string; readonly change: (value: string) => void }) {
  const { t } = useSpeech()
  const [text, setText] = useState(value)
  const later = useDebouncedCallback(change, 300)
  return (
    <TextInput
      id="received-q"
      className="filter-id"
      aria-label={t('received.find')}
      placeholder={t('received.find_hint')}
      title={t('received.find')}
      leftSection={<IconSearch size={18} aria-hidden />}
      spellCheck={false}
      autoComplete="off"
      autoFocus={value !== ''}
      value={text}
      onChange={(event) => {
        setText(event.currentTarget.value)
        later(event.currentTarget.value.trim())
      }}
      rightSection={
        text !== '' && (
          <CloseButton
            size="sm"
            aria-label={t('received.find_clear')}
            onClick={() => {
              setText('')
              change('')
            }}
          />
        )
      }
    />
  )
}
