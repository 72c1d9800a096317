/** One question before something that others will see, or that cannot be taken back. */
import { Button, Group, Modal, Stack, Text, Textarea } from '@mantine/core'
import { useState, type ReactNode } from 'react'
import { useSpeech } from '../texts/index.tsx'

export interface Question {
  readonly title: string
  readonly lead: ReactNode
  readonly button: string
  readonly isDangerous?: boolean
  /** Asks for words as well; they are needed. */
  readonly wordsLabel?: string
  /** Another way out, between. */
  readonly other?: { readonly label: string; readonly act: () => void }
  readonly act: (words: string) => void
}

export function Ask({ question, close }: { readonly question: Question; readonly close: () => void }) {
  const { t } = useSpeech()
  const [words, setWords] = useState('')
  const [isMissing, setMissing] = useState(false)
  const { title, lead, button, isDangerous, wordsLabel, other, act } = question
  return (
    <Modal opened onClose={close} title={title} closeButtonProps={{ 'aria-label': t('help.close') }}>
      <form
        noValidate
        onSubmit={(event) => {
          event.preventDefault()
          if (wordsLabel !== undefined && words.trim() === '') return setMissing(true)
          close()
          act(words.trim())
        }}
      >
        <Stack gap="sm">
          <Text component="div">{lead}</Text>
          {wordsLabel !== undefined && (
            <Textarea
              label={wordsLabel}
              required
              maxLength={500}
              autosize
              minRows={2}
              value={words}
              onChange={(event) => setWords(event.currentTarget.value)}
              error={isMissing && words.trim() === '' && t('settings.required')}
              data-autofocus
            />
          )}
          <Group justify="flex-end">
            <Button variant="default" onClick={close}>
              {t('post.back')}
            </Button>
            {other && (
              <Button
                variant="default"
                onClick={() => {
                  close()
                  other.act()
                }}
              >
                {other.label}
              </Button>
            )}
            <Button type="submit" {...(isDangerous && { color: 'red.9' })}>
              {button}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}
