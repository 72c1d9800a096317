/** What a rule did, and why. */
import { Modal } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from 'react-router'
import type { RuleJson, RuleRunJson } from '../../presenters/rules.ts'
import { useSpeech } from '../texts/index.tsx'
import { Shown } from './people-parts.tsx'
import { useRuleNames } from './rule-names.ts'
import { Verdict } from './rule-trial.tsx'
import { ruleLists } from './rules-api.ts'

export function RuleLog({ rule, close }: { readonly rule: RuleJson; readonly close: () => void }) {
  const { t, times } = useSpeech()
  const names = useRuleNames()
  const query = useQuery(ruleLists.runs(rule.id))
  return (
    <Modal
      opened
      onClose={close}
      size="lg"
      title={t('rules.log_of', { name: rule.name })}
      closeButtonProps={{ 'aria-label': t('help.close') }}
    >
      <Shown query={query}>
        {({ items }) =>
          items.length === 0 ? (
            <p className="card-side">{t('rules.log_empty')}</p>
          ) : (
            <ul className="cards">
              {items.map((run) => (
                <li key={run.id} className="card-row">
                  <div className="card-main">
                    <strong>{t(`outcome.${run.outcome}`)}</strong> <Did run={run} />
                    <Verdict verdict={run.did?.['why']} names={names} />
                  </div>
                  <div className="card-side">
                    <time dateTime={run.at}>{times.moment(run.at)}</time>
                    <br />
                    <Link to={`/inbox/${run.conversation_id}`}>{t('outcome.see')}</Link>
                  </div>
                </li>
              ))}
            </ul>
          )
        }
      </Shown>
    </Modal>
  )
}

function Did({ run: { did } }: { readonly run: RuleRunJson }) {
  const { t } = useSpeech()
  const reason = did?.['reason']
  const skipped = did?.['skipped']
  const changed = did?.['changed']
  return (
    <>
      {typeof reason === 'string' && <span>{reason}</span>}
      {Array.isArray(changed) && changed.length > 0 && (
        <span>
          {changed
            .map((field: unknown) =>
              field === 'status' ||
              field === 'assignee' ||
              field === 'team' ||
              field === 'priority' ||
              field === 'labels'
                ? t(`field.${field}`)
                : '',
            )
            .filter((text) => text !== '')
            .join(', ')}
        </span>
      )}
      {Array.isArray(skipped) &&
        skipped.map((each: { why?: unknown }, n) => (
          <div key={n} className="card-side">
            {t(each.why === 'contact_blocked' ? 'outcome.skipped_contact_blocked' : 'outcome.skipped_answered_already')}
          </div>
        ))}
    </>
  )
}
