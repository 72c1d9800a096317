/** Failures that say nothing about what was being done: something it depends on is away for now. */
import { codeOf, Problem } from '../infra/errors.ts'
import { BrokerUnavailable } from './broker/contract.ts'

/** The database or the broker cannot be reached, or the database was too busy to order our locks. */
export function isOutage(error: unknown): boolean {
  if (error instanceof BrokerUnavailable) return true
  return (
    (error instanceof Problem && error.status === 503) ||
    ['ER_LOCK_DEADLOCK', 'ER_LOCK_WAIT_TIMEOUT'].includes(codeOf(error) ?? '')
  )
}
