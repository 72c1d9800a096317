/** Rules as they come in: triggers, and conditions as a tree that is neither deep nor wide. */
import { z } from 'zod'
import {
  attributeOps,
  changedFields,
  choiceFields,
  flagFields,
  isTimeTrigger,
  manyFields,
  mostDepth,
  mostLeaves,
  ruleTriggers,
} from '../storage/model/rules.ts'
import type { Conditions, RuleTrigger } from '../storage/model/rules.ts'
import { inboundKinds } from '../storage/model/words.ts'

export const triggerShape = z
  .strictObject({
    type: z.enum(ruleTriggers),
    kinds: z.array(z.enum(inboundKinds)).max(10).optional().describe('of messages: of which kinds; left out: of any'),
    changed: z
      .array(z.enum(changedFields))
      .max(10)
      .optional()
      .describe('of changes: of which fields; left out: of any'),
    minutes: z.int().min(1).max(43_200).optional().describe('of times: after how many'),
  })
  .check((given) => {
    const { type, minutes } = given.value
    if (isTimeTrigger(type) !== (minutes !== undefined))
      given.issues.push({
        ...{ code: 'custom', input: minutes, path: ['minutes'] },
        message: isTimeTrigger(type) ? 'This needs a number of minutes.' : 'Only times have minutes.',
      })
  })

const word = z.string().trim().min(1).max(100)
const words = z.array(word).min(1).max(50)

const leafShape = z.union([
  z.strictObject({ field: z.enum(choiceFields), op: z.enum(['any', 'none']), value: words }),
  z.strictObject({ field: z.enum(manyFields), op: z.enum(['any', 'all', 'none']), value: words }),
  z.strictObject({ field: z.enum(flagFields), op: z.literal('is'), value: z.boolean() }),
  z.strictObject({ field: z.literal('waiting'), op: z.enum(['over', 'under']), value: z.int().min(1).max(527_040) }),
  z.strictObject({
    field: z.literal('attribute'),
    key: word,
    op: z.enum(attributeOps),
    value: z.string().max(200).optional(),
  }),
])

/** Each depth written out, so that a deeper tree is refused before it is walked. */
function treeOf(depth: number): z.ZodType<Conditions> {
  const part: z.ZodType<Conditions> = depth <= 1 ? leafShape : z.union([leafShape, treeOf(depth - 1)])
  const parts = z.array(part).max(mostLeaves)
  return z.union([z.strictObject({ all: parts }), z.strictObject({ any: parts.min(1) })])
}

export const conditionsShape = treeOf(mostDepth).check((given) => {
  if (leavesOf(given.value).length > mostLeaves)
    given.issues.push({
      ...{ code: 'custom', input: given.value },
      message: `These are more than ${String(mostLeaves)} conditions.`,
    })
})

export const leavesOf = (conditions: Conditions): Extract<Conditions, { field: unknown }>[] =>
  'field' in conditions
    ? [conditions]
    : ('all' in conditions ? conditions.all : conditions.any).flatMap((part) => leavesOf(part))

/** As it is kept: without what was not given. */
export const plainTrigger = ({ type, kinds, changed, minutes }: RuleTrigger): RuleTrigger => ({
  type,
  ...(kinds !== undefined && kinds.length > 0 && { kinds }),
  ...(changed !== undefined && changed.length > 0 && { changed }),
  ...(minutes !== undefined && { minutes }),
})
