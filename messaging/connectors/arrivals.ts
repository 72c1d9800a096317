/** What can arrive from a network and what becomes of it: the written promise of a connector, printed in the reference. */
export interface Arrival {
  /** What the network tells. */
  readonly what: string
  /** What Parley makes of it: `message`, `interaction`, `comment`, `edit` …; `kept` stays in the received log alone. */
  readonly becomes: string
  readonly note?: string
}
