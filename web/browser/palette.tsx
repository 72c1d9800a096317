import { Group } from '@mantine/core'
import { Spotlight } from '@mantine/spotlight'
import { IconSearch } from '@tabler/icons-react'
import { useState } from 'react'
import { useAllActions, type Action } from './keyboard.ts'
import { Keys } from './keys.tsx'
import { useSpeech } from './texts/index.tsx'

const groups: readonly Action['group'][] = ['group.conversation', 'group.list', 'group.go', 'group.general']

/** Everything that can be done here, by name, with its keys beside it. */
export function Palette() {
  const { t } = useSpeech()
  const [query, setQuery] = useState('')
  const wanted = query.trim().toLocaleLowerCase()
  const actions = useAllActions().filter(
    (action) => !action.isKeyOnly && t(action.label).toLocaleLowerCase().includes(wanted),
  )
  return (
    <Spotlight.Root
      title={t('palette.open')}
      className="palette"
      query={query}
      onQueryChange={setQuery}
      shortcut={null}
      scrollable
      maxHeight={460}
      overlayProps={{ blur: 0, backgroundOpacity: 0.4 }}
      transitionProps={{ duration: 80 }}
    >
      <Spotlight.Search
        placeholder={t('palette.placeholder')}
        aria-label={t('palette.placeholder')}
        leftSection={<IconSearch size={18} aria-hidden />}
      />
      <Spotlight.ActionsList>
        {groups.map((group) => {
          const members = actions.filter((action) => action.group === group)
          return (
            members.length > 0 && (
              <Spotlight.ActionsGroup key={group} label={t(group)}>
                {members.map((action) => (
                  // The palette gives the cursor back as it closes; only then may an action place it.
                  <Spotlight.Action key={action.id} onClick={() => setTimeout(action.run, 180)}>
                    <Group justify="space-between" wrap="nowrap" w="100%">
                      <span>{t(action.label)}</span>
                      {action.keys && <Keys keys={action.keys} />}
                    </Group>
                  </Spotlight.Action>
                ))}
              </Spotlight.ActionsGroup>
            )
          )
        })}
        {actions.length === 0 && <Spotlight.Empty>{t('palette.nothing')}</Spotlight.Empty>}
      </Spotlight.ActionsList>
    </Spotlight.Root>
  )
}
