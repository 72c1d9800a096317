import { ActionIcon, Button, Group, Modal, SegmentedControl, Stack, TextInput } from '@mantine/core'
import { IconPlus, IconTrash } from '@tabler/icons-react'
import { useState } from 'react'
import { titlesOf, type Choices } from '../draft.ts'
import type { Rule } from '../sayable.ts'
import { useSpeech } from '../texts/index.tsx'

interface Props {
  readonly extras: Rule['extras']
  readonly choices: Choices | undefined
  readonly onClose: () => void
  readonly onChange: (choices: Choices | undefined) => void
}

/** WhatsApp (reply buttons and list messages): titles of buttons have 20 characters, of rows 24. */
const buttonLength = 20
const rowLength = 24

/** Words to press below an answer. What is pressed comes back as the title. */
export function ChoicesEditor({ extras, choices, onClose, onChange }: Props) {
  const { t } = useSpeech()
  const [asList, setAsList] = useState(choices?.interactive?.type === 'list')
  const [opener, setOpener] = useState(
    choices?.interactive?.type === 'list' ? choices.interactive.button : t('answer.choices_opener_usual'),
  )
  const [titles, setTitles] = useState<readonly string[]>(() => [...(choices ? titlesOf(choices) : ['', ''])])
  const quick = extras.quick_replies
  const max = quick?.max ?? (asList ? extras.interactive?.max_rows : extras.interactive?.max_buttons) ?? 3
  const maxLength = quick?.max_title_length ?? (asList ? rowLength : buttonLength)
  const full = titles.map((title) => title.trim()).filter(Boolean)
  const isTwice = new Set(full).size < full.length
  const isTooMany = full.length > max
  const isTooLong = full.some((title) => title.length > maxLength)
  const needsOpener = !quick && asList && opener.trim() === ''

  const take = (): void => {
    if (full.length === 0) onChange(undefined)
    else if (quick) onChange({ quick_replies: full.map((title) => ({ title, payload: title })) })
    else {
      const options = full.map((title, index) => ({ id: `${String(index + 1)}:${title}`, title }))
      onChange({
        interactive: asList
          ? { type: 'list', button: opener.trim(), rows: options }
          : { type: 'buttons', buttons: options },
      })
    }
  }
  return (
    <Modal
      opened
      onClose={onClose}
      title={t(quick ? 'answer.quick_replies' : 'answer.choices')}
      closeButtonProps={{ 'aria-label': t('help.close') }}
    >
      <form
        onSubmit={(event) => {
          event.preventDefault()
          if (!isTwice && !isTooMany && !isTooLong && !needsOpener) take()
        }}
      >
        <Stack gap="xs">
          {!quick && (
            <SegmentedControl
              aria-label={t('answer.choices_as')}
              value={asList ? 'list' : 'buttons'}
              onChange={(value) => setAsList(value === 'list')}
              data={[
                { value: 'buttons', label: t('answer.choices_buttons') },
                { value: 'list', label: t('answer.choices_list') },
              ]}
            />
          )}
          {!quick && asList && (
            <TextInput
              label={t('answer.choices_opener')}
              value={opener}
              maxLength={buttonLength}
              onChange={(event) => setOpener(event.currentTarget.value)}
            />
          )}
          {titles.map((title, index) => (
            <Group key={index} gap={4} wrap="nowrap">
              <TextInput
                flex={1}
                aria-label={t('answer.choice', { number: index + 1 })}
                placeholder={t('answer.choice', { number: index + 1 })}
                value={title}
                maxLength={maxLength}
                dir="auto"
                data-autofocus={index === 0 || undefined}
                onChange={(event) => {
                  const { value } = event.currentTarget
                  setTitles((old) => old.map((each, at) => (at === index ? value : each)))
                }}
              />
              <ActionIcon
                variant="subtle"
                color="gray"
                size={34}
                aria-label={t('answer.choice_remove', { number: index + 1 })}
                onClick={() => setTitles((old) => old.filter((_, at) => at !== index))}
              >
                <IconTrash size={18} />
              </ActionIcon>
            </Group>
          ))}
          {(isTwice || isTooMany || isTooLong) && (
            <p role="alert" className="dialog-failure">
              {isTwice
                ? t('answer.choices_twice')
                : t(isTooMany ? 'answer.choices_many' : 'answer.choices_long', { max: isTooMany ? max : maxLength })}
            </p>
          )}
          <Group justify="space-between">
            <Button
              variant="subtle"
              leftSection={<IconPlus size={16} aria-hidden />}
              disabled={titles.length >= max}
              onClick={() => setTitles((old) => [...old, ''])}
            >
              {t('answer.choice_add')}
            </Button>
            <Button type="submit" disabled={isTwice || isTooMany || isTooLong || needsOpener}>
              {t('answer.choices_take')}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}
