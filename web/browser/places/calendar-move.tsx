/** Moving a post without dragging: another day, another time. */
import { Alert, Button, Group, Modal, Stack, Text, TextInput } from '@mantine/core'
import { useState } from 'react'
import type { PlannedPostJson } from '../../presenters/post-shapes.ts'
import { useNow } from '../clock.ts'
import { useSpeech } from '../texts/index.tsx'
import { wordsOf } from './calendar-card.tsx'
import { isDay, type Zone } from './calendar-days.ts'

interface Props {
  readonly post: PlannedPostJson
  readonly zone: Zone
  readonly move: (at: string) => Promise<string | undefined>
  readonly close: () => void
}

/** `move` answers why it was refused, if it was. */
export function MoveDialog({ post, zone, move, close }: Props) {
  const { t } = useSpeech()
  const now = useNow()
  const from = post.publish_at ?? now + 3_600_000
  const [day, setDay] = useState(zone.dayOf(from))
  const [clock, setClock] = useState(post.publish_at ? zone.clockOf(from) : `${zone.clockOf(from).slice(0, 2)}:00`)
  const [failure, setFailure] = useState<string>()
  const [isMoving, setMoving] = useState(false)
  const submit = async (): Promise<void> => {
    if (!isDay(day) || !/^\d\d:\d\d$/.test(clock)) {
      setFailure(t('post.time_incomplete'))
      return
    }
    setMoving(true)
    const refused = await move(zone.instantOf(day, clock))
    setMoving(false)
    if (refused === undefined) close()
    else setFailure(refused)
  }
  return (
    <Modal opened onClose={close} title={t('calendar.move_title')} closeButtonProps={{ 'aria-label': t('help.close') }}>
      <form
        noValidate
        onSubmit={(event) => {
          event.preventDefault()
          void submit()
        }}
      >
        <Stack gap="sm">
          <Text lineClamp={2} c="dimmed" dir="auto">
            {wordsOf(post)}
          </Text>
          {failure && (
            <Alert color="red" variant="light" role="alert">
              {failure}
            </Alert>
          )}
          <Group grow>
            <TextInput
              type="date"
              label={t('post.day')}
              value={day}
              onChange={(event) => setDay(event.currentTarget.value)}
              data-autofocus
            />
            <TextInput
              type="time"
              label={t('post.clock')}
              value={clock}
              onChange={(event) => setClock(event.currentTarget.value)}
            />
          </Group>
          <Text className="mark-text">{t('post.zone', { zone: zone.name })}</Text>
          <Group justify="flex-end">
            <Button variant="default" onClick={close}>
              {t('settings.cancel')}
            </Button>
            <Button type="submit" loading={isMoving}>
              {t('calendar.move')}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}
