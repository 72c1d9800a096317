/** The files of an answer, before it is sent: how far they have come, what is wrong with them, what is said to who does not see. */
import { ActionIcon, Button, Progress, TextInput } from '@mantine/core'
import { IconFile, IconMusic, IconPhoto, IconRefresh, IconVideo, IconX } from '@tabler/icons-react'
import { sizeOf } from '../attachments.tsx'
import type { Check } from '../sayable.ts'
import { useSpeech } from '../texts/index.tsx'
import { bringAgain, canBringAgain, changeFile, dropFile, type PickedFile } from './picked-files.ts'

interface Props {
  readonly conversationId: string
  readonly files: readonly PickedFile[]
  readonly misfits: Check['misfits']
}

export function FilesStrip({ conversationId, files, misfits }: Props) {
  const { t } = useSpeech()
  if (files.length === 0) return null
  return (
    <ul className="picked" aria-label={t('answer.files')}>
      {files.map((file) => (
        <One key={file.key} conversationId={conversationId} file={file} misfit={misfits.get(file.key)} />
      ))}
    </ul>
  )
}

type Misfit = Check['misfits'] extends ReadonlyMap<string, infer One> ? One : never

function One({
  conversationId,
  file,
  misfit,
}: {
  readonly conversationId: string
  readonly file: PickedFile
  readonly misfit: Misfit | undefined
}) {
  const { t, language } = useSpeech()
  const { key, name, document, failure, progress } = file
  const isPicture = file.type.startsWith('image/')
  const isGoingUp = document === undefined && failure === undefined
  const wrong = misfit
    ? t(`answer.file_${misfit.why}`, {
        max: misfit.why === 'size' ? sizeOf(misfit.max, language) : misfit.max,
        type: file.type.split('/')[1]?.toUpperCase() || t('attachment.file'),
      })
    : failure
  return (
    <li className="picked-file" data-wrong={wrong !== undefined || undefined}>
      <Look file={file} />
      <span className="picked-words">
        <span className="picked-name" title={name}>
          {name}
        </span>
        {wrong ? (
          <span className="picked-wrong" role="alert">
            {wrong}
          </span>
        ) : (
          <span className="picked-size">
            {isGoingUp ? t('answer.file_going', { share: Math.floor(progress * 100) }) : sizeOf(file.size, language)}
          </span>
        )}
        {isGoingUp && (
          <Progress
            value={progress * 100}
            size={4}
            aria-label={t('answer.file_progress', { name })}
            transitionDuration={0}
          />
        )}
        {document && isPicture && (
          <TextInput
            size="xs"
            value={file.altText}
            maxLength={1_000}
            aria-label={t('answer.alt_for', { name })}
            placeholder={t('answer.alt')}
            title={t('answer.alt_hint')}
            onChange={(event) => changeFile(conversationId, key, { altText: event.currentTarget.value })}
            classNames={{ input: 'picked-alt' }}
          />
        )}
        {failure && !document && canBringAgain(file) && (
          <Button
            size="compact-xs"
            variant="default"
            leftSection={<IconRefresh size={14} aria-hidden />}
            onClick={() => bringAgain(conversationId, key)}
          >
            {t('answer.file_again')}
          </Button>
        )}
      </span>
      <ActionIcon
        variant="subtle"
        color="gray"
        size={26}
        className="picked-remove"
        aria-label={t(isGoingUp ? 'answer.file_stop' : 'answer.file_remove', { name })}
        onClick={() => dropFile(conversationId, key)}
      >
        <IconX size={16} />
      </ActionIcon>
    </li>
  )
}

function Look({ file }: { readonly file: PickedFile }) {
  const small = file.document?.variants[0]
  if (small) return <img className="picked-look" src={small.url} alt="" />
  const [family] = file.type.split('/', 1)
  const Icon =
    family === 'image' ? IconPhoto : family === 'video' ? IconVideo : family === 'audio' ? IconMusic : IconFile
  return (
    <span className="picked-look">
      <Icon size={22} aria-hidden />
    </span>
  )
}
