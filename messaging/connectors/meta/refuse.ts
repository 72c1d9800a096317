import type { Outcome, RefusalClass } from '../connector.ts'

/** What is refused before anything leaves. */
export const refuse = (
  reasonClass: RefusalClass,
  code: string,
  reason: string,
): Extract<Outcome, { readonly type: 'refused' }> => ({ type: 'refused', class: reasonClass, code, reason })
