/** One rule: when, if, then, and what it would do. */
import {
  Alert,
  Button,
  Group,
  Modal,
  MultiSelect,
  NativeSelect,
  NumberInput,
  Stack,
  Switch,
  TextInput,
} from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { isTimeTrigger, ruleTriggers } from '../../../storage/model/rules.ts'
import type { RuleJson } from '../../presenters/rules.ts'
import { useSpeech } from '../texts/index.tsx'
import { useAct } from './people-parts.tsx'
import { ActsEditor } from './rule-acts.tsx'
import { ConditionsEditor } from './rule-conditions.tsx'
import { useRuleNames } from './rule-names.ts'
import { RuleTrial } from './rule-trial.tsx'
import { isGroup, readActs, readConditions, rulesApi, writeActs, type ActForm } from './rules-api.ts'

/** What a new rule begins with. */
export type RuleDraft = Pick<
  RuleJson,
  'name' | 'trigger' | 'conditions' | 'acts' | 'pause_minutes' | 'is_active' | 'stops_after'
>

interface Props {
  /** undefined: it is new. */
  readonly id: string | undefined
  readonly draft: RuleDraft
  readonly close: () => void
}

export function RuleEditor({ id, draft, close }: Props) {
  const { t } = useSpeech()
  const names = useRuleNames()
  const [rule, setRule] = useState(draft)
  const [acts, setActs] = useState<readonly ActForm[]>(() => readActs(draft.acts))
  const [conditions, setConditions] = useState(() => {
    const tree = readConditions(draft.conditions)
    return isGroup(tree) ? tree : { all: [tree] }
  })
  const set = (change: Partial<RuleDraft>): void => setRule((old) => ({ ...old, ...change }))
  const wish = { ...rule, conditions, acts: writeActs(acts) }
  const save = useAct(() => (id === undefined ? rulesApi.createRule(wish) : rulesApi.changeRule(id, wish)), close)
  const remove = useAct(() => rulesApi.removeRule(id ?? ''), close)
  const trial = useMutation({ mutationFn: () => rulesApi.check({ ...wish, name: rule.name.trim() || '…' }) })
  const { trigger } = rule
  const error = save.error ?? trial.error ?? remove.error
  return (
    <Modal
      opened
      onClose={close}
      size="xl"
      title={id === undefined ? t('rules.new') : t('rules.change_title', { name: draft.name })}
      closeButtonProps={{ 'aria-label': t('help.close') }}
    >
      <form
        noValidate
        onSubmit={(event) => {
          event.preventDefault()
          if (rule.name.trim() !== '' && acts.length > 0) save.mutate(undefined)
        }}
      >
        <Stack gap="sm">
          {error && (
            <Alert color="red" variant="light" role="alert">
              {t('rules.refused', { reason: error.message })}
            </Alert>
          )}
          <TextInput
            label={t('rules.name')}
            required
            maxLength={100}
            value={rule.name}
            error={rule.name.trim() === '' && save.isError && t('settings.required')}
            onChange={(event) => set({ name: event.currentTarget.value })}
            data-autofocus
          />
          <fieldset className="rule-part">
            <legend>{t('rules.when')}</legend>
            <div className="rule-row">
              <NativeSelect
                className="rule-grow"
                aria-label={t('rules.when')}
                data={ruleTriggers.map((value) => ({ value, label: t(`trigger.${value}`) }))}
                value={trigger.type}
                onChange={(event) => {
                  const type = ruleTriggers.find((each) => each === event.currentTarget.value)
                  if (type !== undefined)
                    set({ trigger: { type, ...(isTimeTrigger(type) && { minutes: trigger.minutes ?? 60 }) } })
                }}
              />
              {trigger.minutes !== undefined && (
                <NumberInput
                  className="rule-number"
                  aria-label={t('rules.minutes')}
                  suffix=" min"
                  min={1}
                  max={43_200}
                  value={trigger.minutes}
                  onChange={(value) => set({ trigger: { ...trigger, minutes: Math.max(1, Number(value)) } })}
                />
              )}
              {trigger.type === 'message.received' && (
                <MultiSelect
                  className="rule-grow"
                  aria-label={t('rules.kinds')}
                  placeholder={trigger.kinds?.length ? '' : t('rules.kinds')}
                  data={names.optionsOf('kind')}
                  value={[...(trigger.kinds ?? [])]}
                  onChange={(kinds) => set({ trigger: { ...trigger, kinds: kinds as typeof trigger.kinds } })}
                />
              )}
              {trigger.type === 'conversation.changed' && (
                <MultiSelect
                  className="rule-grow"
                  aria-label={t('rules.changed')}
                  placeholder={trigger.changed?.length ? '' : t('rules.changed')}
                  data={names.optionsOf('changed')}
                  value={[...(trigger.changed ?? [])]}
                  onChange={(changed) => set({ trigger: { ...trigger, changed: changed as typeof trigger.changed } })}
                />
              )}
            </div>
          </fieldset>
          <ConditionsEditor group={conditions} set={setConditions} names={names} />
          <ActsEditor acts={acts} set={setActs} names={names} hasMe={false} />
          {acts.length === 0 && <p className="card-side">{t('rules.no_acts')}</p>}
          <NativeSelect
            label={t('rules.rest')}
            data={[
              { value: '', label: t('rules.rest_none') },
              ...rests(rule.pause_minutes).map((value) => ({ value: String(value), label: names.minutes(value) })),
            ]}
            value={String(rule.pause_minutes ?? '')}
            onChange={({ currentTarget: { value } }) => set({ pause_minutes: value === '' ? null : Number(value) })}
          />
          <Switch
            label={t('rules.stops')}
            checked={rule.stops_after}
            onChange={(event) => set({ stops_after: event.currentTarget.checked })}
          />
          <Switch
            label={t('rules.on')}
            checked={rule.is_active}
            onChange={(event) => set({ is_active: event.currentTarget.checked })}
          />
          {trial.data && <RuleTrial trial={trial.data} names={names} />}
          <Group justify="space-between" mt="xs">
            <Group gap="xs">
              <Button
                variant="light"
                loading={trial.isPending}
                disabled={acts.length === 0}
                onClick={() => trial.mutate()}
              >
                {t('rules.try')}
              </Button>
              {id !== undefined && (
                <Button
                  variant="subtle"
                  color="red"
                  loading={remove.isPending}
                  onClick={() => remove.mutate(undefined)}
                >
                  {t('rules.remove')}
                </Button>
              )}
            </Group>
            <Group gap="xs">
              <Button variant="default" onClick={close}>
                {t('settings.cancel')}
              </Button>
              <Button type="submit" loading={save.isPending} disabled={rule.name.trim() === '' || acts.length === 0}>
                {t('settings.save')}
              </Button>
            </Group>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}

const usualRests = [10, 60, 720, 1_440, 10_080]
const rests = (own: number | null): number[] =>
  own === null || usualRests.includes(own) ? usualRests : [...usualRests, own].sort((a, b) => a - b)
