/** What may be done with a post now: the next step large, the others beside it. */
import { Button, Group, Menu } from '@mantine/core'
import {
  IconCalendarTime,
  IconCheck,
  IconChevronUp,
  IconDeviceFloppy,
  IconEyeCheck,
  IconSend,
} from '@tabler/icons-react'
import type { ReactNode } from 'react'
import type { PlannedPostJson } from '../../presenters/post-shapes.ts'
import { useNow } from '../clock.ts'
import { ChannelMark } from '../person.tsx'
import { useSession } from '../session.ts'
import { useSpeech } from '../texts/index.tsx'
import type { Zone } from './calendar-days.ts'
import type { Question } from './post-ask.tsx'
import { isLinkGood } from './post-form.ts'
import type { PostActs as Acts } from './use-post-acts.ts'
import type { PostCheck } from './use-post-checks.ts'
import type { PostDraft } from './use-post-form.ts'

interface Props {
  readonly draft: PostDraft
  readonly acts: Acts
  readonly may: readonly string[]
  readonly checks: readonly PostCheck[]
  readonly hasErrors: boolean
  readonly zone: Zone
  readonly ask: (question: Question) => void
}

const removable: readonly PlannedPostJson['state'][] = ['draft', 'failed', 'cancelled']

export function PostActs({ draft, acts, may, checks, hasErrors, zone, ask }: Props) {
  const { t } = useSpeech()
  const { user } = useSession()
  const now = useNow()
  const { form, base, isDirty, isUploading } = draft
  const state = base?.state ?? 'draft'
  const at = form.publishAt
  const time = at === null ? '' : zone.short(at)
  const can = (step: string): boolean => may.includes(step)

  /** What stands in the way of leaving the drafts; said, not hidden behind a dead button. */
  const ready = (needsTime: boolean): boolean => {
    const words = isUploading
      ? t('post.still_sending')
      : form.channels.length === 0
        ? t('post.choose_channel')
        : !isLinkGood(form.link)
          ? t('post.link_bad')
          : hasErrors
            ? t('post.mend_first')
            : needsTime && at === null
              ? t('post.refused_no_time')
              : at !== null && needsTime && Date.parse(at) <= now
                ? t('post.refused_past')
                : undefined
    acts.refuse(words)
    return words === undefined
  }
  const save = (): void => {
    if (isUploading) acts.refuse(t('post.still_sending'))
    else if (!isLinkGood(form.link)) acts.refuse(t('post.link_bad'))
    else void acts.save()
  }
  const submit = (): void => {
    if (ready(false)) void acts.step('submit', {}, t('post.submitted'))
  }
  const schedule = (): void => {
    if (ready(true)) void acts.step('schedule', { publish_at: at }, t('post.scheduled', { time }))
  }
  const approve = (): void => {
    if (!ready(at !== null)) return
    void acts.step('approve', at === null ? {} : { at }, t(at === null ? 'post.approved' : 'post.scheduled', { time }))
  }
  const publish = (): void => {
    if (!ready(false)) return
    ask({
      title: t('post.publish_title'),
      lead: (
        <>
          {t('post.publish_lead', { count: checks.length })}
          <ul className="plain-list post-ask-channels">
            {checks.map(({ channel }) => (
              <li key={channel.id}>
                <ChannelMark type={channel.type} size={18} /> {channel.name}
              </li>
            ))}
          </ul>
        </>
      ),
      button: t('post.publish_now'),
      act: () => void acts.step('publish', {}, t('post.on_its_way')),
    })
  }
  const reject = (): void =>
    ask({
      title: t('post.reject_title'),
      lead: t('post.reject_lead', { name: base?.created_by?.name ?? '' }),
      wordsLabel: t('post.reason'),
      button: t('post.reject'),
      act: (reason) => void acts.step('reject', { reason }, t('post.rejected')),
    })
  const cancel = (): void =>
    ask({
      title: t('post.cancel_title'),
      lead: t(state === 'publishing' ? 'post.cancel_lead_late' : 'post.cancel_lead'),
      button: t('post.cancel'),
      isDangerous: true,
      act: () => void acts.step('cancel', {}, t('post.cancelled')),
    })
  const remove = (): void =>
    ask({
      title: t('post.remove_title'),
      lead: t('post.remove_lead'),
      button: t('post.remove'),
      isDangerous: true,
      act: () => void acts.remove(),
    })

  const big = (name: string, label: string, icon: ReactNode, act: () => void) => (
    <Button
      leftSection={icon}
      loading={acts.doing === name}
      disabled={acts.doing !== undefined && acts.doing !== name}
      onClick={act}
    >
      {label}
    </Button>
  )
  const isUnscheduled = state === 'draft' || state === 'approved' || state === 'asked'
  const main = can('approve')
    ? big(
        'approve',
        at === null ? t('post.approve_as', { name: user.name }) : t('post.approve_at', { name: user.name, time }),
        <IconCheck size={18} aria-hidden />,
        approve,
      )
    : can('schedule') && isUnscheduled && at !== null
      ? big('schedule', t('post.schedule_at', { time }), <IconCalendarTime size={18} aria-hidden />, schedule)
      : can('publish') && isUnscheduled
        ? big('publish', t('post.publish_now'), <IconSend size={18} aria-hidden />, publish)
        : can('submit')
          ? big('submit', t('post.submit'), <IconEyeCheck size={18} aria-hidden />, submit)
          : can('edit') && isDirty && base
            ? big('save', t('post.save_changes'), <IconDeviceFloppy size={18} aria-hidden />, save)
            : null

  const isSaveMain = !can('approve') && !isUnscheduled && base !== undefined
  const others: { readonly label: string; readonly act: () => void; readonly isDangerous?: boolean }[] = [
    ...(can('publish') && !(isUnscheduled && at === null) ? [{ label: t('post.publish_now'), act: publish }] : []),
    ...(can('submit') && can('publish') ? [{ label: t('post.submit'), act: submit }] : []),
    ...(can('reject') && !can('approve') ? [{ label: t('post.to_drafts'), act: reject }] : []),
    ...(can('cancel') ? [{ label: t('post.cancel'), act: cancel, isDangerous: true }] : []),
    ...(base && can('edit') && removable.includes(state)
      ? [{ label: t('post.remove'), act: remove, isDangerous: true }]
      : []),
  ]
  const isSavable = can('edit') && (base === undefined || isDirty) && !(isSaveMain && main !== null)
  if (others.length === 0 && main === null && !isSavable) return null
  return (
    <Group className="post-acts" gap="xs">
      {others.length > 0 && (
        <Menu position="top-start">
          <Menu.Target>
            <Button variant="default" rightSection={<IconChevronUp size={16} aria-hidden />}>
              {t('post.more')}
            </Button>
          </Menu.Target>
          <Menu.Dropdown>
            {others.map(({ label, act, isDangerous }) => (
              <Menu.Item key={label} onClick={act} {...(isDangerous && { className: 'danger-item' })}>
                {label}
              </Menu.Item>
            ))}
          </Menu.Dropdown>
        </Menu>
      )}
      <span className="post-acts-gap" />
      {can('reject') && can('approve') && (
        <Button variant="default" onClick={reject} disabled={acts.doing !== undefined}>
          {t('post.reject')}
        </Button>
      )}
      {isSavable && (
        <Button
          variant="default"
          leftSection={<IconDeviceFloppy size={18} aria-hidden />}
          loading={acts.doing === 'save'}
          disabled={!isDirty || (acts.doing !== undefined && acts.doing !== 'save')}
          onClick={save}
        >
          {t(base === undefined || state === 'draft' ? 'post.save_draft' : 'post.save_changes')}
        </Button>
      )}
      {main}
    </Group>
  )
}
