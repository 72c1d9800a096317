/** What a rule would do to the newest conversations, and why not to others. */
import { VisuallyHidden } from '@mantine/core'
import { IconCheck, IconMinus } from '@tabler/icons-react'
import { Link } from 'react-router'
import type { Conditions } from '../../../storage/model/rules.ts'
import type { TrialJson } from '../../presenters/rules.ts'
import { useSpeech } from '../texts/index.tsx'
import type { RuleNames } from './rule-names.ts'
import { readActs, readConditions } from './rules-api.ts'

interface Props {
  readonly trial: { readonly items: readonly TrialJson[]; readonly matched: number }
  readonly names: RuleNames
}

export function RuleTrial({ trial, names }: Props) {
  const { t } = useSpeech()
  const sorted = [...trial.items].sort((a, b) => Number(b.matched) - Number(a.matched))
  return (
    <section className="rule-trial" aria-live="polite">
      <p className="card-side">{t('rules.try_lead')}</p>
      <p>
        {trial.items.length === 0
          ? t('rules.try_none')
          : t('rules.try_result', { matched: trial.matched, total: trial.items.length })}
      </p>
      <ul className="cards">
        {sorted.map((item) => (
          <li key={item.conversation_id} className="card-row" data-over={!item.matched || undefined}>
            <div className="card-main">
              <Link to={`/inbox/${item.conversation_id}`} className="channel-name">
                {item.contact_name}
              </Link>
              <div className="card-side" dir="auto">
                {item.preview}
              </div>
              {item.matched ? (
                <ul className="rule-did">
                  {readActs(item.would).map((act, n) => (
                    <li key={n}>
                      {t('rules.would')} {names.act(act)}
                    </li>
                  ))}
                </ul>
              ) : (
                !item.starts && <div className="card-side">{t('rules.not_kind')}</div>
              )}
              <Verdict verdict={item.verdict} names={names} />
            </div>
          </li>
        ))}
      </ul>
    </section>
  )
}

/** Each condition with its answer. */
export function Verdict({ verdict, names }: { readonly verdict: unknown; readonly names: RuleNames }) {
  const { t } = useSpeech()
  const leaves = leavesOf(verdict)
  if (leaves.length === 0) return null
  return (
    <ul className="rule-verdict">
      {leaves.map(({ condition, is }, n) => (
        <li key={n} data-is={is}>
          {is ? <IconCheck size={14} aria-hidden /> : <IconMinus size={14} aria-hidden />}
          <span>
            {names.condition(condition)} <VisuallyHidden>({t(is ? 'rules.yes' : 'rules.no')})</VisuallyHidden>
          </span>
        </li>
      ))}
    </ul>
  )
}

function leavesOf(verdict: unknown): { readonly condition: Conditions; readonly is: boolean }[] {
  if (typeof verdict !== 'object' || verdict === null || !('is' in verdict)) return []
  if ('parts' in verdict && Array.isArray(verdict.parts))
    return verdict.parts.flatMap((part: unknown) => leavesOf(part))
  if (!('condition' in verdict)) return []
  return [{ condition: readConditions(verdict.condition as Record<string, unknown>), is: verdict.is === true }]
}
