// Who may have a connection. An object has six at once; endpoints that fail or are slow share three of
// them, so that they never wait on each other's account for longer than those who answer at once.

/** The platform's limit: more would wait there, in no order of ours. */
const MOST = 6;

/** Of endpoints that fail or are slow. */
const MOST_SLOW = 3;

interface Waiting {
  readonly isSlow: boolean;
  readonly begin: () => void;
}

export class Connections {
  #used = 0;
  #slow = 0;
  #waiting: Waiting[] = [];

  /** Runs when there is room: first come, first served, among those alike. */
  async use<Result>(isSlow: boolean, work: () => Promise<Result>): Promise<Result> {
    await new Promise<void>((begin) => {
      this.#waiting.push({ isSlow, begin });
      this.#admit();
    });
    try {
      return await work();
    } finally {
      this.#used -= 1;
      if (isSlow) this.#slow -= 1;
      this.#admit();
    }
  }

  #admit(): void {
    while (this.#used < MOST) {
      const at = this.#waiting.findIndex(({ isSlow }) => !isSlow || this.#slow < MOST_SLOW);
      const [next] = at === -1 ? [] : this.#waiting.splice(at, 1);
      if (next === undefined) return;
      this.#used += 1;
      if (next.isSlow) this.#slow += 1;
      next.begin();
    }
  }
}
