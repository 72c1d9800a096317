/** How posts and publications stand, in a word, a colour and a sign; and what is wrong with them, in words. */
import {
  IconAlertTriangle,
  IconBan,
  IconCalendarTime,
  IconCircleCheck,
  IconCircleHalf2,
  IconClock,
  IconEyeCheck,
  IconHelpCircle,
  IconHourglassLow,
  IconPencil,
  IconRefresh,
  IconSend,
  IconThumbUp,
  type IconProps,
} from '@tabler/icons-react'
import type { ComponentType } from 'react'
import type { ChannelCheckJson, PlannedPostJson, PublicationJson } from '../../presenters/post-shapes.ts'
import { Problem } from '../api.ts'
import { useSpeech, type Key, type Speech } from '../texts/index.tsx'

export type PostState = PlannedPostJson['state']
type AnyState = PostState | PublicationJson['state']
type Tone = 'plain' | 'waits' | 'good' | 'warn' | 'bad'

const looks: Readonly<Record<AnyState, readonly [ComponentType<IconProps>, Tone]>> = {
  draft: [IconPencil, 'plain'],
  in_review: [IconEyeCheck, 'warn'],
  approved: [IconThumbUp, 'waits'],
  scheduled: [IconCalendarTime, 'waits'],
  waiting: [IconClock, 'waits'],
  asked: [IconHelpCircle, 'warn'],
  queued: [IconHourglassLow, 'waits'],
  publishing: [IconSend, 'waits'],
  retrying: [IconRefresh, 'warn'],
  published: [IconCircleCheck, 'good'],
  partly_published: [IconCircleHalf2, 'warn'],
  unknown: [IconHelpCircle, 'warn'],
  failed: [IconAlertTriangle, 'bad'],
  cancelled: [IconBan, 'plain'],
}

export const postStates = [
  'draft',
  'in_review',
  'approved',
  'scheduled',
  'asked',
  'publishing',
  'published',
  'partly_published',
  'unknown',
  'failed',
  'cancelled',
] as const satisfies readonly PostState[]

export const toneOf = (state: AnyState): Tone => looks[state][1]

export function StateWord({ state }: { readonly state: AnyState }) {
  const { t } = useSpeech()
  const [Sign, tone] = looks[state]
  return (
    <span className="post-state" data-tone={tone} title={t(`post.state_${state}`)}>
      <Sign size={16} aria-hidden />
      {t(`post.state_${state}`)}
    </span>
  )
}

type PostProblem = ChannelCheckJson['problems'][number]

const problemCodes = [
  'no_such_channel',
  'disconnected',
  'reconnect_needed',
  'not_possible',
  'empty',
  'too_long',
  'needs_file',
  'too_many_files',
  'no_such_file',
  'file_type',
  'file_too_large',
  'no_mixing',
  'no_link',
  'duplicate',
] as const

/** A problem in the reader's language, naming what it is about. */
export function problemText(
  { t, language }: Speech,
  { code, field, message }: Pick<PostProblem, 'code' | 'field' | 'message'>,
  check: Pick<ChannelCheckJson, 'channel' | 'length' | 'limits'>,
  fileNames: readonly { readonly name: string; readonly contentType: string; readonly size: number }[],
): string {
  const known = problemCodes.find((each) => each === code)
  if (known === undefined) return message
  const file = fileNames[Number(field.split('.')[1] ?? -1)]
  const most = check.limits?.files.find(({ types }) => file && types.includes(file.contentType))?.max_bytes
  return t(`post.problem_${known}`, {
    network: t(`channel.${check.channel.type}`),
    channel: check.channel.name,
    used: check.length,
    limit: check.limits?.max_text_length ?? 0,
    unit: t(`post.unit_${check.limits?.counting ?? 'characters'}`),
    count: check.limits?.max_files ?? 0,
    name: file?.name ?? '',
    type: file?.contentType ?? '',
    size: sizeOf(file?.size ?? 0, language),
    most: sizeOf(most ?? 0, language),
    types: [
      ...new Set(check.limits?.files.flatMap(({ types }) => types.map((type) => type.split('/')[1] ?? type))),
    ].join(', '),
  })
}

export const fieldOf = (field: string): 'text' | 'files' | 'link' | 'channel' =>
  field.startsWith('files') ? 'files' : field === 'text' || field === 'link' ? field : 'channel'

export function sizeOf(bytes: number, language: string): string {
  const [value, unit] = bytes < 1_000_000 ? [bytes / 1_000, 'kilobyte'] : [bytes / 1_000_000, 'megabyte']
  return new Intl.NumberFormat(language, { style: 'unit', unit, maximumFractionDigits: value < 10 ? 1 : 0 }).format(
    value,
  )
}

const refusals: Readonly<Record<string, Key>> = {
  publish_at_past: 'post.refused_past',
  publish_at_too_far: 'post.refused_too_far',
  no_time: 'post.refused_no_time',
  not_possible: 'post.refused_not_possible',
  needs_approval: 'post.refused_needs_approval',
  own_post: 'post.refused_own_post',
  changed_meanwhile: 'post.refused_changed',
  not_retryable: 'post.refused_not_possible',
  not_unknown: 'post.refused_not_possible',
  no_answer: 'post.refused_no_answer',
  forbidden: 'post.refused_forbidden',
}

/** Why something was not done, by code where it is known. */
export function refusalText({ t }: Speech, error: Error): string {
  if (!(error instanceof Problem)) return error.message
  const key = refusals[error.code]
  if (key !== undefined) return t(key)
  const known = problemCodes.find((each) => each === error.code)
  return known === undefined ? error.message : `${t('post.not_so')} ${error.message}`
}
