/**
 * Posts that we plan, and what becomes of them: composed once, published on each channel by itself. Which step leads from
 * which state, and what the channels together say of the whole. Imports nothing.
 */

export const plannedStates = [
  'draft',
  'in_review',
  'approved',
  'scheduled',
  /** Its time went by in an outage; a person decides. */
  'asked',
  'publishing',
  'published',
  'partly_published',
  'unknown',
  'failed',
  'cancelled',
] as const
export type PlannedState = (typeof plannedStates)[number]

/** The fate on one channel. `waiting`: for its time. */
export const publicationStates = [
  'waiting',
  'asked',
  'queued',
  'publishing',
  'retrying',
  'unknown',
  'published',
  'failed',
  'cancelled',
] as const
export type PublicationState = (typeof publicationStates)[number]

/** What happens to a post whose time went by in an outage. */
export const latePolicies = ['publish_late', 'skip', 'ask'] as const
export type LatePolicy = (typeof latePolicies)[number]

/** From then on it is late. */
export const lateAfterMs = 5 * 60_000

/** `by_role`: whoever may not approve needs an approval. */
export const approvalRules = ['by_role', 'always', 'never'] as const
export type ApprovalRule = (typeof approvalRules)[number]

/** What an account asks of approvals. */
export interface ApprovalSettings {
  readonly approval: ApprovalRule
  /** Whoever wrote a post may not approve it. */
  readonly fourEyes: boolean
}

/** What people do with a post; each is a line in its history. */
export const postSteps = ['edit', 'submit', 'approve', 'reject', 'schedule', 'publish', 'cancel'] as const
export type PostStep = (typeof postSteps)[number]

const allowedFrom: Readonly<Record<PostStep, readonly PlannedState[]>> = {
  edit: ['draft', 'in_review', 'approved', 'scheduled', 'asked', 'failed', 'cancelled'],
  submit: ['draft'],
  approve: ['in_review'],
  reject: ['in_review', 'approved', 'scheduled'],
  schedule: ['draft', 'approved', 'scheduled', 'asked'],
  publish: ['draft', 'approved', 'scheduled', 'asked'],
  cancel: ['in_review', 'approved', 'scheduled', 'asked', 'publishing'],
}

/** Whether a post in this state takes the step, whoever asks. */
export const isStepPossible = (step: PostStep, state: PlannedState): boolean => allowedFrom[step].includes(state)

/** Steps that must not skip an approval which is needed. */
export const leavesReview = (step: PostStep, state: PlannedState): boolean =>
  (step === 'schedule' || step === 'publish') && state === 'draft'

/** Whether what this person wrote must be approved by someone before it goes out. */
export const needsApproval = (settings: ApprovalSettings, mayApprove: boolean): boolean =>
  settings.approval === 'always' || (settings.approval === 'by_role' && (!mayApprove || settings.fourEyes))

/** States in which the text, the files or the channels are bound by an approval, or on their way to one. */
export const isBeyondDraft = (state: PlannedState): boolean =>
  state === 'in_review' || state === 'approved' || state === 'scheduled'

/** What the channels together say of a post that has been fired. */
export function stateOfAll(states: readonly PublicationState[]): PlannedState {
  const has = (...some: readonly PublicationState[]): boolean => states.some((state) => some.includes(state))
  if (has('queued', 'publishing', 'retrying', 'waiting')) return 'publishing'
  if (has('unknown')) return 'unknown'
  if (has('asked')) return 'asked'
  if (has('published')) return has('failed', 'cancelled') ? 'partly_published' : 'published'
  return has('failed') ? 'failed' : 'cancelled'
}

export const mostChannels = 10
export const mostFiles = 10
export const mostTextLength = 10_000
