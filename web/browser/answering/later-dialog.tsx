import { Button, Checkbox, Group, Modal, Stack, Textarea, TextInput } from '@mantine/core'
import { useState } from 'react'
import { useSession } from '../session.ts'
import { useSpeech } from '../texts/index.tsx'
import type { Later } from './later-menu.tsx'
import { fieldOf, ownZone, readField } from './zoned.ts'

interface Props {
  readonly title: string
  readonly button: string
  readonly closesAt: string | null
  readonly initial: Later
  /** Where the words can be changed too. */
  readonly text?: string | undefined
  readonly failure?: string | undefined
  readonly isBusy?: boolean
  readonly onClose: () => void
  readonly onChoose: (later: Later, text: string | undefined) => void
}

/** A time of one's own choice, in one's own zone. */
export function LaterDialog(props: Props) {
  const { title, button, closesAt, initial, failure, isBusy = false, onClose, onChoose } = props
  const { t, times } = useSpeech()
  const zone = useSession().user.time_zone || ownZone
  const [value, setValue] = useState(() => fieldOf(Date.parse(initial.at), zone))
  const [endsIfAnswered, setEnds] = useState(initial.endsIfAnswered)
  const [text, setText] = useState(props.text)
  const [openedAt] = useState(() => Date.now())
  const at = readField(value, zone)
  const wrong =
    at === undefined
      ? t('answer.time_missing')
      : at <= openedAt
        ? t('answer.time_past')
        : at - openedAt > 366 * 24 * 3_600_000
          ? t('answer.time_far')
          : closesAt !== null && at >= Date.parse(closesAt)
            ? t('answer.time_closed', { time: times.exact(closesAt) })
            : undefined
  return (
    <Modal opened onClose={onClose} title={title} closeButtonProps={{ 'aria-label': t('help.close') }} centered>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          if (at !== undefined && !wrong) onChoose({ at: new Date(at).toISOString(), endsIfAnswered }, text)
        }}
      >
        <Stack gap="sm">
          {text !== undefined && (
            <Textarea
              label={t('composer.message')}
              value={text}
              onChange={(event) => setText(event.currentTarget.value)}
              autosize
              minRows={2}
              maxRows={10}
              dir="auto"
            />
          )}
          <TextInput
            type="datetime-local"
            label={t('answer.time')}
            description={zone === ownZone ? undefined : t('answer.time_zone', { zone })}
            value={value}
            error={wrong}
            data-autofocus
            onChange={(event) => setValue(event.currentTarget.value)}
          />
          <Checkbox
            label={t('answer.later_ends')}
            checked={endsIfAnswered}
            onChange={(event) => setEnds(event.currentTarget.checked)}
          />
          {failure && (
            <p role="alert" className="dialog-failure">
              {failure}
            </p>
          )}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose}>
              {t('answer.leave')}
            </Button>
            <Button
              type="submit"
              loading={isBusy}
              disabled={wrong !== undefined || (text?.trim() === '' && props.text !== '')}
            >
              {button}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}
