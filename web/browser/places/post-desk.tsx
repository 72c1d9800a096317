/** The desk: what is written and its previews, what is wrong with it, what became of it, and what to do next. */
import { Alert, Button, Group, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import type { PlannedPostJson } from '../../presenters/post-shapes.ts'
import { api } from '../api.ts'
import { useActions } from '../keyboard.ts'
import { keys } from '../queries.ts'
import { useSpeech } from '../texts/index.tsx'
import type { Zone } from './calendar-days.ts'
import { PostActs } from './post-acts.tsx'
import { Ask, type Question } from './post-ask.tsx'
import { PostChannels } from './post-channels.tsx'
import { EditorHead } from './post-head.tsx'
import { PostFates } from './post-fates.tsx'
import { isLinkGood, type PostForm } from './post-form.ts'
import { PostHistory } from './post-history.tsx'
import { PostPreviews } from './post-preview.tsx'
import { PostProblems } from './post-problems.tsx'
import { leave, useUnsaved } from './post-unsaved.ts'
import { PostWhen } from './post-when.tsx'
import { PostWords } from './post-words.tsx'
import { usePostActs } from './use-post-acts.ts'
import { usePostChecks } from './use-post-checks.ts'
import { usePostForm } from './use-post-form.ts'

interface Props {
  readonly post: PlannedPostJson | undefined
  readonly start: PostForm
  readonly may: readonly string[]
  readonly zone: Zone
  readonly close: () => void
  readonly goTo: (id: string) => void
}

export function PostDesk({ post, start, may, zone, close, goTo }: Props) {
  const { t } = useSpeech()
  const draft = usePostForm(post, start)
  const { form, theirs, change } = draft
  const mayEdit = may.includes('edit')
  const mayTime = mayEdit || may.includes('approve') || may.includes('schedule')
  const channels = useQuery({ queryKey: keys.channels, queryFn: ({ signal }) => api.channels(signal) })
  const { checks, hasErrors } = usePostChecks(form, post, channels.data?.items ?? [], mayEdit)
  const acts = usePostActs(draft, goTo, close)
  const [question, setQuestion] = useState<Question>()
  const isUnsaved = mayEdit && (draft.isDirty || draft.isUploading)

  const askToLeave = (go: () => void): void =>
    setQuestion({
      title: t('post.leave_title'),
      lead: t('post.leave_lead'),
      button: t('post.leave'),
      isDangerous: true,
      act: () => {
        draft.discard()
        // Only once nothing is unsaved any more is the way free.
        setTimeout(go)
      },
    })
  useUnsaved(isUnsaved, askToLeave)
  useActions([
    {
      id: 'post-save',
      label: 'post.save',
      keys: 'mod+s',
      group: 'group.general',
      run: () => {
        if (mayEdit && draft.isDirty && !draft.isUploading && isLinkGood(form.link)) void acts.save()
      },
    },
    {
      id: 'post-back',
      label: 'action.back',
      keys: 'Escape',
      group: 'group.general',
      isForFields: true,
      isKeyOnly: true,
      run: () => {
        const field = document.activeElement
        // First out of the field, then out of the post: one press never loses both.
        if (field instanceof HTMLElement && ['INPUT', 'TEXTAREA', 'SELECT'].includes(field.tagName)) field.blur()
        else leave(close)
      },
    },
  ])
  const hasFate = post !== undefined && post.channels.some(({ state }) => state !== 'waiting')
  const when = form.publishAt === null ? t('post.no_time_yet') : zone.short(form.publishAt)

  return (
    <>
      <EditorHead post={post} title={t(post ? 'post.one' : 'post.new')} close={() => leave(close)} />
      <div className="post-editor-body">
        {draft.isRestored && !theirs && (
          <Alert color="gray" variant="light" title={t('post.restored')}>
            <Button size="compact-md" variant="default" onClick={draft.discard}>
              {t('post.discard')}
            </Button>
          </Alert>
        )}
        {theirs && (
          <Alert
            color="yellow"
            variant="light"
            role="alert"
            title={t('post.changed', { name: theirs.edited_by?.name ?? '' })}
          >
            <div className="post-both">
              <div>
                <strong>{t('post.theirs')}</strong>
                <p dir="auto">{theirs.text}</p>
                {theirs.publish_at && <p className="mark-text">{zone.short(theirs.publish_at)}</p>}
              </div>
              <div>
                <strong>{t('post.mine')}</strong>
                <p dir="auto">{form.text}</p>
                {form.publishAt && <p className="mark-text">{zone.short(form.publishAt)}</p>}
              </div>
            </div>
            <Group gap="xs" mt="xs">
              <Button
                size="compact-md"
                onClick={() => {
                  draft.keepMine()
                  acts.refuse(undefined)
                }}
              >
                {t('post.keep_mine')}
              </Button>
              <Button
                size="compact-md"
                variant="default"
                onClick={() => {
                  draft.discard()
                  acts.refuse(undefined)
                }}
              >
                {t('post.take_theirs')}
              </Button>
            </Group>
          </Alert>
        )}
        {post?.reason && (post.state === 'draft' || post.state === 'asked' || post.state === 'cancelled') && (
          <Alert
            color={post.state === 'asked' ? 'yellow' : 'gray'}
            variant="light"
            title={t(
              post.reason_code === 'rejected'
                ? 'post.was_rejected'
                : post.state === 'asked'
                  ? 'post.was_late'
                  : 'post.was_cancelled',
            )}
          >
            {post.reason}
          </Alert>
        )}
        <div className="post-columns">
          <div className="post-write">
            {hasFate && (
              <PostFates
                post={post}
                zone={zone}
                isBusy={acts.doing !== undefined}
                run={(act) => void acts.run('fate', act)}
              />
            )}
            {mayEdit && (
              <>
                <PostChannels
                  form={form}
                  channels={channels.data?.items}
                  choose={(next) => change({ channels: next })}
                />
                <PostWords form={form} checks={checks} change={change} />
              </>
            )}
            {mayTime && (
              <PostWhen publishAt={form.publishAt} latePolicy={form.latePolicy} zone={zone} change={change} />
            )}
            {!mayTime && post?.publish_at && !hasFate && <Text>{zone.short(post.publish_at)}</Text>}
            {post && <PostHistory id={post.id} zone={zone} />}
          </div>
          <PostPreviews form={form} checks={checks} when={when} />
        </div>
      </div>
      <footer className="post-editor-foot">
        {mayEdit && hasErrors && acts.failure !== undefined && <PostProblems checks={checks} form={form} />}
        {acts.failure !== undefined && (
          <div className="post-problem" data-severity="error" role="alert">
            {acts.failure}
          </div>
        )}
        <PostActs
          draft={draft}
          acts={acts}
          may={theirs ? [] : may}
          checks={checks}
          hasErrors={hasErrors}
          zone={zone}
          ask={setQuestion}
        />
      </footer>
      {question && <Ask question={question} close={() => setQuestion(undefined)} />}
    </>
  )
}
