import type { Received } from '../../storage/index.ts'
import type { ReceivedJson } from './shapes.ts'

/** A webhook body as it came, and what became of it. */
export function presentReceived(received: Received): ReceivedJson {
  return {
    id: received.id,
    app_id: received.appId,
    channel_id: received.channelId,
    state: received.state,
    reason: received.reason,
    body: received.body.toString('utf8'),
    size: received.body.length,
    trace: (received.trace ?? []).map(({ at, became, id }) => ({ at, became, id })),
    received_at: received.receivedAt.toISOString(),
    processed_at: received.processedAt?.toISOString() ?? null,
  }
}
