/** Load that can be repeated: many utterances, told several times, in any order, in large bodies, from all networks. */
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { Problem } from '../../infra/errors.ts'
import { chanceFrom, shuffle } from './chance.ts'
import { firstPost } from './customers.ts'
import type { Stage } from './customers.ts'
import { pack, tellingsOf } from './tellings.ts'
import type { SandboxChannel, SandboxType, Utterance, World } from './world.ts'

const text = z.string().min(1)

/** `messages` are said once, each is told `times`. */
export const burstSchema = z.object({
  /** One channel, several, or without either all that are there. */
  channel: text.optional(),
  channels: z.array(text).min(1).optional(),
  people: z.int().min(1).max(100_000),
  messages: z.int().min(1).max(1_000_000),
  /** Turns of these; comments stand below the channel's first post. */
  kinds: z
    .array(z.enum(['message', 'comment', 'mention']))
    .min(1)
    .default(['message']),
  times: z.int().min(1).max(10).default(1),
  shuffle: z.boolean().default(false),
  seed: z.int().min(0).default(1),
  /** Most items of one body. */
  batch: z.int().min(1).max(1000).default(1),
  /** Tellings a second. */
  rate: z.number().positive().optional(),
  prefix: z.string().default('burst'),
})
export type Burst = z.infer<typeof burstSchema>

/** How far the last burst is; `told` counts tellings that have left for their first try. */
export interface Progress {
  said: number
  told: number
  total: number
  is_over: boolean
  started_at: string
}

/** Bodies under way at the same time; more would only fill the memory. */
const mostPending = 200

/**
 * Says everything first, in order and with a millisecond between, then tells it. With a `rate`, and each told once and in
 * order, it is said as it is told: people who write now.
 */
export async function runBurst(
  stage: Stage,
  channels: readonly SandboxChannel[],
  burst: Burst,
  progress: Progress,
  signal: AbortSignal,
): Promise<void> {
  const { world, webhooks } = stage
  const speak = openSpeaker(world, channels, burst)
  const isLive = burst.rate !== undefined && burst.times === 1 && !burst.shuffle
  const said: Utterance[] = []
  const first = Date.now() - burst.messages
  for (let number = 0; !isLive && number < burst.messages && !signal.aborted; number += 1) {
    said.push(speak(number, first + number))
    progress.said = number + 1
    if (number % 500 === 499) await sleep(0)
  }
  const order = new Uint32Array(burst.messages * burst.times)
  for (let index = 0; index < order.length; index += 1) order[index] = index % burst.messages
  if (burst.shuffle) shuffle(order, chanceFrom(burst.seed))

  const started = Date.now()
  // With several apps and users a chunk falls into several bodies, so that it is taken larger than one of them.
  const chunk = isLive ? burst.batch : Math.min(4_000, burst.batch * Math.max(1, channels.length))
  for (let done = 0; done < order.length && !signal.aborted; done += chunk) {
    const numbers = [...order.subarray(done, done + chunk)]
    const part = numbers.flatMap((number) => (isLive ? speak(number, Date.now()) : (said[number] ?? [])))
    if (isLive) progress.said = done + part.length
    for (const { app, channel, body } of pack(tellingsOf(world, part), burst.batch)) {
      await webhooks.room(mostPending)
      void webhooks.post(app, body, channel, true)
    }
    progress.told = Math.min(order.length, done + chunk)
    const due = burst.rate === undefined ? 0 : started + (progress.told / burst.rate) * 1000 - Date.now()
    await sleep(Math.max(0, due), undefined, { ref: false })
  }
  progress.is_over = true
}

/** Says the utterance of this number; people and channels take turns. */
function openSpeaker(
  world: World,
  channels: readonly SandboxChannel[],
  { people, prefix, kinds }: Burst,
): (number: number, at: number) => Utterance {
  const posts = new Map(channels.map(({ external_id }) => [external_id, firstPost(world, external_id)?.external_id]))
  return (number, at) => {
    const channel = channels[number % channels.length]
    if (channel === undefined) throw new Problem(422, 'invalid', 'A burst needs a channel.')
    const turn = Math.floor(number / channels.length)
    const who = turn % people
    const kind = kinds[Math.floor(turn / people) % kinds.length] ?? 'message'
    const id = `${personPrefix[channel.type]}${String(10 ** 15 + who).slice(channel.type === 'whatsapp' ? 6 : 1)}`
    if (!world.people.has(id))
      world.putPerson({ type: channel.type, id, name: `${prefix} ${String(who)}`, handle: `p${String(who)}` })
    const post = posts.get(channel.external_id)
    const isBelow = kind === 'comment' && post !== undefined
    return world.say({
      type: channel.type,
      channel: channel.external_id,
      person: id,
      direction: 'inbound',
      kind: isBelow ? 'comment' : kind === 'mention' && channel.type === 'x' ? 'mention' : 'message',
      text: `${prefix} ${String(who)} #${String(number)}`,
      at: new Date(at).toISOString(),
      ...(isBelow ? { post_id: post, ...(channel.type === 'x' ? { in_reply_to: post } : {}) } : {}),
    })
  }
}

const personPrefix: Readonly<Record<SandboxType, string>> = { facebook: '72', instagram: '73', whatsapp: '49', x: '18' }
