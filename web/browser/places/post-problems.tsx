/** What stands in the way, by channel: errors first, each with the field that it is about. */
import { IconAlertCircle, IconAlertTriangle } from '@tabler/icons-react'
import { ChannelMark } from '../person.tsx'
import { useSpeech } from '../texts/index.tsx'
import { filesFor, type PostForm } from './post-form.ts'
import { fieldOf, problemText } from './post-state.tsx'
import type { PostCheck } from './use-post-checks.ts'

export function PostProblems({ checks, form }: { readonly checks: readonly PostCheck[]; readonly form: PostForm }) {
  const speech = useSpeech()
  const { t } = speech
  const lines = checks.flatMap((check) =>
    check.problems.map((problem) => ({
      ...problem,
      check,
      words: problemText(speech, problem, check, filesFor(form, check.channel.id)),
    })),
  )
  if (lines.length === 0) return null
  const sorted = [...lines].sort((one, other) => one.severity.localeCompare(other.severity))
  return (
    <ul className="plain-list post-problems" aria-label={t('post.problems')}>
      {sorted.map(({ code, field, severity, words, check }) => (
        <li key={`${check.channel.id} ${code} ${field}`} className="post-problem" data-severity={severity}>
          {severity === 'error' ? (
            <IconAlertCircle size={18} aria-hidden />
          ) : (
            <IconAlertTriangle size={18} aria-hidden />
          )}
          <ChannelMark type={check.channel.type} size={18} />
          <span>
            <strong>
              {t(severity === 'error' ? 'post.error_in' : 'post.warning_in', {
                name: check.channel.name,
                field: t(`post.field_${fieldOf(field)}`),
              })}
            </strong>{' '}
            {words}
          </span>
        </li>
      ))}
    </ul>
  )
}
