/** Which channels tell their app what happens: on until it is switched off, by a call or because nobody answered. */
import { fieldsOf } from '../connectors/reading.ts'
import type { World } from './world.ts'

/** A channel that was never touched is subscribed. */
export function isSubscribed(world: World, channel: string): boolean {
  return fieldsOf(world.notes.get(`subscribed.${channel}`)).is_on !== false
}

export function setSubscribed(world: World, channel: string, isOn: boolean, reason?: string): void {
  if (isSubscribed(world, channel) === isOn) return
  world.note(`subscribed.${channel}`, { is_on: isOn, ...(reason === undefined ? {} : { reason }) })
}
