// Who looks at an object as it changes. They ask every few seconds, so nothing is stored: an object
// that starts anew hears from each of them within that time.

/** More than a team has screens; each asks every two seconds. */
export const MOST_WATCHERS = 20;

/** Who was silent for so long has gone. */
const GONE_MS = 10_000;

export class Watchers {
  readonly #heardMs = new Map<string, number>();

  /** @returns false when there are as many others as there may be */
  admit(id: string, nowMs: number): boolean {
    for (const [other, heardMs] of this.#heardMs) {
      if (nowMs - heardMs >= GONE_MS) this.#heardMs.delete(other);
    }
    if (!this.#heardMs.has(id) && this.#heardMs.size >= MOST_WATCHERS) return false;
    this.#heardMs.set(id, nowMs);
    return true;
  }
}

/** What who is not admitted is told. */
export const TOO_MANY_WATCHERS = {
  kind: "over_limit",
  detail: `At most ${MOST_WATCHERS} live streams of one object are open at once.`,
} as const;
