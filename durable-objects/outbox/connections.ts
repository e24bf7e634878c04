// Who may have a connection. An object has six at once. Those to endpoints that fail or are slow, and to
// those of which nothing is known yet, are bounded, so that hosts that hang leave room for the others.

/** The platform's limit: more would wait there, in no order of ours. */
const MOST = 6;

/** Of endpoints that are down or slow. */
const MOST_SLOW = 3;

/** Of these and of new ones together: so many are left for endpoints that answered at once. */
const MOST_UNPROVEN = 4;

/** What is known of an endpoint: `quick`: its last answer was. */
export type Pace = "quick" | "new" | "slow";

interface Waiting {
  readonly pace: Pace;
  readonly begin: () => void;
}

export class Connections {
  readonly #used = { quick: 0, new: 0, slow: 0 };
  #waiting: Waiting[] = [];

  /** Runs when there is room: first come, first served, among those alike. */
  async use<Result>(pace: Pace, work: () => Promise<Result>): Promise<Result> {
    await new Promise<void>((begin) => {
      this.#waiting.push({ pace, begin });
      this.#admit();
    });
    try {
      return await work();
    } finally {
      this.#used[pace] -= 1;
      this.#admit();
    }
  }

  #hasRoom(pace: Pace): boolean {
    const { quick, new: fresh, slow } = this.#used;
    if (quick + fresh + slow >= MOST) return false;
    if (pace === "quick") return true;
    return fresh + slow < MOST_UNPROVEN && (pace === "new" || slow < MOST_SLOW);
  }

  #admit(): void {
    for (;;) {
      const at = this.#waiting.findIndex(({ pace }) => this.#hasRoom(pace));
      const [next] = at === -1 ? [] : this.#waiting.splice(at, 1);
      if (next === undefined) return;
      this.#used[next.pace] += 1;
      next.begin();
    }
  }
}
