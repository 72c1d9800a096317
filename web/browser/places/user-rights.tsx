/** Inviting someone, or changing what they may do and where. */
import { Checkbox, MultiSelect, NativeSelect, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import type { PersonJson } from '../../presenters/people.ts'
import { api } from '../api.ts'
import { keys } from '../queries.ts'
import { useSpeech } from '../texts/index.tsx'
import { lists, peopleApi } from './people-api.ts'
import { Dialog, useAct, useRoleName } from './people-parts.tsx'

interface Props {
  /** Undefined: someone new. */
  readonly user: PersonJson | undefined
  readonly close: () => void
  readonly invited?: (url: string, email: string) => void
}

export function UserRights({ user, close, invited }: Props) {
  const { t } = useSpeech()
  const roleName = useRoleName()
  const roles = useQuery(lists.roles)
  const teams = useQuery(lists.teams)
  const channels = useQuery({ queryKey: keys.channels, queryFn: ({ signal }) => api.channels(signal) })
  const [email, setEmail] = useState('')
  const [name, setName] = useState(user?.name ?? '')
  const [role, setRole] = useState(user?.role ?? 'agent')
  const [channelIds, setChannelIds] = useState<string[]>(user?.channel_ids ?? [])
  const [teamIds, setTeamIds] = useState<string[]>(user?.team_ids ?? [])
  const [isTeamLimited, setTeamLimited] = useState(user?.is_team_limited ?? false)
  const rights = {
    role,
    channel_ids: channelIds.length === 0 ? null : channelIds,
    team_ids: teamIds,
    is_team_limited: isTeamLimited,
  }
  const save = useAct(
    async () => {
      if (user !== undefined) await peopleApi.changeUser(user.id, { name, ...rights })
      else invited?.((await peopleApi.invite({ email, ...rights })).url, email)
    },
    () => close(),
  )
  const isReady = user === undefined ? email.trim() !== '' : name.trim() !== ''
  return (
    <Dialog
      title={user === undefined ? t('users.invite_title') : t('users.change_title', { name: user.name })}
      isOpen
      close={close}
      save={() => {
        if (isReady) save.mutate(undefined)
      }}
      saveLabel={user === undefined ? 'users.invite_button' : 'settings.save'}
      isSaving={save.isPending}
      error={save.error}
    >
      {user === undefined ? (
        <TextInput
          label={t('users.email')}
          type="email"
          required
          maxLength={254}
          value={email}
          onChange={(event) => setEmail(event.currentTarget.value)}
          data-autofocus
        />
      ) : (
        <TextInput
          label={t('profile.name')}
          required
          maxLength={200}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          data-autofocus
        />
      )}
      <NativeSelect
        label={t('users.role')}
        value={role}
        onChange={(event) => setRole(event.currentTarget.value)}
        data={(roles.data?.items ?? []).map((each) => ({ value: each.id, label: roleName(each) }))}
      />
      <MultiSelect
        label={t('users.channels')}
        description={t('users.channels_hint')}
        data={(channels.data?.items ?? []).map((each) => ({ value: each.id, label: each.name }))}
        value={channelIds}
        onChange={setChannelIds}
        searchable
        clearable
      />
      <MultiSelect
        label={t('users.teams')}
        data={(teams.data?.items ?? []).map((each) => ({ value: each.id, label: each.name }))}
        value={teamIds}
        onChange={setTeamIds}
        searchable
        clearable
      />
      <Checkbox
        label={t('users.team_limited')}
        checked={isTeamLimited}
        onChange={(event) => setTeamLimited(event.currentTarget.checked)}
      />
    </Dialog>
  )
}
