/** The text on the desk, beside the post as it was last read: what is unsaved, and what somebody else changed meanwhile. */
import { useEffect, useMemo, useState } from 'react'
import type { PlannedPostJson } from '../../presenters/post-shapes.ts'
import { useSession } from '../session.ts'
import { formOf, isSame, isUploading, keep, loadKept, type PostForm } from './post-form.ts'

export function usePostForm(post: PlannedPostJson | undefined, start: PostForm) {
  // Whoever signs in next in this tab has their own.
  const id = `${useSession().user.id}-${post?.id ?? 'new'}`
  const [kept] = useState(() => loadKept(id))
  const [base, setBase] = useState(post)
  const [form, setForm] = useState<PostForm>(() => kept?.form ?? (post ? formOf(post) : start))
  const [isRestored, setRestored] = useState(kept !== undefined)
  const [isOld, setOld] = useState(kept !== undefined && kept.version !== (post?.version ?? null))
  const saved = useMemo(() => (base ? formOf(base) : start), [base, start])
  const isDirty = !isSame(form, saved)
  const isTheirsOther = post !== undefined && post !== base && !isSame(formOf(post), saved)
  // What changed without touching the words, or while nothing was written here, is simply taken over.
  if (post !== undefined && post !== base && (!isDirty || !isTheirsOther)) {
    setBase(post)
    if (!isDirty) setForm(formOf(post))
  }
  const theirs = isDirty && (isTheirsOther || isOld) ? post : undefined

  useEffect(() => {
    const keepNow = (): void => keep(id, isDirty ? { form, version: base?.version ?? null } : undefined)
    const timer = setTimeout(keepNow, 300)
    // Also what was written in the last moment before the page goes.
    addEventListener('pagehide', keepNow)
    return () => {
      clearTimeout(timer)
      removeEventListener('pagehide', keepNow)
    }
  }, [id, form, isDirty, base])

  return {
    form,
    base,
    isDirty,
    isUploading: isUploading(form),
    /** Not saved at the last visit, and put back. */
    isRestored: isRestored && isDirty,
    /** The post as somebody else has made it meanwhile. */
    theirs,
    change: (patch: Partial<PostForm> | ((old: PostForm) => PostForm)): void =>
      setForm((old) => (typeof patch === 'function' ? patch(old) : { ...old, ...patch })),
    /** The post as the API has just answered it; what is on the desk is as saved. */
    adopt: (next: PlannedPostJson): void => {
      keep(id, undefined)
      setBase(next)
      setForm(formOf(next))
      setRestored(false)
      setOld(false)
    },
    /** What is on the desk is meant to replace theirs. */
    keepMine: (): void => {
      setBase(post)
      setOld(false)
    },
    discard: (): void => {
      keep(id, undefined)
      setBase(post)
      setForm(post ? formOf(post) : start)
      setRestored(false)
      setOld(false)
    },
  }
}

export type PostDraft = ReturnType<typeof usePostForm>
