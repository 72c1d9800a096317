import { ActionIcon, Tooltip } from '@mantine/core'
import { IconPaperclip } from '@tabler/icons-react'
import { useRef } from 'react'
import { sizeOf } from '../attachments.tsx'
import type { Rule } from '../sayable.ts'
import { useSpeech } from '../texts/index.tsx'

interface Props {
  readonly rule: Rule
  readonly count: number
  readonly onPick: (files: readonly File[]) => void
}

/** Chooses files; says beforehand what goes. */
export function AttachButton({ rule: { files }, count, onPick }: Props) {
  const { t, language } = useSpeech()
  const input = useRef<HTMLInputElement>(null)
  const kinds = Object.entries(files.kinds)
  const limits = kinds
    .map(([kind, { max_bytes }]) =>
      t('answer.limit', {
        kind: t(`attachment.${kind === 'image' || kind === 'video' || kind === 'audio' ? kind : 'file'}`),
        size: sizeOf(max_bytes, language),
      }),
    )
    .join(' · ')
  const isPossible = files.max > 0 && kinds.length > 0
  const label = !isPossible
    ? t('answer.no_files')
    : count >= files.max
      ? t('answer.full', { max: files.max })
      : `${t('answer.attach_max', { max: files.max })} ${limits}`
  return (
    <>
      <Tooltip label={label} multiline maw={300}>
        <ActionIcon
          variant="subtle"
          color="gray"
          size={34}
          aria-label={t('answer.attach')}
          aria-description={label}
          aria-disabled={!isPossible || count >= files.max || undefined}
          data-disabled={!isPossible || count >= files.max}
          onClick={() => isPossible && count < files.max && input.current?.click()}
        >
          <IconPaperclip size={20} />
        </ActionIcon>
      </Tooltip>
      <input
        ref={input}
        type="file"
        hidden
        multiple={files.max > 1}
        accept={kinds.flatMap(([, { types }]) => types).join()}
        aria-label={t('answer.attach')}
        onChange={(event) => {
          onPick([...(event.currentTarget.files ?? [])])
          // The same file may be chosen again.
          event.currentTarget.value = ''
        }}
      />
    </>
  )
}
