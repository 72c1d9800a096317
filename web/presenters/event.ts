import type { Event } from '../../storage/model/events.ts'
import type { EventJson } from './shapes.ts'

/** One numbered fact. */
export function presentEvent(event: Event): EventJson {
  return { number: event.number, type: event.type, at: event.at.toISOString(), data: event.data }
}
