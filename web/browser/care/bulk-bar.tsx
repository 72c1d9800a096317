/** What is done to the selected rows, all at once; how far it is; and the way back. */
import { ActionIcon, Button, Progress, Tooltip } from '@mantine/core'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { IconCheck, IconClock, IconFlag, IconProgressCheck, IconTag, IconUserPlus, IconX } from '@tabler/icons-react'
import { useEffect } from 'react'
import { announce } from '../announcer.tsx'
import { useTell } from '../places/use-tell.ts'
import { keys } from '../queries.ts'
import { useSpeech, type Key } from '../texts/index.tsx'
import type { BulkJson } from '../../presenters/inbox.ts'
import { careApi } from './api.ts'
import type { Chosen } from './chosen.ts'
import type { useQuestions } from './questions.tsx'
import { careKeys } from './queries.ts'

interface Props {
  readonly chosen: Chosen
  readonly hasMore: boolean
  readonly questions: ReturnType<typeof useQuestions>
  readonly resolve: () => void
}

export function BulkBar({ chosen, hasMore, questions, resolve }: Props) {
  const { t } = useSpeech()
  const act = (label: Key, key: string, Icon: typeof IconTag, run: () => void) => (
    <Tooltip label={key ? `${t(label)} (${key})` : t(label)}>
      <ActionIcon variant="subtle" size={30} aria-label={t(label)} onClick={run}>
        <Icon size={18} />
      </ActionIcon>
    </Tooltip>
  )
  return (
    <div className="bulk" role="toolbar" aria-label={t('bulk.title')}>
      <span className="bulk-count" role="status">
        {chosen.isAll ? t('bulk.all') : t('bulk.count', { count: chosen.count })}
      </span>
      {!chosen.isAll && (
        <Button variant="subtle" size="compact-sm" onClick={chosen.all}>
          {t(hasMore ? 'bulk.all_match' : 'bulk.all_here')}
        </Button>
      )}
      <span className="bulk-acts">
        {act('care.assign', 'A', IconUserPlus, questions.assign)}
        {act('care.label', 'L', IconTag, questions.label)}
        {act('care.priority', 'P', IconFlag, questions.priority)}
        {act('care.snooze', 'S', IconClock, questions.snooze)}
        {act('care.status', '', IconProgressCheck, questions.status)}
        {act('action.resolve', 'E', IconCheck, resolve)}
        {act('bulk.clear', 'Esc', IconX, chosen.clear)}
      </span>
    </div>
  )
}

const pollMs = 1_000

export function BulkProgress({ job, forget }: { readonly job: BulkJson; readonly forget: () => void }) {
  const { t } = useSpeech()
  const client = useQueryClient()
  const { failed } = useTell()
  const now = useQuery({
    queryKey: careKeys.job(job.id),
    queryFn: ({ signal }) => careApi.job(job.id, signal),
    initialData: job,
    staleTime: 0,
    refetchInterval: ({ state }) => (isGoing(state.data ?? job) ? pollMs : false),
  }).data
  const { state } = now
  useEffect(() => {
    if (state === 'running' || state === 'undoing') return
    void client.invalidateQueries({ queryKey: keys.lists })
    void client.invalidateQueries({ queryKey: ['conversation'] })
    void client.invalidateQueries({ queryKey: careKeys.counts })
    announce(state === 'undone' ? 'bulk.undone' : 'bulk.done', {
      changed: String(now.changed),
      undone: String(now.undone),
      skipped: '',
    })
    // Only what it comes to: how many is said by the same answer.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [state, client])
  const steer = async (to: 'undo' | 'cancel'): Promise<void> => {
    try {
      client.setQueryData(careKeys.job(job.id), await careApi.steer(job.id, to))
    } catch (error) {
      failed(error instanceof Error ? error : new Error(String(error)))
    }
  }
  const isUndo = state === 'undoing' || state === 'undone'
  const done = isUndo ? now.undone : now.done
  const words = isGoing(now)
    ? t(isUndo ? 'bulk.undoing' : 'bulk.running', { done, total: now.total })
    : isUndo
      ? t('bulk.undone', {
          undone: now.undone,
          skipped: now.skipped > 0 ? t('bulk.skipped', { count: now.skipped }) : '',
        })
      : state === 'failed'
        ? t('bulk.failed', { reason: now.reason ?? '' })
        : t(state === 'cancelled' ? 'bulk.cancelled' : 'bulk.done', { changed: now.changed })
  return (
    <div className="bulk-progress">
      <div className="bulk-line">
        <span>{words}</span>
        {state === 'running' && (
          <Button size="compact-sm" variant="default" onClick={() => void steer('cancel')}>
            {t('channels.cancel')}
          </Button>
        )}
        {now.can_undo && (
          <Button size="compact-sm" variant="default" onClick={() => void steer('undo')}>
            {t('conversation.undo')}
          </Button>
        )}
        {!isGoing(now) && (
          <ActionIcon variant="subtle" color="gray" size={28} aria-label={t('help.close')} onClick={forget}>
            <IconX size={16} />
          </ActionIcon>
        )}
      </div>
      {isGoing(now) && <Progress value={(done / Math.max(1, now.total)) * 100} size="sm" aria-label={words} />}
    </div>
  )
}

const isGoing = ({ state }: BulkJson): boolean => state === 'running' || state === 'undoing'
