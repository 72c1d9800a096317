/** The editor of one post, beside the calendar or instead of it. */
import { Skeleton } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useMemo, type ReactNode } from 'react'
import { Problem } from '../api.ts'
import { useSession } from '../session.ts'
import { Empty, Failure } from '../states.tsx'
import { useSpeech } from '../texts/index.tsx'
import type { Day, Zone } from './calendar-days.ts'
import { postQueries } from './post-api.ts'
import { PostDesk } from './post-desk.tsx'
import { emptyForm } from './post-form.ts'
import { EditorHead } from './post-head.tsx'

interface Props {
  /** Undefined: a new one. */
  readonly id: string | undefined
  readonly startDay: Day | null
  readonly startChannel: string | undefined
  readonly zone: Zone
  readonly close: () => void
  readonly goTo: (id: string) => void
}

export function PostEditor({ id, startDay, startChannel, zone, close, goTo }: Props) {
  const { t } = useSpeech()
  const { permissions } = useSession()
  const query = useQuery({ ...postQueries.one(id ?? 'new'), enabled: id !== undefined })
  const settings = useQuery(postQueries.settings)
  const start = useMemo(
    () => ({
      ...emptyForm,
      publishAt: startDay === null ? null : startOf(startDay, zone),
      channels: startChannel === undefined ? [] : [{ channelId: startChannel, text: null, files: null }],
    }),
    [startDay, startChannel, zone],
  )
  const frame = (children: ReactNode) => (
    <aside className="post-editor" aria-label={t(id === undefined ? 'post.new' : 'post.one')}>
      {children}
    </aside>
  )
  if (id === undefined) {
    if (!permissions.includes('posts.write')) return frame(<Gone close={close} />)
    const mayApprove = permissions.includes('posts.approve')
    const rules = settings.data
    const needsApproval =
      rules === undefined ||
      rules.approval === 'always' ||
      (rules.approval === 'by_role' && (!mayApprove || rules.four_eyes))
    const may = [
      'edit',
      'submit',
      ...(permissions.includes('posts.publish') && !needsApproval ? ['schedule', 'publish'] : []),
    ]
    return frame(<PostDesk post={undefined} start={start} may={may} zone={zone} close={close} goTo={goTo} />)
  }
  if (query.data)
    return frame(
      <PostDesk post={query.data} start={start} may={query.data.may} zone={zone} close={close} goTo={goTo} />,
    )
  if (query.error instanceof Problem && query.error.status === 404) return frame(<Gone close={close} />)
  if (query.isError) return frame(<Failure error={query.error} again={() => void query.refetch()} />)
  return frame(
    <div className="post-editor-body" role="status" aria-busy aria-label={t('state.loading')}>
      <Skeleton height={40} mb={12} />
      <Skeleton height={160} mb={12} />
      <Skeleton height={90} />
    </div>,
  )
}

/** On another day in the morning; today on the next full hour. */
function startOf(day: Day, zone: Zone): string {
  const now = Date.now()
  if (day > zone.dayOf(now)) return zone.instantOf(day, '09:00')
  return new Date(Math.ceil((now + 600_000) / 3_600_000) * 3_600_000).toISOString()
}

function Gone({ close }: { readonly close: () => void }) {
  const { t } = useSpeech()
  return (
    <>
      <EditorHead post={undefined} title={t('post.one')} close={close} />
      <Empty icon={null} title={t('post.missing')} hint={t('post.missing_hint')} />
    </>
  )
}
