// The live streams that watch an object. They ask every few seconds, so nothing is stored: an object that
// restarts hears from each of them within that time.

/** More than the screens of a team. Each asks every two seconds. */
export const MOST_WATCHERS = 20;

/** A watcher that was silent for this long is gone. */
const GONE_MS = 10_000;

export class Watchers {
  readonly #seenMs = new Map<string, number>();

  /** @returns false if MOST_WATCHERS others watch already */
  admit(id: string, nowMs: number): boolean {
    for (const [other, seenMs] of this.#seenMs) {
      if (nowMs - seenMs >= GONE_MS) this.#seenMs.delete(other);
    }
    if (!this.#seenMs.has(id) && this.#seenMs.size >= MOST_WATCHERS) return false;
    this.#seenMs.set(id, nowMs);
    return true;
  }
}

/** The reply for a watcher that is refused. */
export const TOO_MANY_WATCHERS = {
  kind: "over_limit",
  detail: `At most ${MOST_WATCHERS} live streams of one object are open at once.`,
} as const;
