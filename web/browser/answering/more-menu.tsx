/** What some networks can say beside text and files, behind one button. */
import { ActionIcon, Menu } from '@mantine/core'
import { IconListCheck, IconPlus, IconTemplate } from '@tabler/icons-react'
import { lazy, Suspense } from 'react'
import type { ConversationJson } from '../../presenters/shapes.ts'
import type { NewMessage } from '../api.ts'
import type { Choices } from '../draft.ts'
import type { Rule } from '../sayable.ts'
import { useSpeech } from '../texts/index.tsx'

const TemplatePicker = lazy(() => import('./template-picker.tsx').then((file) => ({ default: file.TemplatePicker })))
const ChoicesEditor = lazy(() => import('./choices-editor.tsx').then((file) => ({ default: file.ChoicesEditor })))

export type Open = 'templates' | 'choices' | undefined

interface Props {
  readonly conversation: ConversationJson
  readonly extras: Rule['extras']
  readonly choices: Choices | undefined
  readonly open: Open
  readonly setOpen: (open: Open) => void
  readonly onChoices: (choices: Choices | undefined) => void
  readonly onTemplate: (template: NonNullable<NewMessage['template']>, text: string) => void
}

export function MoreMenu({ conversation, extras, choices, open, setOpen, onChoices, onTemplate }: Props) {
  const { t } = useSpeech()
  const canChoose = extras.quick_replies !== null || extras.interactive !== null
  if (!canChoose && !extras.templates) return null
  return (
    <>
      <Menu position="top-start" withinPortal width={260}>
        <Menu.Target>
          <ActionIcon variant="subtle" color="gray" size={34} aria-label={t('answer.more')} title={t('answer.more')}>
            <IconPlus size={20} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          {extras.templates && (
            <Menu.Item leftSection={<IconTemplate size={16} aria-hidden />} onClick={() => setOpen('templates')}>
              {t('answer.template')}
            </Menu.Item>
          )}
          {canChoose && (
            <Menu.Item leftSection={<IconListCheck size={16} aria-hidden />} onClick={() => setOpen('choices')}>
              {t(extras.quick_replies ? 'answer.quick_replies' : 'answer.choices')}
            </Menu.Item>
          )}
        </Menu.Dropdown>
      </Menu>
      {/* Until its words are here, nothing is in the way. */}
      <Suspense>
        {open === 'templates' && (
          <TemplatePicker
            channelId={conversation.channel.id}
            name={conversation.contact.name}
            onClose={() => setOpen(undefined)}
            onSend={onTemplate}
          />
        )}
        {open === 'choices' && (
          <ChoicesEditor
            extras={extras}
            choices={choices}
            onClose={() => setOpen(undefined)}
            onChange={(next) => {
              setOpen(undefined)
              onChoices(next)
            }}
          />
        )}
      </Suspense>
    </>
  )
}
