/** What contacts can be narrowed to, and what an account keeps about them. Imports nothing. */

export const attributeTypes = ['text', 'number', 'date', 'choice', 'boolean'] as const
export type AttributeType = (typeof attributeTypes)[number]

export type AttributeValue = string | number | boolean

export interface AttributeDefinition {
  /** Lower case letters, digits and underscores; never changes. */
  readonly key: string
  readonly name: string
  readonly type: AttributeType
  /** Of a choice. */
  readonly choices: readonly string[] | null
}

export const attributeComparisons = ['is', 'is_not', 'contains', 'set', 'unset', 'less', 'more'] as const
/** `less` and `more` are of numbers and dates, without the value itself. */
export type AttributeComparison = (typeof attributeComparisons)[number]

export interface AttributeCondition {
  readonly key: string
  readonly comparison: AttributeComparison
  readonly value?: AttributeValue | undefined
}

/** All of it has to hold. `labelId`: of one of their conversations. */
export interface ContactFilter {
  readonly ids?: readonly string[] | undefined
  readonly channelId?: string | undefined
  readonly channelType?: string | undefined
  readonly labelId?: string | undefined
  readonly activeSince?: Date | undefined
  readonly activeBefore?: Date | undefined
  readonly isBlocked?: boolean | undefined
  readonly attributes?: readonly AttributeCondition[] | undefined
}

/** A value as its definition wants it; undefined when it is none of these. Dates are days, `2026-03-09`. */
export function asAttribute({ type, choices }: AttributeDefinition, value: unknown): AttributeValue | undefined {
  switch (type) {
    case 'number':
      return typeof value === 'number' && Number.isFinite(value) ? value : undefined
    case 'boolean':
      return typeof value === 'boolean' ? value : undefined
    case 'date':
      return typeof value === 'string' && isDay(value) ? value : undefined
    case 'choice':
      return typeof value === 'string' && choices?.includes(value) === true ? value : undefined
    case 'text':
      return typeof value === 'string' && value.trim() !== '' && value.length <= 500 ? value.trim() : undefined
  }
}

function isDay(text: string): boolean {
  const at = new Date(`${text}T00:00:00Z`)
  return /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(at.getTime()) && at.toISOString().startsWith(text)
}
