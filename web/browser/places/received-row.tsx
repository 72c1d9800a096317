import { IconAlertOctagon, IconArchive, IconCircleCheck, IconClock } from '@tabler/icons-react'
import { Link, useLocation } from 'react-router'
import type { ChannelJson, ReceivedEntryJson } from '../../presenters/shapes.ts'
import { useNow } from '../clock.ts'
import { ChannelMark } from '../person.tsx'
import { useSpeech } from '../texts/index.tsx'

const signs = { processed: IconCircleCheck, kept: IconArchive, dead: IconAlertOctagon, pending: IconClock } as const

/** The verdict, as a sign and a word. */
export function Verdict({ state }: { readonly state: ReceivedEntryJson['state'] }) {
  const { t } = useSpeech()
  const Sign = signs[state]
  return (
    <span className="health" data-state={state}>
      <Sign size={18} aria-hidden /> {t(`received.${state}`)}
    </span>
  )
}

/** One line: when, whose, what became of it, how large. The whole of it is one click away. */
export function ReceivedRow({
  item,
  channel,
  appName,
}: {
  readonly item: ReceivedEntryJson
  readonly channel: ChannelJson | undefined
  readonly appName: string | undefined
}) {
  const { t, times, language } = useSpeech()
  const now = useNow()
  const { search } = useLocation()
  return (
    <li className="log-row">
      <Link to={{ pathname: `/received/${item.id}`, search }}>
        <time dateTime={item.received_at} title={times.exact(item.received_at)}>
          {times.age(item.received_at, now)}
        </time>
        <Verdict state={item.state} />
        <span className="log-whose">
          {channel ? (
            <>
              <ChannelMark type={channel.type} size={20} /> {channel.name}
            </>
          ) : (
            <span className="dimmed">{appName ?? ''}</span>
          )}
        </span>
        <span className="log-what">
          {item.reason ??
            summarise(
              item.trace.map(({ became }) => became),
              language,
            )}
          <code>{item.snippet}</code>
        </span>
        <span className="log-size count">{sizeOf(item.size, language)}</span>
        {item.tries > 1 && <span className="heard-only">{t('received.tries', { count: item.tries })}</span>}
      </Link>
    </li>
  )
}

/** "message ×3, receipt: read" */
export function summarise(became: readonly string[], language: string): string {
  const counts = new Map<string, number>()
  for (const each of became) counts.set(each, (counts.get(each) ?? 0) + 1)
  const words = [...counts].slice(0, 4).map(([word, count]) => (count > 1 ? `${word} ×${count}` : word))
  return new Intl.ListFormat(language, { type: 'unit' }).format(counts.size > 4 ? [...words, '…'] : words)
}

export function sizeOf(bytes: number, language: string): string {
  const isSmall = bytes < 1_000
  return new Intl.NumberFormat(language, {
    style: 'unit',
    unit: isSmall ? 'byte' : 'kilobyte',
    unitDisplay: 'narrow',
    maximumFractionDigits: 1,
  }).format(isSmall ? bytes : bytes / 1_000)
}
