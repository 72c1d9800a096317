/** What the control interface sets for Meta's channels, and what customers press: `/control/meta/...`. */
import { z } from 'zod'
import { Problem } from '../../infra/errors.ts'
import { say } from './customers.ts'
import type { Stage } from './customers.ts'
import { setLimit } from './graph-limits.ts'
import { setTemplates } from './graph-templates.ts'
import type { Choice, SandboxChannel, Utterance } from './world.ts'

const text = z.string().min(1)

/** Whether a person has blocked the channel. */
export const personShape = z.object({ channel: text, person: text, is_blocked: z.boolean() })
// prettier-ignore
export const templatesShape = z.object({
  channel: text,
  templates: z.array(z.object({
    name: text, language: text, category: text.default('UTILITY'), status: text.default('APPROVED'), components: z.array(z.record(z.string(), z.unknown())),
  })).max(500),
})
/** Without `calls`: no limit. */
export const limitShape = z.object({
  channel: text,
  calls: z.int().min(0).optional(),
  code: z.int().default(4),
  regain_ms: z.int().min(1).default(300_000),
})
/** How long films are worked on, and how many posts an Instagram account has a day. */
export const publishingShape = z.object({
  channel: text,
  video_ms: z.int().min(0).optional(),
  quota: z.int().min(0).optional(),
})
/** `id`: of the choice, among those of our utterance. */
export const pressShape = z.object({ channel: text, external_id: text, id: text, person: text.optional() })

export function setPerson(stage: Stage, given: z.infer<typeof personShape>): void {
  stage.world.note(`meta.blocked.${given.channel}.${given.person}`, given.is_blocked ? true : undefined)
}

export function setChannel(
  stage: Stage,
  channel: SandboxChannel,
  given: z.infer<typeof templatesShape> | z.infer<typeof limitShape> | z.infer<typeof publishingShape>,
): void {
  if ('templates' in given) setTemplates(stage, channel, given.templates)
  else if ('code' in given)
    setLimit(stage, channel, given.calls === undefined ? undefined : { ...given, calls: given.calls })
  else {
    if (given.video_ms !== undefined) stage.world.note('meta.video_ms', given.video_ms)
    if (given.quota !== undefined) stage.world.note(`meta.quota.${channel.external_id}`, given.quota)
  }
}

/** The customer presses a quick reply, a button, or a row of a list: it is told as each network tells it. */
export function press(
  stage: Stage,
  channel: SandboxChannel,
  given: z.infer<typeof pressShape>,
): { readonly utterance: Utterance; readonly delivered: Promise<void> } {
  const shown = stage.world.byId.get(given.external_id)
  const choice = shown?.choices?.find(({ id }) => id === given.id)
  if (shown?.channel !== channel.external_id || choice === undefined)
    throw new Problem(404, 'not_found', 'There is nothing of that kind to press.')
  const person = given.person ?? shown.person
  return say(stage, {
    type: channel.type,
    channel: channel.external_id,
    person: { id: person },
    kind: 'message',
    text: choice.title,
    wire: wireOf(choice),
    ...(choice.as === 'quick_reply' ? {} : { in_reply_to: shown.external_id }),
  })
}

function wireOf({ as, id, title, description }: Choice): Readonly<Record<string, unknown>> {
  switch (as) {
    case 'quick_reply':
      return { quick_reply: { payload: id } }
    case 'button':
      return { type: 'interactive', interactive: { type: 'button_reply', button_reply: { id, title } } }
    case 'row':
      return {
        type: 'interactive',
        interactive: {
          type: 'list_reply',
          list_reply: { id, title, ...(description === undefined ? {} : { description }) },
        },
      }
    case 'template':
      return { type: 'button', button: { payload: id, text: title } }
  }
}
