/** Where answers are written. The kind of answer is said three times: by the tab, by the colour, and in words. */
import { Alert, Button, Textarea, UnstyledButton } from '@mantine/core'
import { IconBrandHipchat, IconLock, IconNote, IconSend, IconWorld, IconX } from '@tabler/icons-react'
import { useImperativeHandle, useRef, useState, type ComponentType, type Ref } from 'react'
import type { ConversationJson, MessageJson } from '../presenters/shapes.ts'
import { useNow } from './clock.ts'
import { ComposerFoot } from './composer-foot.tsx'
import { isApple } from './keyboard.ts'
import { sayableKinds, sendable, type Kind } from './sayable.ts'
import { useSpeech } from './texts/index.tsx'
import { useDraft } from './use-draft.ts'

export interface ComposerHandle {
  /** To the text, in the kind that the other side sees. */
  answer(): void
  note(): void
  send(): void
}

interface Props {
  readonly conversation: ConversationJson
  /** The message that was chosen to be answered, in a thread of several. */
  readonly answered: MessageJson | undefined
  readonly clearAnswered: () => void
  readonly ref: Ref<ComposerHandle>
}

const signs: Readonly<Record<Kind, ComponentType<{ size: number; 'aria-hidden'?: boolean }>>> = {
  reply: IconBrandHipchat,
  note: IconNote,
  comment: IconWorld,
  private_reply: IconLock,
}

export function Composer({ conversation, answered, clearAnswered, ref }: Props) {
  const { t } = useSpeech()
  const now = useNow()
  const field = useRef<HTMLTextAreaElement>(null)
  const [isFocused, setFocused] = useState(false)
  const kinds = sayableKinds(conversation)
  const draft = useDraft(conversation, answered, () => {
    clearAnswered()
    // Only where the cursor was lost with the button; never taken from another place.
    if (document.activeElement === document.body) field.current?.focus()
  })
  const kind = kinds.find((each) => each === draft.kind) ?? kinds[0] ?? 'note'
  const name = draft.answeredName ?? conversation.contact.name
  const check = sendable(conversation, kind, draft.text, now)

  const choose = (next: Kind): void => {
    draft.setKind(next)
    field.current?.focus()
  }
  const send = (): void => {
    if (check.canSend && !draft.isSending) draft.send(kind)
    else field.current?.focus()
  }
  useImperativeHandle(ref, () => ({
    answer: () => choose(kind === 'note' ? (kinds.find((each) => each !== 'note') ?? 'note') : kind),
    note: () => choose('note'),
    send,
  }))

  return (
    <section
      className="composer"
      data-kind={kind}
      data-channel={conversation.channel.type}
      aria-label={t('composer.region')}
    >
      <div className="composer-kinds" role="radiogroup" aria-label={t('composer.kind')}>
        {kinds.map((each, index) => {
          const Sign = signs[each]
          return (
            <UnstyledButton
              key={each}
              role="radio"
              aria-checked={each === kind}
              tabIndex={each === kind ? 0 : -1}
              className="composer-kind"
              data-kind={each}
              onClick={() => choose(each)}
              onKeyDown={(event) => {
                const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0
                if (step === 0) return
                event.preventDefault()
                const next = (index + step + kinds.length) % kinds.length
                draft.setKind(kinds[next] ?? each)
                const other = event.currentTarget.parentElement?.children[next]
                if (other instanceof HTMLElement) other.focus()
              }}
            >
              <Sign size={16} aria-hidden />
              {t(`kind.${each}`)}
            </UnstyledButton>
          )
        })}
        <span className="composer-about" id="composer-about">
          {t(`composer.about_${kind}`, { name })}
        </span>
      </div>
      {kind !== 'note' && draft.answeredName && (
        <div className="composer-to">
          <span>{t('composer.to', { name: draft.answeredName })}</span>
          <UnstyledButton
            aria-label={t('composer.to_clear')}
            title={t('composer.to_clear')}
            onClick={draft.clearAnswered}
            className="bare"
          >
            <IconX size={16} aria-hidden />
          </UnstyledButton>
        </div>
      )}
      {draft.failure && (
        <Alert color="red" variant="light" p="xs" role="alert" className="composer-failure">
          {draft.failure}
        </Alert>
      )}
      {check.isClosed && (
        <Alert color="gray" variant="light" p="xs" title={t('composer.closed')} className="composer-failure">
          {t('composer.closed_hint')}
        </Alert>
      )}
      <Textarea
        ref={field}
        aria-label={t('composer.message')}
        aria-describedby="composer-about composer-count"
        placeholder={t(`composer.placeholder_${kind}`, { name })}
        value={draft.text}
        onChange={(event) => draft.setText(event.currentTarget.value)}
        onFocus={() => setFocused(true)}
        onBlur={() => setFocused(false)}
        autosize
        minRows={isFocused || draft.text ? 2 : 1}
        maxRows={10}
        error={check.over > 0}
        dir="auto"
        spellCheck
        classNames={{ input: 'composer-field' }}
      />
      <ComposerFoot conversation={conversation} kind={kind} check={check} hasText={draft.text !== ''} now={now}>
        <Button
          size="sm"
          leftSection={<IconSend size={16} aria-hidden />}
          loading={draft.isSending}
          disabled={!check.canSend}
          onClick={send}
          title={`${t('composer.send')} (${isApple ? '⌘' : 'Ctrl'} Enter)`}
          className="send"
          data-kind={kind}
        >
          {t('composer.send')}
        </Button>
      </ComposerFoot>
    </section>
  )
}
