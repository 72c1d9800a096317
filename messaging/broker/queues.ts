/** Every queue, written out. Each is durable; messages are settled by hand. */
export const queues = {
  /** Signed webhook bodies as they came: from the webhook door to `receive.ts`. */
  inbound: 'inbound',
  /** Nudges "this conversation has something to deliver": from the relay to `deliver.ts`. */
  deliver: 'deliver',
  /** Nudges "this conversation has something to do", and what is shown to people for a moment: to `act.ts`. */
  acts: 'acts',
  /** Numbered events for those on the messaging nodes that act on them. */
  events: 'events',
} as const

export type QueueName = (typeof queues)[keyof typeof queues]

export const queueNames: readonly QueueName[] = Object.values(queues)
