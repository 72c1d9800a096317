/** What is asked for conversations: whose, which team, which labels, how urgent, until when. For one as for many. */
import { useQueryClient } from '@tanstack/react-query'
import {
  IconClock,
  IconFlag,
  IconFlagFilled,
  IconMessage,
  IconTag,
  IconUser,
  IconUserOff,
  IconUsers,
} from '@tabler/icons-react'
import type { ConversationJson } from '../../presenters/shapes.ts'
import { useClock } from '../answering/later-menu.tsx'
import { ownZone } from '../answering/zoned.ts'
import { useNow } from '../clock.ts'
import { useSession } from '../session.ts'
import { useSpeech } from '../texts/index.tsx'
import { useTell } from '../places/use-tell.ts'
import { careApi, type CareWish } from './api.ts'
import { choose, type Choice } from './choose.ts'
import { usePeopleHere } from './presence.ts'
import { careKeys, useColleagues, useLabels, useTeams } from './queries.ts'
import { readWhen, usualWhens } from './snooze.ts'

/** What a change is for. `useNow`: the conversations as they are, where they are known. */
export interface Target {
  readonly useConversations: () => readonly ConversationJson[]
  readonly apply: (wish: CareWish) => void
}

export const priorities = ['urgent', 'high', 'low', 'none'] as const

export function useQuestions(target: Target) {
  const { t } = useSpeech()
  const ask = (about: Asked, choicesOf: (target: Target, typed: string) => Choice[]) => () =>
    choose({
      title: t(`care.${about}`),
      placeholder: t(`care.${about}_placeholder`),
      nothing: t('choose.nothing'),
      useChoices: (typed) => choicesOf(target, typed),
    })
  return {
    assign: ask('assign', useAssignees),
    team: ask('team', useTeamChoices),
    label: ask('label', useLabelChoices),
    priority: ask('priority', usePriorities),
    snooze: ask('snooze', useSnoozes),
    status: ask('status', useStatuses),
  }
}

type Asked = 'assign' | 'team' | 'label' | 'priority' | 'snooze' | 'status'

/** Whether it is so for all of them. */
const isFor = (all: readonly ConversationJson[], is: (one: ConversationJson) => boolean): boolean =>
  all.length > 0 && all.every(is)

function useAssignees({ useConversations, apply }: Target): Choice[] {
  const { t } = useSpeech()
  const { user: me } = useSession()
  const all = useConversations()
  const here = usePeopleHere()
  const colleagues = useColleagues()
  const others = colleagues.filter(({ id }) => id !== me.id)
  const hintOf = (person: (typeof colleagues)[number]): string | undefined =>
    person.availability === 'available'
      ? here.has(person.id)
        ? t('care.here')
        : undefined
      : t(`availability.${person.availability}`)
  return [
    {
      id: me.id,
      label: t('care.me', { name: me.name }),
      icon: <IconUser size={18} aria-hidden />,
      isChosen: isFor(all, (one) => one.assignee?.id === me.id),
      run: () => apply({ assignee_id: me.id }),
    },
    {
      id: 'nobody',
      label: t('contact.nobody'),
      icon: <IconUserOff size={18} aria-hidden />,
      isChosen: isFor(all, (one) => one.assignee === null),
      run: () => apply({ assignee_id: null }),
    },
    ...others.map((person) => ({
      id: person.id,
      label: person.name,
      hint: hintOf(person),
      icon: <IconUser size={18} aria-hidden />,
      isChosen: isFor(all, (one) => one.assignee?.id === person.id),
      run: () => apply({ assignee_id: person.id }),
    })),
  ]
}

function useTeamChoices({ useConversations, apply }: Target): Choice[] {
  const { t } = useSpeech()
  const all = useConversations()
  const icon = <IconUsers size={18} aria-hidden />
  return [
    {
      id: 'none',
      label: t('care.no_team'),
      icon,
      isChosen: isFor(all, (one) => one.team === null),
      run: () => apply({ team_id: null }),
    },
    ...useTeams().map(({ id, name }) => ({
      id,
      label: name,
      icon,
      isChosen: isFor(all, (one) => one.team?.id === id),
      run: () => apply({ team_id: id }),
    })),
  ]
}

