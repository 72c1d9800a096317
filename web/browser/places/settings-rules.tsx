/** Rules as sentences, in the order in which they run. */
import '../styles/rules.css'
import '../texts/rules.ts'
import { ActionIcon, Button, Group, Switch } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { IconArrowDown, IconArrowUp, IconPlus, IconRobot } from '@tabler/icons-react'
import { useState } from 'react'
import type { RuleJson } from '../../presenters/rules.ts'
import { Empty } from '../states.tsx'
import { useSpeech } from '../texts/index.tsx'
import { PartHead, Shown, useAct } from './people-parts.tsx'
import { RuleEditor, type RuleDraft } from './rule-editor.tsx'
import { RuleLog } from './rule-log.tsx'
import { useRuleNames, type RuleNames } from './rule-names.ts'
import { ruleLists, rulesApi } from './rules-api.ts'
import { useTell } from './use-tell.ts'

const blank: RuleDraft = {
  ...{ name: '', trigger: { type: 'message.received' }, conditions: { all: [] }, acts: [] },
  ...{ pause_minutes: null, is_active: true, stops_after: false },
}

export function Rules() {
  const { t } = useSpeech()
  const tell = useTell()
  const names = useRuleNames()
  const query = useQuery(ruleLists.rules)
  const [open, setOpen] = useState<{ readonly id?: string; readonly draft: RuleDraft }>()
  const [log, setLog] = useState<RuleJson>()
  const arrange = useAct((ids: readonly string[]) => rulesApi.arrange(ids))
  const turn = useAct(({ id, is_active }: Pick<RuleJson, 'id' | 'is_active'>) => rulesApi.changeRule(id, { is_active }))
  const templates = useTemplates()
  const add = (
    <Button leftSection={<IconPlus size={18} aria-hidden />} onClick={() => setOpen({ draft: blank })}>
      {t('rules.new')}
    </Button>
  )
  const move = (items: readonly RuleJson[], at: number, by: 1 | -1): void => {
    const ids = items.map(({ id }) => id)
    const [moved] = ids.splice(at, 1)
    if (moved === undefined || at + by < 0 || at + by > ids.length) return
    ids.splice(at + by, 0, moved)
    arrange.mutate(ids, {
      onSuccess: () => tell.done(t('rules.moved', { name: items[at]?.name ?? '', place: at + by + 1 })),
    })
  }
  return (
    <>
      <PartHead title="settings.rules" lead="rules.lead">
        {query.data?.items.length !== 0 && add}
      </PartHead>
      <Shown query={query}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty icon={<IconRobot size={40} stroke={1.3} />} title={t('rules.empty')} hint={t('rules.empty_hint')}>
              {[...templates, blank].map((draft) => (
                <Button
                  key={draft.name}
                  variant={draft === blank ? 'subtle' : 'default'}
                  onClick={() => setOpen({ draft })}
                >
                  {draft.name || t('rules.blank')}
                </Button>
              ))}
            </Empty>
          ) : (
            <ol className="cards" aria-label={t('settings.rules')}>
              {items.map((rule, n) => (
                <li
                  key={rule.id}
                  className="card-row"
                  data-over={!rule.is_active || undefined}
                  onKeyDown={(event) => {
                    if (!event.altKey || (event.key !== 'ArrowUp' && event.key !== 'ArrowDown')) return
                    event.preventDefault()
                    move(items, n, event.key === 'ArrowUp' ? -1 : 1)
                  }}
                >
                  <div className="card-main">
                    <div className="channel-name">{rule.name}</div>
                    <Sentence rule={rule} names={names} />
                    {rule.paused_count > 0 && (
                      <div className="rule-paused">{t('rules.paused', { count: rule.paused_count })}</div>
                    )}
                  </div>
                  <Group gap={6} wrap="wrap">
                    <Switch
                      aria-label={t('rules.is_on', { name: rule.name })}
                      checked={rule.is_active}
                      onChange={(event) => turn.mutate({ id: rule.id, is_active: event.currentTarget.checked })}
                    />
                    <ActionIcon
                      variant="subtle"
                      color="gray"
                      aria-label={t('rules.up', { name: rule.name })}
                      disabled={n === 0}
                      onClick={() => move(items, n, -1)}
                    >
                      <IconArrowUp size={18} aria-hidden />
                    </ActionIcon>
                    <ActionIcon
                      variant="subtle"
                      color="gray"
                      aria-label={t('rules.down', { name: rule.name })}
                      disabled={n === items.length - 1}
                      onClick={() => move(items, n, 1)}
                    >
                      <IconArrowDown size={18} aria-hidden />
                    </ActionIcon>
                    <Button
                      size="compact-md"
                      variant="subtle"
                      aria-label={`${t('rules.log')}: ${rule.name}`}
                      onClick={() => setLog(rule)}
                    >
                      {t('rules.log')}
                    </Button>
                    <Button
                      size="compact-md"
                      variant="default"
                      aria-label={`${t('settings.change')}: ${rule.name}`}
                      onClick={() => setOpen({ id: rule.id, draft: rule })}
                    >
                      {t('settings.change')}
                    </Button>
                  </Group>
                </li>
              ))}
            </ol>
          )
        }
      </Shown>
      {open && <RuleEditor id={open.id} draft={draftOf(open.draft)} close={() => setOpen(undefined)} />}
      {log && <RuleLog rule={log} close={() => setLog(undefined)} />}
    </>
  )
}

/** Without what the server alone says of it. */
const draftOf = (rule: RuleDraft): RuleDraft => ({
  ...{ name: rule.name, trigger: rule.trigger, conditions: rule.conditions, acts: rule.acts },
  ...{ pause_minutes: rule.pause_minutes, is_active: rule.is_active, stops_after: rule.stops_after },
})

function Sentence({ rule, names }: { readonly rule: RuleJson; readonly names: RuleNames }) {
  const { t } = useSpeech()
  const { when, conditions, acts } = names.sentence(rule)
  return (
    <p className="rule-sentence" dir="auto">
      <b>{t('rules.when')}</b> {when}
      {conditions !== null && (
        <>
          {' '}
          <b>{t('rules.if')}</b> {conditions}
        </>
      )}
      , <b>{t('rules.then')}</b> {acts.join(' · ')}
    </p>
  )
}

function useTemplates(): RuleDraft[] {
  const { t } = useSpeech()
  const words = t('rules.template_urgent_words')
    .split(',')
    .map((each) => each.trim())
  return [
    {
      ...blank,
      name: t('rules.template_closed'),
      trigger: { type: 'message.received', kinds: ['message'] },
      conditions: { all: [{ field: 'business_hours', op: 'is', value: false }] },
      acts: [{ do: 'reply', text: t('rules.template_closed_text') }],
      pause_minutes: 720,
    },
    {
      ...blank,
      name: t('rules.template_urgent'),
      conditions: { all: [{ field: 'text', op: 'any', value: words }] },
      acts: [{ do: 'priority', priority: 'urgent' }],
    },
    {
      ...blank,
      name: t('rules.template_waiting'),
      trigger: { type: 'unanswered', minutes: 60 },
      acts: [{ do: 'priority', priority: 'high' }],
    },
  ]
}
