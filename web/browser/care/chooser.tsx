/**
 * One way to choose, for keys and mice: a list that is searched by typing and chosen from by arrows and Enter. Whoever asks brings
 * the choices as a hook, so that they are right while it is open; the cursor goes back to where it was.
 */
import { Group } from '@mantine/core'
import { createSpotlight, Spotlight } from '@mantine/spotlight'
import { IconCheck, IconSearch } from '@tabler/icons-react'
import { useEffect, useState } from 'react'
import { useSpeech } from '../texts/index.tsx'
import { useQuestion, type Question } from './choose.ts'

const [store, spotlight] = createSpotlight()

export function Chooser() {
  const now = useQuestion()
  const id = now?.id
  useEffect(() => {
    if (id !== undefined) spotlight.open()
  }, [id])
  const [typed, setTyped] = useState('')
  return (
    <Spotlight.Root
      store={store}
      title={now?.asked.title ?? ''}
      className="palette chooser"
      query={typed}
      onQueryChange={setTyped}
      shortcut={null}
      scrollable
      maxHeight={420}
      overlayProps={{ blur: 0, backgroundOpacity: 0.4 }}
      transitionProps={{ duration: 80 }}
    >
      {now && <Choices key={now.id} asked={now.asked} typed={typed} />}
    </Spotlight.Root>
  )
}

function Choices({ asked, typed }: { readonly asked: Question; readonly typed: string }) {
  const { t } = useSpeech()
  const wanted = typed.trim().toLocaleLowerCase()
  const choices = asked
    .useChoices(typed.trim())
    .filter(({ isAlways, label }) => isAlways === true || label.toLocaleLowerCase().includes(wanted))
  return (
    <>
      <Spotlight.Search
        placeholder={asked.placeholder}
        aria-label={asked.title}
        leftSection={<IconSearch size={18} aria-hidden />}
      />
      <Spotlight.ActionsList>
        {choices.slice(0, 100).map(({ id, label, hint, icon, isChosen, isOneOfMany, run }) => (
          <Spotlight.Action
            key={id}
            closeSpotlightOnTrigger={isOneOfMany !== true}
            // The cursor goes back as the list closes; only then may something else take it.
            onClick={() => (isOneOfMany ? run() : setTimeout(run, 120))}
          >
            <Group wrap="nowrap" w="100%" gap="sm">
              {icon}
              <span className="choice-label">{label}</span>
              {hint && <span className="dimmed">{hint}</span>}
              {isChosen && <IconCheck size={18} aria-label={t('choose.chosen')} />}
            </Group>
          </Spotlight.Action>
        ))}
        {choices.length === 0 && <Spotlight.Empty>{asked.nothing}</Spotlight.Empty>}
      </Spotlight.ActionsList>
    </>
  )
}
