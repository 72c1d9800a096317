/** Pictures and films of a post: dropped, pasted or chosen; in their order, each with words for who does not see it. */
import { ActionIcon, Button, Progress, TextInput } from '@mantine/core'
import { IconArrowDown, IconArrowUp, IconFile, IconPhotoPlus, IconPlayerPlay, IconX } from '@tabler/icons-react'
import { useEffect, useRef, useState, type ReactNode } from 'react'
import { newKey } from '../api.ts'
import { useSession } from '../session.ts'
import { useSpeech } from '../texts/index.tsx'
import { upload } from './post-api.ts'
import { pictureOf, type FormFile } from './post-form.ts'
import { sizeOf } from './post-state.tsx'

export type ChangeFiles = (change: (files: readonly FormFile[]) => readonly FormFile[]) => void

const mostFiles = 10
const altTextLength = 1_000

/** Sends files beside the writing, also while another tab is looked at; `change` puts what becomes of them into the form. */
export function useUploads(change: ChangeFiles): (files: Iterable<File>) => void {
  const { csrf_token } = useSession()
  const current = useRef(change)
  useEffect(() => {
    current.current = change
  })
  const put = (key: string, patch: Partial<FormFile>): void =>
    current.current((files) => files.map((file) => (file.key === key ? { ...file, ...patch } : file)))
  return (given) => {
    const added = [...given].map((file) => ({ file, key: newKey() }))
    current.current((files) => [
      ...files,
      ...added.slice(0, Math.max(0, mostFiles - files.length)).map(({ file, key }): FormFile => ({
        key,
        documentId: null,
        name: file.name,
        contentType: file.type,
        size: file.size,
        picture: file.type.startsWith('image/') ? URL.createObjectURL(file) : null,
        url: null,
        altText: '',
        progress: 0,
        failure: null,
      })),
    ])
    for (const { file, key } of added)
      upload(file, csrf_token, (progress) => put(key, { progress })).then(
        (done) =>
          put(key, {
            documentId: done.id,
            contentType: done.content_type,
            size: done.size,
            progress: null,
            url: `/api/v1/documents/${done.id}/content`,
            picture: pictureOf(done.id, done.content_type, done.variants),
          }),
        (error: unknown) =>
          put(key, { progress: null, failure: error instanceof Error ? error.message : String(error) }),
      )
  }
}

/** Takes what is dropped anywhere on it, or pasted into a field of it. */
export function DropArea({
  take,
  children,
}: {
  readonly take: (files: Iterable<File>) => void
  readonly children: ReactNode
}) {
  const { t } = useSpeech()
  const [isOver, setOver] = useState(false)
  return (
    <div
      className="drop-area"
      data-over={isOver || undefined}
      data-hint={t('post.drop_here')}
      onDragOver={(event) => {
        if (!event.dataTransfer.types.includes('Files')) return
        event.preventDefault()
        setOver(true)
      }}
      onDragLeave={(event) => {
        if (!(event.relatedTarget instanceof Node && event.currentTarget.contains(event.relatedTarget))) setOver(false)
      }}
      onDrop={(event) => {
        if (event.dataTransfer.files.length === 0) return
        event.preventDefault()
        setOver(false)
        take(event.dataTransfer.files)
      }}
      onPaste={(event) => {
        // Words from an office program bring a picture of themselves along.
        if (event.clipboardData.files.length === 0 || event.clipboardData.types.includes('text/plain')) return
        event.preventDefault()
        take(event.clipboardData.files)
      }}
    >
      {children}
    </div>
  )
}

interface Props {
  readonly files: readonly FormFile[]
  readonly change: ChangeFiles
  readonly take: (files: Iterable<File>) => void
}

export function PostFiles({ files, change, take }: Props) {
  const { t, language } = useSpeech()
  const chooser = useRef<HTMLInputElement>(null)
  const swap = (index: number, by: 1 | -1): void =>
    change((old) => {
      const next = [...old]
      const [moved] = next.splice(index, 1)
      if (moved) next.splice(index + by, 0, moved)
      return next
    })
  const put = (key: string, altText: string): void =>
    change((old) => old.map((file) => (file.key === key ? { ...file, altText } : file)))
  return (
    <div className="post-files">
      {files.length > 0 && (
        <ol className="plain-list" aria-label={t('post.files')}>
          {files.map((file, index) => (
            <li key={file.key} className="post-file">
              {file.picture ? (
                <img src={file.picture} alt="" className="post-file-picture" />
              ) : (
                <span className="post-file-picture" aria-hidden>
                  {file.contentType.startsWith('video/') ? <IconPlayerPlay size={22} /> : <IconFile size={22} />}
                </span>
              )}
              <div className="post-file-main">
                <div className="post-file-name" title={file.name}>
                  {file.name} <span className="mark-text">{sizeOf(file.size, language)}</span>
                </div>
                {file.progress !== null && (
                  <Progress
                    value={file.progress * 100}
                    size="sm"
                    aria-label={t('post.sending_file', { name: file.name })}
                  />
                )}
                {file.failure !== null && (
                  <div className="post-problem" data-severity="error" role="alert">
                    {t('post.file_failed', { reason: file.failure })}
                  </div>
                )}
                {file.failure === null && (
                  <TextInput
                    size="sm"
                    aria-label={t('post.alt_for', { name: file.name })}
                    placeholder={t('post.alt_hint')}
                    maxLength={altTextLength}
                    value={file.altText}
                    onChange={(event) => put(file.key, event.currentTarget.value)}
                  />
                )}
              </div>
              <div className="post-file-acts">
                <ActionIcon
                  variant="transparent"
                  color="gray"
                  disabled={index === 0}
                  aria-label={t('post.file_up', { name: file.name })}
                  onClick={() => swap(index, -1)}
                >
                  <IconArrowUp size={18} />
                </ActionIcon>
                <ActionIcon
                  variant="transparent"
                  color="gray"
                  disabled={index === files.length - 1}
                  aria-label={t('post.file_down', { name: file.name })}
                  onClick={() => swap(index, 1)}
                >
                  <IconArrowDown size={18} />
                </ActionIcon>
                <ActionIcon
                  variant="subtle"
                  color="gray"
                  aria-label={t('post.file_remove', { name: file.name })}
                  onClick={() => change((old) => old.filter(({ key }) => key !== file.key))}
                >
                  <IconX size={18} />
                </ActionIcon>
              </div>
            </li>
          ))}
        </ol>
      )}
      <input
        ref={chooser}
        type="file"
        hidden
        multiple
        accept="image/*,video/*"
        aria-label={t('post.add_files')}
        onChange={(event) => {
          if (event.currentTarget.files) take(event.currentTarget.files)
          event.currentTarget.value = ''
        }}
      />
      <Button
        variant="default"
        leftSection={<IconPhotoPlus size={18} aria-hidden />}
        disabled={files.length >= mostFiles}
        onClick={() => chooser.current?.click()}
      >
        {t('post.add_files')}
      </Button>
      <span className="mark-text">{t('post.drop_hint')}</span>
    </div>
  )
}
