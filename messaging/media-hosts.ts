/** Which file servers do not answer just now, as this node has seen it: one that hangs must not take every place from the others. */

const failuresToBeAway = 4
/** After so long one file is tried again; whether that comes decides for the rest. */
const askAgainMs = 20_000
const remembered = 1_000

export class MediaHosts {
  readonly #failing = new Map<string, { readonly count: number; readonly at: number }>()

  /** Whether to leave this host alone; lets one through now and then. */
  isAway(host: string): boolean {
    const failing = this.#failing.get(host)
    if (failing === undefined || failing.count < failuresToBeAway) return false
    if (performance.now() - failing.at < askAgainMs) return true
    this.#failing.set(host, { ...failing, at: performance.now() })
    return false
  }

  /** It answered, whatever it said; or it did not. */
  note(host: string, hasAnswered: boolean): void {
    const before = this.#failing.get(host)
    this.#failing.delete(host)
    if (hasAnswered) return
    if (this.#failing.size >= remembered) this.#failing.clear()
    this.#failing.set(host, { count: (before?.count ?? 0) + 1, at: performance.now() })
  }
}
