/** Where answers are written. The kind of answer is said three times: by the tab, by the colour, and in words. */
import { Alert, Button, Textarea, UnstyledButton } from '@mantine/core'
import { IconListCheck, IconSend, IconX } from '@tabler/icons-react'
import { lazy, Suspense, useImperativeHandle, useRef, useState, type Ref } from 'react'
import type { ConversationJson, MessageJson } from '../presenters/shapes.ts'
import { AttachButton } from './answering/attach-button.tsx'
import { FilesStrip } from './answering/files-strip.tsx'
import { LaterMenu } from './answering/later-menu.tsx'
import { MeanwhileBox } from './answering/meanwhile-box.tsx'
import { MoreMenu, type Open } from './answering/more-menu.tsx'
import { pickFiles, usePickedFiles } from './answering/picked-files.ts'
import { useTypingSignal } from './answering/signals.ts'
import { DraftElsewhere } from './care/draft-elsewhere.tsx'
import { MentionPicker } from './care/mention-picker.tsx'
import { TypingLine } from './care/onlookers.tsx'
import { noteTyping } from './care/presence.ts'
import { useNow } from './clock.ts'
import { ComposerFoot } from './composer-foot.tsx'
import { ComposerKinds, useReason } from './composer-kinds.tsx'
import { titlesOf } from './draft.ts'
import { isApple } from './keyboard.ts'
import { offersIn, ruleFor, sendable, type Kind } from './sayable.ts'
import { useSession } from './session.ts'
import { useSpeech } from './texts/index.tsx'
import { useDraft, type With } from './use-draft.ts'

const CannedPicker = lazy(async () => ({ default: (await import('./answering/canned-picker.tsx')).CannedPicker }))

export interface ComposerHandle {
  /** To the text, in the kind that the other side sees, or in this one. */
  answer(kind?: Kind): void
  note(): void
  send(): void
  /** Files that were dropped somewhere in the conversation. */
  take(files: readonly File[]): void
}

interface Props {
  readonly conversation: ConversationJson
  /** The message that was chosen to be answered, in a thread of several. */
  readonly answered: MessageJson | undefined
  readonly clearAnswered: () => void
  readonly ref: Ref<ComposerHandle>
}

