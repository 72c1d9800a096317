/** The steps of a rule or a macro, in their order. */
import { ActionIcon, Button, NativeSelect, NumberInput, Textarea } from '@mantine/core'
import { IconPlus, IconX } from '@tabler/icons-react'
import { useSpeech } from '../texts/index.tsx'
import type { Option, RuleNames } from './rule-names.ts'
import { actKinds, type ActForm } from './rules-api.ts'

interface Props {
  readonly acts: readonly ActForm[]
  readonly set: (acts: readonly ActForm[]) => void
  readonly names: RuleNames
  /** A person runs them: they can be meant. */
  readonly hasMe: boolean
}

const variables = ['contact.name', 'contact.first_name', 'agent.name', 'channel.name', 'account.name']
const example = '{{contact.first_name|…}}'

export function ActsEditor({ acts, set, names, hasMe }: Props) {
  const { t } = useSpeech()
  const optionsOf = (kind: ActForm['do']): Option[] => {
    if (kind === 'assign')
      return [...(hasMe ? [{ value: 'me', label: t('choice.me') }] : []), ...names.optionsOf('assignee')]
    if (kind === 'status') return names.optionsOf('status').filter(({ value }) => value !== 'snoozed')
    return names.optionsOf(kind === 'unlabel' ? 'label' : kind)
  }
  const beginOf = (kind: ActForm['do']): ActForm => {
    if (kind === 'note' || kind === 'reply') return { do: kind, value: '' }
    if (kind === 'snooze') return { do: kind, value: '60' }
    return { do: kind, value: read(kind, optionsOf(kind)[0]?.value ?? '') }
  }
  const replace = (at: number, act: ActForm): void => set(acts.map((each, n) => (n === at ? act : each)))
  return (
    <fieldset className="rule-part">
      <legend>{t('rules.acts')}</legend>
      {acts.map((act, n) => (
        // Steps have no name of their own: their place is what they are known by.
        <div key={n} className="rule-row">
          <NativeSelect
            aria-label={t('rules.field')}
            data={actKinds.map((value) => ({ value, label: t(`act.${value}`) }))}
            value={act.do}
            onChange={(event) => {
              const kind = actKinds.find((each) => each === event.currentTarget.value)
              if (kind !== undefined) replace(n, beginOf(kind))
            }}
          />
          {act.do === 'note' || act.do === 'reply' ? (
            <Textarea
              className="rule-wide"
              aria-label={t(`act.${act.do}`)}
              description={t('rules.text_hint', { list: variables.map((each) => `{{${each}}}`).join(' '), example })}
              autosize
              minRows={2}
              maxRows={8}
              maxLength={20_000}
              dir="auto"
              value={act.value ?? ''}
              onChange={(event) => replace(n, { ...act, value: event.currentTarget.value })}
            />
          ) : act.do === 'snooze' ? (
            <>
              <NativeSelect
                aria-label={t('rules.op')}
                data={[
                  { value: 'for', label: t('rules.minutes') },
                  { value: 'until', label: t('act.until_written') },
                ]}
                value={act.value === null ? 'until' : 'for'}
                onChange={(event) => replace(n, { ...act, value: event.currentTarget.value === 'for' ? '60' : null })}
              />
              {act.value !== null && (
                <NumberInput
                  aria-label={t('rules.minutes')}
                  min={1}
                  max={527_040}
                  value={Number(act.value)}
                  onChange={(value) => replace(n, { ...act, value: String(Math.max(1, Number(value))) })}
                />
              )}
            </>
          ) : (
            <NativeSelect
              aria-label={t('rules.value')}
              className="rule-grow"
              data={optionsOf(act.do)}
              value={act.value ?? (act.do === 'team' ? 'none' : 'nobody')}
              onChange={(event) => replace(n, { ...act, value: read(act.do, event.currentTarget.value) })}
            />
          )}
          <ActionIcon
            variant="subtle"
            color="gray"
            aria-label={t('rules.drop', { what: names.act(act) })}
            onClick={() => set(acts.filter((_, each) => each !== n))}
          >
            <IconX size={18} aria-hidden />
          </ActionIcon>
        </div>
      ))}
      <Button
        size="compact-sm"
        variant="default"
        leftSection={<IconPlus size={16} aria-hidden />}
        disabled={acts.length >= 20}
        onClick={() => set([...acts, beginOf('priority')])}
      >
        {t('rules.add_act')}
      </Button>
    </fieldset>
  )
}

/** `none` is also a priority. */
const read = (kind: ActForm['do'], value: string): string | null =>
  value === 'nobody' || (kind === 'team' && value === 'none') ? null : value
