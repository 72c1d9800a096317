import { ActionIcon, Button, Group, Menu, Modal, Text } from '@mantine/core'
import {
  IconArrowBackUp,
  IconCopy,
  IconDots,
  IconEye,
  IconEyeOff,
  IconLock,
  IconMoodOff,
  IconThumbDown,
  IconThumbUp,
  IconTrash,
} from '@tabler/icons-react'
import { useState } from 'react'
import type { ConversationJson, MessageJson } from '../../presenters/shapes.ts'
import { fateWords } from '../delivery-mark.tsx'
import { momentOf } from '../message-words.ts'
import { ruleFor, type Kind } from '../sayable.ts'
import { useSpeech } from '../texts/index.tsx'
import { asWished, useMessageAct } from './use-message-act.ts'
import type { What } from './api.ts'

const emojis = ['👍', '❤️', '😂', '😮', '😢', '🙏'] as const

interface Props {
  readonly message: MessageJson
  readonly conversation: ConversationJson
  readonly label: string
  readonly now: number
  readonly mayAct: boolean
  readonly onAnswer: (message: MessageJson, kind?: Kind) => void
}

export function ActMenu({ message, conversation, label, now, mayAct, onAnswer }: Props) {
  const speech = useSpeech()
  const { t, times } = speech
  const [isOpen, setOpen] = useState(true)
  const [isAsking, setAsking] = useState(false)
  const act = useMessageAct(message)
  const network = t(`channel.${conversation.channel.type}`)
  const isInbound = message.direction === 'inbound'
  const { is_hidden, reactions } = asWished(message)
  const ours = reactions.find(({ is_ours }) => is_ours)
  const rule = conversation.sayable?.find(({ kind }) => kind === 'reply' || kind === 'comment')
  const isThere = message.external_id !== null && message.deleted_at === null && mayAct
  const can = (what: What): boolean =>
    isThere && rule?.acts.includes(what) === true && (!isInbound || rule.own_acts?.includes(what) !== true)
  const isComment = isInbound && message.visibility === 'public' && message.deleted_at === null && mayAct
  const privately = ruleFor(conversation, 'private_reply')
  const fate = fateWords(message, now, speech)
  return (
    <>
      <Menu opened={isOpen} onChange={setOpen} position="bottom-start" withinPortal width={250}>
        <Menu.Target>
          <ActionIcon variant="subtle" color="gray" size={28} className="acts" aria-label={label}>
            <IconDots size={18} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Label>
            {times.moment(momentOf(message))}
            {fate && ` · ${fate}`}
          </Menu.Label>
          {isInbound && can('react') && (
            <div className="emojis" role="group">
              {emojis.map((emoji) => (
                <Menu.Item
                  key={emoji}
                  className="emoji"
                  aria-label={t('act.react', { emoji })}
                  data-chosen={ours?.emoji === emoji || undefined}
                  onClick={() => act.mutate({ what: 'react', emoji })}
                >
                  {emoji}
                </Menu.Item>
              ))}
            </div>
          )}
          {ours && can('unreact') && (
            <Menu.Item
              leftSection={<IconMoodOff size={16} aria-hidden />}
              onClick={() => act.mutate({ what: 'unreact' })}
            >
              {t('act.unreact')}
            </Menu.Item>
          )}
          {isInbound &&
            can(ours ? 'unlike' : 'like') &&
            (ours ? (
              <Menu.Item
                leftSection={<IconThumbDown size={16} aria-hidden />}
                onClick={() => act.mutate({ what: 'unlike' })}
              >
                {t('act.unlike')}
              </Menu.Item>
            ) : (
              <Menu.Item
                leftSection={<IconThumbUp size={16} aria-hidden />}
                onClick={() => act.mutate({ what: 'like' })}
              >
                {t('act.like')}
              </Menu.Item>
            ))}
          {isComment && (
            <Menu.Item leftSection={<IconArrowBackUp size={16} aria-hidden />} onClick={() => onAnswer(message)}>
              {t('act.answer')}
            </Menu.Item>
          )}
          {isComment && privately && (
            <Menu.Item
              leftSection={<IconLock size={16} aria-hidden />}
              onClick={() => onAnswer(message, 'private_reply')}
            >
              {t('act.private')}
            </Menu.Item>
          )}
          {message.text && isSecureContext && (
            <Menu.Item
              leftSection={<IconCopy size={16} aria-hidden />}
              onClick={() => void navigator.clipboard.writeText(message.text ?? '')}
            >
              {t('act.copy')}
            </Menu.Item>
          )}
          {isInbound && can(is_hidden ? 'unhide' : 'hide') && (
            <Menu.Item
              leftSection={is_hidden ? <IconEye size={16} aria-hidden /> : <IconEyeOff size={16} aria-hidden />}
              onClick={() => act.mutate({ what: is_hidden ? 'unhide' : 'hide' })}
            >
              {t(is_hidden ? 'act.unhide' : 'act.hide')}
            </Menu.Item>
          )}
          {can('delete') && (
            <>
              <Menu.Divider />
              <Menu.Item color="red" leftSection={<IconTrash size={16} aria-hidden />} onClick={() => setAsking(true)}>
                {t('act.delete', { network })}
              </Menu.Item>
            </>
          )}
        </Menu.Dropdown>
      </Menu>
      <Modal
        opened={isAsking}
        onClose={() => setAsking(false)}
        title={t('act.delete_title', { network })}
        closeButtonProps={{ 'aria-label': t('help.close') }}
        centered
      >
        <blockquote className="quoted" dir="auto">
          {message.text}
        </blockquote>
        <Text size="sm" mb="md">
          {t('act.delete_what')}
        </Text>
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={() => setAsking(false)} data-autofocus>
            {t('answer.leave')}
          </Button>
          <Button
            color="red"
            onClick={() => {
              setAsking(false)
              act.mutate({ what: 'delete' })
            }}
          >
            {t('act.delete_yes')}
          </Button>
        </Group>
      </Modal>
    </>
  )
}
