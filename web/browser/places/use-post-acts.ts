/** Saving and every step of a post: one at a time, what is on the desk first, refusals in words. */
import { useQueryClient } from '@tanstack/react-query'
import { useRef, useState } from 'react'
import type { PlannedPostJson } from '../../presenters/post-shapes.ts'
import { newKey } from '../api.ts'
import { useSpeech } from '../texts/index.tsx'
import { postApi, postQueries, type PostVerb } from './post-api.ts'
import { wishOf } from './post-form.ts'
import { refusalText } from './post-state.tsx'
import type { PostDraft } from './use-post-form.ts'
import { useTell } from './use-tell.ts'

export function usePostActs(draft: PostDraft, goTo: (id: string) => void, close: () => void) {
  const speech = useSpeech()
  const client = useQueryClient()
  const tell = useTell()
  const [doing, setDoing] = useState<string>()
  const [failure, setFailure] = useState<string>()
  const isBusy = useRef(false)
  /** A repeated try of the same new post has the same key, so that it is made once. */
  const tried = useRef({ key: '', what: '' })
  const { base, form } = draft

  const take = (post: PlannedPostJson): PlannedPostJson => {
    client.setQueryData(postQueries.one(post.id).queryKey, post)
    return post
  }
  const run = async (name: string, act: () => Promise<PlannedPostJson | undefined>, done?: string): Promise<void> => {
    if (isBusy.current) return
    isBusy.current = true
    setDoing(name)
    setFailure(undefined)
    try {
      const post = await act()
      if (done !== undefined) tell.done(done)
      if (post === undefined) close()
      else {
        take(post)
        draft.adopt(post)
        if (base === undefined) goTo(post.id)
      }
    } catch (error) {
      setFailure(refusalText(speech, error instanceof Error ? error : new Error(String(error))))
      // What is on the screen may be old: read again, so that theirs can be shown beside ours.
      if (base) await client.invalidateQueries({ queryKey: postQueries.one(base.id).queryKey })
    } finally {
      isBusy.current = false
      setDoing(undefined)
      void client.invalidateQueries({ queryKey: postQueries.all })
    }
  }
  const create = (state: string): Promise<PlannedPostJson> => {
    const wish = { ...wishOf(form), state }
    const what = JSON.stringify(wish)
    if (tried.current.what !== what) tried.current = { key: newKey(), what }
    return postApi.create(wish, tried.current.key)
  }
  const saved = async (): Promise<PlannedPostJson> => {
    if (base === undefined) return create('draft')
    if (!draft.isDirty) return base
    const post = await postApi.change(base.id, { ...wishOf(form), version: base.version })
    draft.adopt(post)
    return take(post)
  }
  /** How a new post goes there in one call, so that nothing is left lying where it is refused. */
  const atOnce: Partial<Record<PostVerb, string>> = {
    submit: 'in_review',
    schedule: 'scheduled',
    publish: 'publishing',
  }

  return {
    doing,
    failure,
    refuse: setFailure,
    run,
    save: (): Promise<void> => run('save', saved, speech.t('post.saved')),
    step: (verb: PostVerb, wish: Readonly<Record<string, unknown>>, done: string): Promise<void> =>
      run(
        verb,
        async () => {
          const goal = atOnce[verb]
          if (base === undefined && goal !== undefined) return create(goal)
          const post = await saved()
          const isLate = verb === 'approve'
          return postApi.step(post.id, verb, { ...wish, ...(isLate && { version: post.version }) })
        },
        done,
      ),
    remove: (): Promise<void> =>
      run(
        'remove',
        async () => {
          if (base) await postApi.remove(base.id)
          draft.discard()
          return undefined
        },
        speech.t('post.removed'),
      ),
  }
}

export type PostActs = ReturnType<typeof usePostActs>
