/** What may be said in a conversation now, and whether this may be. */
import type { ConversationJson } from '../presenters/shapes.ts'
import type { PickedFile } from './answering/picked-files.ts'
import type { NewMessage } from './api.ts'
import { countText } from './counting.ts'

export type Kind = NewMessage['kind']
export type Rule = NonNullable<ConversationJson['sayable']>[number]
type FileKind = keyof Rule['files']['kinds']

/** In this order; the first one that is possible is offered first. */
const order: readonly Kind[] = ['reply', 'comment', 'private_reply', 'note']

export interface Offer {
  readonly kind: Kind
  /** Why nothing of the kind may be said now; a template may be, where `except` says so. */
  readonly refused: Rule['refused']
}

/** Every kind that belongs to this sort of conversation. A note is always possible, whatever the network says. */
export function offersIn(
  { sayable, visibility }: ConversationJson,
  may: { readonly answer: boolean; readonly note: boolean },
): readonly Offer[] {
  const kinds: Offer[] = sayable?.map(({ kind, refused }) => ({ kind, refused })) ?? [
    { kind: visibility === 'public' ? 'comment' : 'reply', refused: null },
  ]
  if (!kinds.some(({ kind }) => kind === 'note')) kinds.push({ kind: 'note', refused: null })
  return order
    .flatMap((kind) => kinds.find((each) => each.kind === kind) ?? [])
    .filter(({ kind }) => (kind === 'note' ? may.note : may.answer))
}

export const ruleFor = (conversation: ConversationJson, kind: Kind): Rule | undefined =>
  conversation.sayable?.find((each) => each.kind === kind)

export type Misfit = 'type' | 'size' | 'count'

export interface Check {
  readonly canSend: boolean
  readonly used: number
  readonly limit: number | null
  /** By how much it is too long; 0 when it is not. */
  readonly over: number
  readonly closesAt: string | null
  /** From then on it goes out as an answer of a human agent. */
  readonly agentFrom: string | null
  readonly isClosed: boolean
  readonly isGoingUp: boolean
  /** What is wrong with which file. */
  readonly misfits: ReadonlyMap<string, { readonly why: Misfit; readonly max: number }>
  /** How many messages the network makes of it. */
  readonly messages: number
}

export function sendable(
  conversation: ConversationJson,
  kind: Kind,
  { text, files, needsText }: { text: string; files: readonly PickedFile[]; needsText: boolean },
  now: number,
): Check {
  const rule = ruleFor(conversation, kind)
  const used = rule ? countText(text.trim(), rule.counting) : text.trim().length
  const limit = rule?.max_text_length ?? null
  const over = limit === null ? 0 : Math.max(0, used - limit)
  const closesAt = rule?.closes_at ?? null
  const isClosed = (closesAt !== null && Date.parse(closesAt) <= now) || (rule?.refused ?? null) !== null
  const isGoingUp = files.some(({ document, failure }) => document === undefined && failure === undefined)
  const misfits = new Map(
    files.flatMap((file, index) => {
      const misfit = rule && misfitOf(rule, file, index)
      return misfit ? [[file.key, misfit] as const] : []
    }),
  )
  const hasContent = text.trim() !== '' || (files.length > 0 && !needsText)
  const isWhole = !isGoingUp && misfits.size === 0 && files.every(({ failure }) => failure === undefined)
  return {
    canSend: hasContent && over === 0 && !isClosed && isWhole,
    used,
    limit,
    over,
    closesAt,
    agentFrom: rule?.human_agent_from ?? null,
    isClosed,
    isGoingUp,
    misfits,
    messages: rule ? messagesOf(rule, text, files) : 1,
  }
}

function misfitOf({ files }: Rule, file: PickedFile, index: number): { why: Misfit; max: number } | undefined {
  if (index >= files.max) return { why: 'count', max: files.max }
  let misfit: { why: Misfit; max: number } | undefined = { why: 'type', max: 0 }
  for (const kind of [naturalKind(file.type), 'file'] as const) {
    const limit = files.kinds[kind]
    if (!limit?.types.some((type) => isOfType(file.type, type))) continue
    const max = limit.max_bytes_of[file.type] ?? limit.max_bytes
    if (file.size <= max) return undefined
    misfit = { why: 'size', max }
  }
  return misfit
}

function messagesOf({ files: { together } }: Rule, text: string, files: readonly PickedFile[]): number {
  const [first] = files
  if (first === undefined) return 1
  let count = text.trim() !== '' && !together.text_with.includes(naturalKind(first.type)) ? 1 : 0
  let open = 0
  for (const file of files) {
    const isStill = naturalKind(file.type) === 'image' && file.type !== 'image/gif'
    if (!isStill || open === 0) count += 1
    open = isStill ? (open + 1) % together.pictures : 0
  }
  return count
}

function naturalKind(type: string): FileKind {
  const family = type.split('/', 1)[0]
  return family === 'image' || family === 'video' || family === 'audio' ? family : 'file'
}

/** `pattern`: in full, a family such as `image/*`, or everything. */
const isOfType = (type: string, pattern: string): boolean =>
  pattern === type || pattern === '*/*' || (pattern.endsWith('/*') && type.startsWith(pattern.slice(0, -1)))
