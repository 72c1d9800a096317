/** Macros: several steps at once, under a name. */
import '../styles/rules.css'
import '../texts/rules.ts'
import { Button, Group, NativeSelect, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { IconPlus, IconStack2 } from '@tabler/icons-react'
import { useState } from 'react'
import type { MacroJson } from '../../presenters/rules.ts'
import { useSession } from '../session.ts'
import { Empty } from '../states.tsx'
import { useSpeech } from '../texts/index.tsx'
import { lists } from './people-api.ts'
import { Dialog, PartHead, Shown, useAct } from './people-parts.tsx'
import { ActsEditor } from './rule-acts.tsx'
import { useRuleNames } from './rule-names.ts'
import { readActs, ruleLists, rulesApi, writeActs, type ActForm } from './rules-api.ts'

export function Macros() {
  const { t } = useSpeech()
  const { permissions } = useSession()
  const names = useRuleNames()
  const query = useQuery(ruleLists.macros)
  const teams = useQuery(lists.teams).data?.items ?? []
  const [changing, setChanging] = useState<MacroJson | 'new'>()
  const mayMake = permissions.includes('conversations.change')
  const mayShare = permissions.includes('canned.manage')
  const add = (
    <Button leftSection={<IconPlus size={18} aria-hidden />} onClick={() => setChanging('new')}>
      {t('macros.new')}
    </Button>
  )
  return (
    <>
      <PartHead title="settings.macros" lead="macros.lead">
        {mayMake && query.data?.items.length !== 0 && add}
      </PartHead>
      <Shown query={query}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty icon={<IconStack2 size={40} stroke={1.3} />} title={t('macros.empty')} hint={t('macros.empty_hint')}>
              {mayMake && add}
            </Empty>
          ) : (
            <ul className="cards" aria-label={t('settings.macros')}>
              {items.map((macro) => (
                <li key={macro.id} className="card-row">
                  <div className="card-main">
                    <div className="channel-name">{macro.name}</div>
                    <p className="rule-sentence" dir="auto">
                      {readActs(macro.acts).map(names.act).join(' · ')}
                    </p>
                  </div>
                  <span className="card-side">
                    {macro.scope === 'own'
                      ? t('macros.own')
                      : (teams.find(({ id }) => id === macro.team_id)?.name ?? t('canned.everybody'))}
                  </span>
                  {mayMake && (macro.scope === 'own' || mayShare) && (
                    <Button
                      size="compact-md"
                      variant="default"
                      aria-label={`${t('settings.change')}: ${macro.name}`}
                      onClick={() => setChanging(macro)}
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
      {changing && (
        <ChangeMacro
          macro={changing === 'new' ? undefined : changing}
          mayShare={mayShare}
          close={() => setChanging(undefined)}
        />
      )}
    </>
  )
}

function ChangeMacro({
  macro,
  mayShare,
  close,
}: {
  readonly macro: MacroJson | undefined
  readonly mayShare: boolean
  readonly close: () => void
}) {
  const { t } = useSpeech()
  const names = useRuleNames()
  const teams = useQuery(lists.teams).data?.items ?? []
  const [name, setName] = useState(macro?.name ?? '')
  const [whose, setWhose] = useState(macro?.team_id ?? macro?.scope ?? (mayShare ? 'all' : 'own'))
  const [acts, setActs] = useState<readonly ActForm[]>(() => readActs(macro?.acts ?? []))
  const isTeam = whose !== 'all' && whose !== 'own'
  const wish = { name, scope: isTeam ? 'team' : whose, team_id: isTeam ? whose : null, acts: writeActs(acts) }
  const save = useAct(
    () => (macro === undefined ? rulesApi.createMacro(wish) : rulesApi.changeMacro(macro.id, wish)),
    close,
  )
  const remove = useAct(() => rulesApi.removeMacro(macro?.id ?? ''), close)
  return (
    <Dialog
      title={macro === undefined ? t('macros.new') : t('rules.change_title', { name: macro.name })}
      isOpen
      close={close}
      save={() => {
        if (name.trim() !== '' && acts.length > 0) save.mutate(undefined)
      }}
      isSaving={save.isPending}
      error={save.error ?? remove.error}
    >
      <TextInput
        label={t('rules.name')}
        required
        maxLength={100}
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
        data-autofocus
      />
      <ActsEditor acts={acts} set={setActs} names={names} hasMe />
      {acts.length === 0 && <p className="card-side">{t('rules.no_acts')}</p>}
      <NativeSelect
        label={t('canned.of')}
        data={[
          { value: 'own', label: t('macros.own') },
          ...(mayShare
            ? [
                { value: 'all', label: t('canned.everybody') },
                ...teams.map(({ id, name: label }) => ({ value: id, label })),
              ]
            : []),
        ]}
        value={whose}
        onChange={(event) => setWhose(event.currentTarget.value)}
      />
      {macro !== undefined && (
        <Group>
          <Button variant="subtle" color="red" loading={remove.isPending} onClick={() => remove.mutate(undefined)}>
            {t('canned.remove')}
          </Button>
        </Group>
      )}
    </Dialog>
  )
}