export function Composer({ conversation, answered, clearAnswered, ref }: Props) {
  const { t } = useSpeech()
  const now = useNow()
  const { permissions } = useSession()
  const field = useRef<HTMLTextAreaElement>(null)
  // It never shrinks as the cursor leaves: what is being clicked at that moment would move away.
  const [isOpened, setOpened] = useState(false)
  const [open, setOpen] = useState<Open>()
  const tellTyping = useTypingSignal(conversation)
  const reasonOf = useReason()
  const draft = useDraft(conversation, answered, () => {
    clearAnswered()
    // Only where the cursor was lost with the button; never taken from another place.
    if (document.activeElement === document.body) field.current?.focus()
  })
  const picked = usePickedFiles(conversation.id)
  const offers = offersIn(conversation, {
    answer: permissions.includes('conversations.reply'),
    note: permissions.includes('notes.write'),
  })
  const possible = offers.filter(({ refused }) => refused === null || refused.except !== null)
  const kind = possible.find((each) => each.kind === draft.kind)?.kind ?? possible[0]?.kind ?? 'note'
  const refused = offers.find((each) => each.kind === kind)?.refused ?? null
  /** What one came for cannot be said: that is not to be looked for in a hover. */
  const closed = refused ?? offers.find(({ refused: why }) => why !== null)?.refused ?? null
  const name = draft.answeredName ?? conversation.contact.name
  const rule = ruleFor(conversation, kind)
  const needsText = kind === 'reply' && draft.choices?.interactive !== undefined
  const check = sendable(conversation, kind, { text: draft.text, files: picked, needsText }, now)

  const choose = (next: Kind): void => {
    draft.setKind(next)
    field.current?.focus()
  }
  const send = (beside?: With): void => {
    if (check.canSend && !draft.isSending) draft.send(kind, beside)
    else field.current?.focus()
  }
  const take = (files: readonly File[]): void => {
    if (files.length > 0 && !check.isClosed) pickFiles(conversation.id, files)
  }
  const usual = possible.find((each) => each.kind !== 'note')?.kind ?? 'note'
  useImperativeHandle(ref, () => ({
    answer: (wanted) => choose(wanted ?? (kind === 'note' ? usual : kind)),
    note: () => choose('note'),
    send: () => send(),
    take,
  }))
  if (offers.length === 0) return null

  return (
    <section
      className="composer"
      data-kind={kind}
      data-channel={conversation.channel.type}
      aria-label={t('composer.region')}
    >
      <ComposerKinds offers={offers} kind={kind} name={name} onChoose={draft.setKind} onPress={choose} />
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
      <TypingLine conversationId={conversation.id} />
      {draft.server.elsewhere && <DraftElsewhere server={draft.server} />}
      {draft.meanwhile && <MeanwhileBox conversation={conversation} meanwhile={draft.meanwhile} />}
      {draft.failure && (
        <Alert color="red" variant="light" p="xs" role="alert" className="composer-failure">
          {draft.failure}
        </Alert>
      )}
      {closed ? (
        <p className="composer-closed">
          <span>{reasonOf(closed)}</span>
          {closed.except === 'template' && kind !== 'note' && (
            <Button size="compact-sm" variant="light" onClick={() => setOpen('templates')}>
              {t('answer.template_choose')}
            </Button>
          )}
        </p>
      ) : (
        check.isClosed && <p className="composer-closed">{t('composer.closed_hint')}</p>
      )}
      {!refused && (
        <Textarea
          ref={field}
          aria-label={t('composer.message')}
          aria-describedby="composer-about composer-count"
          placeholder={t(`composer.placeholder_${kind}`, { name })}
          value={draft.text}
          onChange={(event) => {
            draft.setText(event.currentTarget.value)
            noteTyping(conversation.id, kind)
            if (kind === 'reply') tellTyping()
          }}
          onPaste={(event) => {
            const files = [...event.clipboardData.files]
            if (files.length === 0) return
            event.preventDefault()
            take(files)
          }}
          onFocus={() => setOpened(true)}
          autosize
          minRows={isOpened || draft.text ? 2 : 1}
          maxRows={10}
          error={check.over > 0}
          dir="auto"
          spellCheck
          classNames={{ input: 'composer-field' }}
        />
      )}
      {!refused && /^\//m.test(draft.text) && (
        <Suspense>
          <CannedPicker conversationId={conversation.id} field={field} text={draft.text} setText={draft.setText} />
        </Suspense>
      )}
      {kind === 'note' && <MentionPicker field={field} text={draft.text} setText={draft.setText} />}
      <FilesStrip conversationId={conversation.id} files={picked} misfits={check.misfits} />
      {draft.choices && kind === 'reply' && (
        <div className="composer-choices">
          <IconListCheck size={16} aria-hidden />
          {titlesOf(draft.choices).map((title) => (
            <span key={title} className="choice">
              {title}
            </span>
          ))}
          <UnstyledButton className="link-button" onClick={() => setOpen('choices')}>
            {t('answer.choices_change')}
          </UnstyledButton>
          <UnstyledButton
            className="bare"
            aria-label={t('answer.choices_drop')}
            onClick={() => draft.setChoices(undefined)}
          >
            <IconX size={16} aria-hidden />
          </UnstyledButton>
        </div>
      )}
      <ComposerFoot
        check={check}
        hasText={draft.text !== ''}
        now={now}
        tools={
          <>
            {!refused && rule && <AttachButton rule={rule} count={picked.length} onPick={take} />}
            {kind === 'reply' && rule && (
              <MoreMenu
                conversation={conversation}
                extras={rule.extras}
                choices={draft.choices}
                open={open}
                setOpen={setOpen}
                onChoices={draft.setChoices}
                onTemplate={(template, text) => {
                  setOpen(undefined)
                  draft.send('reply', { template, text })
                }}
              />
            )}
          </>
        }
      >
        {!refused && (
          <span className="send-buttons">
            <Button
              size="sm"
              leftSection={<IconSend size={16} aria-hidden />}
              loading={draft.isSending}
              disabled={!check.canSend}
              onClick={() => send()}
              title={`${t('composer.send')} (${isApple ? '⌘' : 'Ctrl'} Enter)`}
              className="send"
              data-kind={kind}
              data-split={kind !== 'note' || undefined}
            >
              {t(draft.meanwhile ? 'answer.anyway' : 'composer.send')}
            </Button>
            {kind !== 'note' && (
              <LaterMenu
                isDisabled={!check.canSend || draft.isSending}
                kind={kind}
                closesAt={check.closesAt}
                now={now}
                onChoose={({ at, endsIfAnswered }) => send({ send_at: at, cancel_if_answered: endsIfAnswered })}
              />
            )}
          </span>
        )}
      </ComposerFoot>
    </section>
  )
}