function useLabelChoices({ useConversations, apply }: Target, typed: string): Choice[] {
  const { t } = useSpeech()
  const { permissions } = useSession()
  const client = useQueryClient()
  const { failed } = useTell()
  const all = useConversations()
  const labels = useLabels()
  const isNew = typed !== '' && !labels.some(({ name }) => name.toLowerCase() === typed.toLowerCase())
  const make = async (): Promise<void> => {
    try {
      const label = await careApi.addLabel(typed, newColor(labels.length))
      await client.invalidateQueries({ queryKey: careKeys.labels })
      apply({ add_labels: [label.id] })
    } catch (error) {
      failed(error instanceof Error ? error : new Error(String(error)))
    }
  }
  return [
    ...labels.map(({ id, name, color }) => {
      const isChosen = isFor(all, (one) => one.labels.some((label) => label.id === id))
      return {
        id,
        label: name,
        icon: <IconTag size={18} aria-hidden style={{ color }} />,
        isChosen,
        isOneOfMany: true,
        run: () => apply(isChosen ? { remove_labels: [id] } : { add_labels: [id] }),
      }
    }),
    ...(isNew && permissions.includes('labels.manage')
      ? [
          {
            id: 'new',
            label: t('care.label_new', { name: typed }),
            icon: <IconTag size={18} aria-hidden />,
            isAlways: true,
            run: () => void make(),
          },
        ]
      : []),
  ]
}

/** Steady colours that stay apart, and readable as marks on both grounds. */
const colors = ['#1f7a8c', '#b0413e', '#5b7f2b', '#7a4fb5', '#b36a00', '#2f6fbf', '#a83f7f', '#56707d']
const newColor = (count: number): string => colors[count % colors.length] ?? '#56707d'

export const PriorityMark = ({
  priority,
  size = 18,
}: {
  readonly priority: ConversationJson['priority']
  readonly size?: number
}) =>
  priority === 'none' ? (
    <IconFlag size={size} aria-hidden />
  ) : (
    <IconFlagFilled size={size} aria-hidden className="priority" data-priority={priority} />
  )

function usePriorities({ useConversations, apply }: Target): Choice[] {
  const { t } = useSpeech()
  const all = useConversations()
  return priorities.map((priority) => ({
    id: priority,
    label: t(`priority.${priority}`),
    icon: <PriorityMark priority={priority} />,
    isChosen: isFor(all, (one) => one.priority === priority),
    run: () => apply({ priority }),
  }))
}

function useStatuses({ useConversations, apply }: Target): Choice[] {
  const { t } = useSpeech()
  const all = useConversations()
  return (['open', 'pending', 'resolved'] as const).map((status) => ({
    id: status,
    label: t(`status.${status}`),
    isChosen: isFor(all, (one) => one.status === status),
    run: () => apply({ status }),
  }))
}

function useSnoozes({ useConversations, apply }: Target, typed: string): Choice[] {
  const { t, times } = useSpeech()
  const zone = useSession().user.time_zone || ownZone
  const clock = useClock(zone)
  const now = useNow()
  const all = useConversations()
  const until = (at: number | null) => () =>
    apply({ status: 'snoozed', snoozed_until: at === null ? null : new Date(at).toISOString() })
  const icon = <IconClock size={18} aria-hidden />
  const meant = typed === '' ? undefined : readWhen(typed, now, zone)
  return [
    ...(meant === undefined
      ? []
      : [
          {
            id: 'meant',
            label: times.moment(new Date(meant).toISOString()),
            hint: times.relative(new Date(meant).toISOString(), now),
            icon,
            isAlways: true,
            run: until(meant),
          },
        ]),
    ...usualWhens(now, zone).map(({ key, at }) => ({
      id: key,
      label: t(`snooze.${key}`),
      hint: clock(at),
      icon,
      run: until(at),
    })),
    { id: 'answer', label: t('snooze.answer'), icon: <IconMessage size={18} aria-hidden />, run: until(null) },
    ...(isFor(all, ({ status }) => status === 'snoozed')
      ? [{ id: 'wake', label: t('snooze.wake'), icon, run: () => apply({ status: 'open' }) }]
      : []),
  ]
}
