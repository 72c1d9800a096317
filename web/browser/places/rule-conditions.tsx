/** The conditions of a rule: groups within groups, each of all or of any. */
import { ActionIcon, Button, Group, MultiSelect, NativeSelect, NumberInput, TagsInput, TextInput } from '@mantine/core'
import { IconPlus, IconX } from '@tabler/icons-react'
import {
  attributeOps,
  choiceFields,
  flagFields,
  manyFields,
  mostDepth,
  type Conditions,
  type Leaf,
} from '../../../storage/model/rules.ts'
import { useSpeech } from '../texts/index.tsx'
import type { RuleNames } from './rule-names.ts'
import { isGroup, partsOf } from './rules-api.ts'

type GroupOf = Exclude<Conditions, { field: unknown }>

interface Props {
  readonly group: GroupOf
  readonly set: (group: GroupOf) => void
  readonly names: RuleNames
  readonly depth?: number
  readonly drop?: () => void
}

const fields = [...choiceFields, ...manyFields, ...flagFields, 'waiting', 'attribute'] as const
type Field = (typeof fields)[number]
const isOneOf = <Name extends string>(names: readonly Name[], name: string): name is Name =>
  (names as readonly string[]).includes(name)

export function ConditionsEditor({ group, set, names, depth = 1, drop }: Props) {
  const { t } = useSpeech()
  const parts = partsOf(group)
  const put = (next: readonly Conditions[]): void => set('all' in group ? { all: next } : { any: next })
  const replace = (at: number, part: Conditions | undefined): void =>
    put(parts.flatMap((each, n) => (n === at ? (part ?? []) : each)))
  return (
    <fieldset className="rule-part" data-depth={depth}>
      <legend>{t(depth === 1 ? 'rules.conditions' : 'rules.group')}</legend>
      {parts.length === 0 && <p className="card-side">{t('rules.always')}</p>}
      {parts.length > 1 && (
        <Group gap="xs" wrap="nowrap">
          <NativeSelect
            aria-label={t('rules.conditions')}
            data={[
              { value: 'all', label: t('rules.all_of') },
              { value: 'any', label: t('rules.any_of') },
            ]}
            value={'all' in group ? 'all' : 'any'}
            onChange={(event) => set(event.currentTarget.value === 'all' ? { all: parts } : { any: parts })}
          />
        </Group>
      )}
      {parts.map((part, n) =>
        isGroup(part) ? (
          <ConditionsEditor
            key={n}
            group={part}
            set={(next) => replace(n, next)}
            names={names}
            depth={depth + 1}
            drop={() => replace(n, undefined)}
          />
        ) : (
          <LeafEditor key={n} leaf={part} names={names} set={(next) => replace(n, next)} />
        ),
      )}
      <Group gap="xs">
        <Button
          size="compact-sm"
          variant="default"
          leftSection={<IconPlus size={16} aria-hidden />}
          onClick={() => put([...parts, beginOf('text')])}
        >
          {t('rules.add_condition')}
        </Button>
        {depth < mostDepth - 1 && (
          <Button size="compact-sm" variant="subtle" onClick={() => put([...parts, { any: [beginOf('text')] }])}>
            {t('rules.add_group')}
          </Button>
        )}
        {drop && (
          <Button size="compact-sm" variant="subtle" color="red" onClick={drop}>
            {t('rules.drop_group')}
          </Button>
        )}
      </Group>
    </fieldset>
  )
}

function beginOf(field: Field): Leaf {
  if (isOneOf(choiceFields, field)) return { field, op: 'any', value: [] }
  if (isOneOf(manyFields, field)) return { field, op: 'any', value: [] }
  if (isOneOf(flagFields, field)) return { field, op: 'is', value: field !== 'business_hours' }
  return field === 'waiting' ? { field, op: 'over', value: 60 } : { field: 'attribute', key: '', op: 'is', value: '' }
}

