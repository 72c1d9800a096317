import type { Received, ReceivedEntry } from '../../storage/index.ts'
import type { ReceivedEntryJson, ReceivedJson } from './shapes.ts'

/** A webhook body as it came, and what became of it. @param conversations by message id */
export function presentReceived(received: Received, conversations: ReadonlyMap<string, string>): ReceivedJson {
  return {
    ...fieldsOf(received),
    size: received.body.length,
    body: received.body.toString('utf8'),
    trace: (received.trace ?? []).map(({ at, became, id }) => ({
      at,
      became,
      id,
      conversation_id: (id === null ? undefined : conversations.get(id)) ?? null,
    })),
  }
}

/** A row of the log, with its body where there is one at hand. */
export function presentReceivedEntry(entry: ReceivedEntry, body: Buffer | undefined): ReceivedEntryJson {
  return {
    ...fieldsOf(entry),
    size: entry.size,
    // It may have been cut within a character.
    snippet: entry.snippet.toString('utf8').replace(/\uFFFD+$/, ''),
    body: body?.toString('utf8') ?? null,
    trace: (entry.trace ?? []).slice(0, mostTraced).map(({ at, became, id }) => ({ at, became, id })),
  }
}

/** A body may carry a thousand items; the list shows the first. */
const mostTraced = 20

const fieldsOf = (received: Omit<Received, 'body'>) => ({
  id: received.id,
  app_id: received.appId,
  channel_id: received.channelId,
  state: received.state,
  reason: received.reason,
  tries: received.tries,
  received_at: received.receivedAt.toISOString(),
  processed_at: received.processedAt?.toISOString() ?? null,
})
