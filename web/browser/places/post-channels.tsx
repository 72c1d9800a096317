/** Where a post goes: one chip for each channel that takes posts. */
import { Chip, Group, Text } from '@mantine/core'
import { Link } from 'react-router'
import type { ChannelJson } from '../../presenters/shapes.ts'
import { ChannelMark } from '../person.tsx'
import { useSpeech } from '../texts/index.tsx'
import type { FormChannel, PostForm } from './post-form.ts'

interface Props {
  readonly form: PostForm
  readonly channels: readonly ChannelJson[] | undefined
  readonly choose: (channels: readonly FormChannel[]) => void
}

export function PostChannels({ form, channels, choose }: Props) {
  const { t } = useSpeech()
  // A channel that was chosen before it was disconnected is shown as long as it is chosen.
  const offered = (channels ?? []).filter(
    ({ id, type, disconnected_at }) =>
      (type !== 'whatsapp' && disconnected_at === null) || form.channels.some(({ channelId }) => channelId === id),
  )
  return (
    <fieldset className="post-part">
      <legend>{t('post.channels')}</legend>
      {channels !== undefined && offered.length === 0 && (
        <Text c="dimmed">
          {t('post.no_channels')} <Link to="/channels">{t('place.channels')}</Link>
        </Text>
      )}
      <Chip.Group
        multiple
        value={form.channels.map(({ channelId }) => channelId)}
        onChange={(ids) =>
          choose(
            ids.map(
              (channelId) =>
                form.channels.find((channel) => channel.channelId === channelId) ?? {
                  channelId,
                  text: null,
                  files: null,
                },
            ),
          )
        }
      >
        <Group gap={8}>
          {offered.map(({ id, name, type }) => (
            <Chip key={id} value={id} variant="outline" size="md" className="post-chip">
              <span className="post-chip-label">
                <ChannelMark type={type} size={18} /> {name}
              </span>
            </Chip>
          ))}
        </Group>
      </Chip.Group>
    </fieldset>
  )
}