function LeafEditor({
  leaf,
  set,
  names,
}: {
  readonly leaf: Leaf
  readonly set: (leaf: Leaf | undefined) => void
  readonly names: RuleNames
}) {
  const { t } = useSpeech()
  return (
    <div className="rule-row">
      <NativeSelect
        aria-label={t('rules.field')}
        data={fields.map((value) => ({ value, label: t(`field.${value}`) }))}
        value={leaf.field}
        onChange={(event) => {
          const { value } = event.currentTarget
          if (isOneOf(fields, value)) set(beginOf(value))
        }}
      />
      <Rest leaf={leaf} set={set} names={names} />
      <ActionIcon
        variant="subtle"
        color="gray"
        aria-label={t('rules.drop', { what: t(`field.${leaf.field}`) })}
        onClick={() => set(undefined)}
      >
        <IconX size={18} aria-hidden />
      </ActionIcon>
    </div>
  )
}

/** How, and what. */
function Rest({
  leaf,
  set,
  names,
}: {
  readonly leaf: Leaf
  readonly set: (leaf: Leaf) => void
  readonly names: RuleNames
}) {
  const { t } = useSpeech()
  const ops = <Op extends string>(all: readonly Op[], op: Op, label: (op: Op) => string, choose: (op: Op) => void) => (
    <NativeSelect
      aria-label={t('rules.op')}
      data={all.map((value) => ({ value, label: label(value) }))}
      value={op}
      onChange={(event) => {
        const chosen = all.find((each) => each === event.currentTarget.value)
        if (chosen !== undefined) choose(chosen)
      }}
    />
  )
  const value = t('rules.value')
  switch (leaf.field) {
    case 'text':
    case 'label':
      return (
        <>
          {ops(
            ['any', 'all', 'none'] as const,
            leaf.op,
            (op) => t(`op.has_${op}`),
            (op) => set({ ...leaf, op }),
          )}
          {leaf.field === 'text' ? (
            <TagsInput
              className="rule-grow"
              aria-label={value}
              description={t('rules.words_hint')}
              splitChars={[',']}
              acceptValueOnBlur
              maxTags={50}
              value={[...leaf.value]}
              onChange={(next) => set({ ...leaf, value: next })}
            />
          ) : (
            <MultiSelect
              className="rule-grow"
              aria-label={value}
              data={names.optionsOf('label')}
              value={[...leaf.value]}
              onChange={(next) => set({ ...leaf, value: next })}
              searchable
            />
          )}
        </>
      )
    case 'contact_new':
    case 'contact_blocked':
    case 'business_hours':
      return ops(
        ['yes', 'no'] as const,
        leaf.value ? 'yes' : 'no',
        (op) => t(`rules.${op}`),
        (op) => set({ ...leaf, value: op === 'yes' }),
      )
    case 'waiting':
      return (
        <>
          {ops(
            ['over', 'under'] as const,
            leaf.op,
            (op) => t(`op.${op}`),
            (op) => set({ ...leaf, op }),
          )}
          <NumberInput
            className="rule-number"
            aria-label={t('rules.minutes')}
            suffix=" min"
            min={1}
            max={527_040}
            value={leaf.value}
            onChange={(next) => set({ ...leaf, value: Math.max(1, Number(next)) })}
          />
        </>
      )
    case 'attribute':
      return (
        <>
          <TextInput
            aria-label={t('rules.key')}
            placeholder={t('rules.key')}
            maxLength={100}
            value={leaf.key}
            onChange={(event) => set({ ...leaf, key: event.currentTarget.value })}
          />
          {ops(
            attributeOps,
            leaf.op,
            (op) => t(`op.${op}`),
            (op) => set({ ...leaf, op }),
          )}
          {leaf.op !== 'set' && leaf.op !== 'unset' && (
            <TextInput
              aria-label={value}
              maxLength={200}
              value={leaf.value ?? ''}
              onChange={(event) => set({ ...leaf, value: event.currentTarget.value })}
            />
          )}
        </>
      )
    default:
      return (
        <>
          {ops(
            ['any', 'none'] as const,
            leaf.op,
            (op) => t(`op.${op}`),
            (op) => set({ ...leaf, op }),
          )}
          <MultiSelect
            className="rule-grow"
            aria-label={value}
            data={names.optionsOf(leaf.field)}
            value={[...leaf.value]}
            onChange={(next) => set({ ...leaf, value: next })}
            searchable
          />
        </>
      )
  }
}
