/** The head of the editor: which post, how it stands, by whom, and the way out. */
import { ActionIcon } from '@mantine/core'
import { IconX } from '@tabler/icons-react'
import type { PlannedPostJson } from '../../presenters/post-shapes.ts'
import { useSpeech } from '../texts/index.tsx'
import { StateWord } from './post-state.tsx'

export function EditorHead({
  post,
  title,
  close,
}: {
  readonly post: PlannedPostJson | undefined
  readonly title: string
  readonly close: () => void
}) {
  const { t } = useSpeech()
  return (
    <header className="post-editor-head">
      <h2>{title}</h2>
      {post && <StateWord state={post.state} />}
      {post?.created_by && <span className="mark-text">{t('post.by', { name: post.created_by.name })}</span>}
      <ActionIcon
        variant="subtle"
        color="gray"
        size={36}
        aria-label={t('post.close')}
        title={`${t('post.close')} (Esc)`}
        onClick={close}
      >
        <IconX size={20} />
      </ActionIcon>
    </header>
  )
}
