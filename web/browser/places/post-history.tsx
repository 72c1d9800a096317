/** Who did what with a post, the newest last. */
import { useQuery } from '@tanstack/react-query'
import type { PostStepJson } from '../../presenters/post-shapes.ts'
import { useSpeech, type Key } from '../texts/index.tsx'
import type { Zone } from './calendar-days.ts'
import { postQueries } from './post-api.ts'
import { postStates, StateWord } from './post-state.tsx'

const steps: Readonly<Record<string, Key>> = {
  create: 'post.step_create',
  edit: 'post.step_edit',
  move: 'post.step_move',
  submit: 'post.step_submit',
  approve: 'post.step_approve',
  reject: 'post.step_reject',
  schedule: 'post.step_schedule',
  publish: 'post.step_publish',
  fire: 'post.step_fire',
  cancel: 'post.step_cancel',
  retry: 'post.step_retry',
  settle: 'post.step_settle',
}

const instant = /\d{4}-\d\d-\d\dT[\d:.]+Z/

export function PostHistory({ id, zone }: { readonly id: string; readonly zone: Zone }) {
  const { t } = useSpeech()
  const { data } = useQuery(postQueries.history(id))
  if (!data) return null
  const wordsOf = ({ step }: PostStepJson): string => {
    const key = steps[step]
    const state = postStates.find((each) => each === step)
    return key !== undefined ? t(key) : state !== undefined ? '' : step
  }
  return (
    <section className="post-history">
      <h2>{t('post.history')}</h2>
      <ol className="plain-list">
        {data.items.map((line, index) => {
          const at = line.detail?.match(instant)?.[0]
          return (
            <li key={index}>
              <span className="post-history-words">
                <strong>{line.by?.name ?? t('app.name')}</strong> {wordsOf(line)}
                {at !== undefined && ` · ${zone.short(at)}`}
                {at === undefined && line.detail !== null && !line.detail.startsWith('channel ') && (
                  <span className="post-history-detail" dir="auto">
                    {line.detail}
                  </span>
                )}
              </span>
              {line.from_state !== line.to_state && <StateWord state={line.to_state} />}
              <time dateTime={line.at} title={zone.exact(line.at)} className="mark-text">
                {zone.short(line.at)}
              </time>
            </li>
          )
        })}
      </ol>
    </section>
  )
}
