/** Keeps what the list shows under a name, for oneself or with others. */
import { Button, Group, Modal, MultiSelect, Radio, Stack, TextInput } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useNavigate } from 'react-router'
import { useTell } from '../places/use-tell.ts'
import { useSession } from '../session.ts'
import { useSpeech } from '../texts/index.tsx'
import { careApi } from './api.ts'
import { hrefTo, isBuiltIn, meaningOf, viewOf, type Filter } from './filter.ts'
import { careKeys, useMeanings, useTeams, useViews } from './queries.ts'

interface Props {
  readonly filter: Filter
  readonly isNew: boolean
  readonly close: () => void
}

type With = 'me' | 'teams' | 'all'

export function ViewDialog({ filter, isNew, close }: Props) {
  const { t } = useSpeech()
  const { permissions } = useSession()
  const navigate = useNavigate()
  const client = useQueryClient()
  const { failed } = useTell()
  const teams = useTeams()
  const meanings = useMeanings()
  const current = useViews().data?.items.find(({ id }) => id === viewOf(filter))
  const before = isNew ? undefined : current
  const [name, setName] = useState(before?.name ?? '')
  const [sharedWith, setSharedWith] = useState<With>(before?.is_for_all ? 'all' : before?.team_ids ? 'teams' : 'me')
  const [teamIds, setTeamIds] = useState<string[]>([...(before?.team_ids ?? [])])
  const [isWorking, setWorking] = useState(false)
  const mayShare = permissions.includes('views.manage')

  const work = async (act: () => Promise<string>): Promise<void> => {
    setWorking(true)
    try {
      const view = await act()
      await client.invalidateQueries({ queryKey: careKeys.views })
      close()
      void navigate(hrefTo(undefined, { view }), { replace: true })
    } catch (error) {
      failed(error instanceof Error ? error : new Error(String(error)))
      setWorking(false)
    }
  }
  const save = (): Promise<void> =>
    work(async () => {
      const { view: _view, ...meant } = meaningOf(filter, meanings) ?? {}
      const wish = {
        name: name.trim(),
        filter: meant,
        is_for_all: sharedWith === 'all',
        team_ids: sharedWith === 'teams' && teamIds.length > 0 ? teamIds : null,
      }
      return (before ? await careApi.changeView(before.id, wish) : await careApi.addView(wish)).id
    })
  const remove = (): Promise<void> =>
    work(async () => {
      if (before) await careApi.removeView(before.id)
      return 'all'
    })

  return (
    <Modal
      opened
      onClose={close}
      title={t(before ? 'view.edit' : 'view.keep')}
      closeButtonProps={{ 'aria-label': t('help.close') }}
    >
      <form
        onSubmit={(event) => {
          event.preventDefault()
          if (name.trim() !== '') void save()
        }}
      >
        <Stack>
          <TextInput
            label={t('view.name')}
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
            maxLength={100}
            required
            data-autofocus
          />
          {mayShare && (
            <Radio.Group label={t('view.with')} value={sharedWith} onChange={(value) => setSharedWith(value)}>
              <Stack gap={6} mt={4}>
                <Radio value="me" label={t('view.with_me')} />
                {teams.length > 0 && <Radio value="teams" label={t('view.with_teams')} />}
                <Radio value="all" label={t('view.with_all')} />
              </Stack>
            </Radio.Group>
          )}
          {sharedWith === 'teams' && (
            <MultiSelect
              label={t('view.teams')}
              data={teams.map(({ id, name: label }) => ({ value: id, label }))}
              value={teamIds}
              onChange={setTeamIds}
            />
          )}
          <Group justify="flex-end">
            {before && !isBuiltIn(before.id) && (
              <Button variant="subtle" color="red" onClick={() => void remove()} disabled={isWorking} mr="auto">
                {t('view.remove')}
              </Button>
            )}
            <Button type="submit" loading={isWorking} disabled={name.trim() === ''}>
              {t('channels.save')}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}
