/** Marks for people and networks: initials on a steady colour, and the network's small sign. */
import { Avatar } from '@mantine/core'
import { IconBrandFacebookFilled, IconBrandInstagram, IconBrandWhatsapp, IconBrandX } from '@tabler/icons-react'
import type { ConversationJson } from '../presenters/shapes.ts'
import { useSpeech } from './texts/index.tsx'

export type ChannelType = ConversationJson['channel']['type']

const signs = {
  facebook: IconBrandFacebookFilled,
  instagram: IconBrandInstagram,
  whatsapp: IconBrandWhatsapp,
  x: IconBrandX,
} as const

/** The network's sign in its colour, with its name for those who cannot see it. */
export function ChannelMark({ type, size = 16 }: { readonly type: ChannelType; readonly size?: number }) {
  const { t } = useSpeech()
  const Sign = signs[type]
  return (
    <span
      className="channel-mark"
      data-channel={type}
      role="img"
      aria-label={t(`channel.${type}`)}
      style={{ width: size, height: size }}
    >
      <Sign size={Math.round(size * 0.7)} aria-hidden stroke={2.2} />
    </span>
  )
}

/** Someone outside. `channel` puts the network's sign at the corner. */
export function Person({
  name,
  id,
  size = 36,
  channel,
}: {
  readonly name: string
  readonly id: string
  readonly size?: number
  readonly channel?: ChannelType
}) {
  return (
    <span className="person">
      <Avatar size={size} radius="xl" aria-hidden className="person-avatar" data-hue={hueOf(id)}>
        {initials(name)}
      </Avatar>
      {channel && <ChannelMark type={channel} />}
    </span>
  )
}

export function initials(name: string): string {
  const words = name.replace(/^@/, '').trim().split(/\s+/)
  const letters = [words[0], words.length > 1 ? words.at(-1) : undefined].map((word) =>
    word ? String.fromCodePoint(word.codePointAt(0) ?? 63) : '',
  )
  return letters.join('').toLocaleUpperCase() || '?'
}

const hues = 6

function hueOf(id: string): number {
  let sum = 0
  for (const character of id) sum = (sum * 31 + (character.codePointAt(0) ?? 0)) % 9973
  return sum % hues
}
