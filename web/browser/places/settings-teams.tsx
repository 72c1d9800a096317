/** Teams: who works together. */
import { Button, Group, MultiSelect, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { IconPlus, IconUsersGroup } from '@tabler/icons-react'
import { useState } from 'react'
import type { TeamJson } from '../../presenters/people.ts'
import { useSession } from '../session.ts'
import { Empty } from '../states.tsx'
import { useSpeech } from '../texts/index.tsx'
import { lists, peopleApi } from './people-api.ts'
import { Dialog, PartHead, Shown, useAct } from './people-parts.tsx'

export function Teams() {
  const { t } = useSpeech()
  const mayManage = useSession().permissions.includes('teams.manage')
  const query = useQuery(lists.teams)
  const users = useQuery(lists.users)
  const [changing, setChanging] = useState<TeamJson | 'new'>()
  const nameOf = (id: string) => users.data?.items.find((user) => user.id === id)?.name
  const add = (
    <Button leftSection={<IconPlus size={18} aria-hidden />} onClick={() => setChanging('new')}>
      {t('teams.new')}
    </Button>
  )
  return (
    <>
      <PartHead title="settings.teams" lead="teams.lead">
        {mayManage && query.data?.items.length !== 0 && add}
      </PartHead>
      <Shown query={query}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty
              icon={<IconUsersGroup size={40} stroke={1.3} />}
              title={t('teams.empty')}
              hint={t('teams.empty_hint')}
            >
              {mayManage && add}
            </Empty>
          ) : (
            <ul className="cards" aria-label={t('settings.teams')}>
              {items.map((team) => (
                <li key={team.id} className="card-row">
                  <div className="card-main">
                    <div className="channel-name">{team.name}</div>
                    <div className="card-side">
                      {team.member_ids.flatMap((id) => nameOf(id) ?? []).join(', ') || t('teams.nobody')}
                    </div>
                  </div>
                  <span className="card-side">{t('teams.count', { count: team.member_ids.length })}</span>
                  {mayManage && (
                    <Button
                      size="compact-md"
                      variant="default"
                      aria-label={`${t('settings.change')}: ${team.name}`}
                      onClick={() => setChanging(team)}
                    >
                      {t('settings.change')}
                    </Button>
                  )}
                </li>
              ))}
            </ul>
          )
        }
      </Shown>
      {changing && <ChangeTeam team={changing === 'new' ? undefined : changing} close={() => setChanging(undefined)} />}
    </>
  )
}

function ChangeTeam({ team, close }: { readonly team: TeamJson | undefined; readonly close: () => void }) {
  const { t } = useSpeech()
  const users = useQuery(lists.users)
  const [name, setName] = useState(team?.name ?? '')
  const [members, setMembers] = useState<string[]>([...(team?.member_ids ?? [])])
  const save = useAct(
    () => {
      const wish = { name, member_ids: members }
      return team === undefined ? peopleApi.createTeam(wish) : peopleApi.changeTeam(team.id, wish)
    },
    () => close(),
  )
  const remove = useAct(
    () => peopleApi.removeTeam(team?.id ?? ''),
    () => close(),
  )
  return (
    <Dialog
      title={team === undefined ? t('teams.new') : t('teams.change_title', { name: team.name })}
      isOpen
      close={close}
      save={() => {
        if (name.trim() !== '') save.mutate(undefined)
      }}
      isSaving={save.isPending}
      error={save.error ?? remove.error}
    >
      <TextInput
        label={t('teams.name')}
        required
        maxLength={100}
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
        data-autofocus
      />
      <MultiSelect
        label={t('teams.members')}
        data={(users.data?.items ?? []).map((user) => ({ value: user.id, label: user.name }))}
        value={members}
        onChange={setMembers}
        searchable
        clearable
      />
      {team !== undefined && (
        <Group>
          <Button variant="subtle" color="red" loading={remove.isPending} onClick={() => remove.mutate(undefined)}>
            {t('teams.remove')}
          </Button>
        </Group>
      )}
    </Dialog>
  )
}
