import type { Missing } from "../../../src/domain/account/account-budget.ts";
import type { AccountAnswer } from "../../account/account-protocol.ts";

/** Calls in one message; the rest wait for the next. */
const MOST_CALLS = 256;

export type Answered = Extract<AccountAnswer, { kind: "answered" }>;

export interface QueueDeps {
  /** Null: the account did not answer. */
  readonly ask: (missing: readonly Missing[]) => Promise<Answered | null>;
  /** How long the next question waits after this answer. */
  readonly pauseMs: (answer: Answered | null) => number;
  readonly sleep: (ms: number) => Promise<void>;
}

interface Waiting {
  readonly missing: Missing;
  readonly resolve: (answered: boolean) => void;
}

/** Calls that wait for the account: those that gather while one message is out share the next. */
export class AccountQueue {
  readonly #deps: QueueDeps;
  #waiting: Waiting[] = [];
  #isDraining = false;
  #pause: Promise<void> | null = null;

  constructor(deps: QueueDeps) {
    this.#deps = deps;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Resolves when the account has answered for what a call lacks; false: it did not. */
  request(missing: Missing): Promise<boolean> {
    return new Promise((resolve) => {
      this.#waiting.push({ missing, resolve });
      if (!this.#isDraining) void this.#drain();
    });
  }

  async #drain(): Promise<void> {
    this.#isDraining = true;
    // All calls of one commit wait by the next turn of the queue.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      // oxlint-disable-next-line no-await-in-loop -- more calls gather meanwhile
      await this.#pause;
      const some = this.#waiting.splice(0, MOST_CALLS);
      // oxlint-disable-next-line no-await-in-loop -- the next calls gather while this one is asked
      const answer = await this.#deps.ask(some.map(({ missing }) => missing));
      const answered = answer !== null;
      this.#pauseAfter(answer);
      for (const { resolve } of some) resolve(answered);
      // Calls that wait are refused by this answer too: none waits for the same one.
      const isOver = answer === null || isRefused(answer);
      if (isOver) for (const { resolve } of this.#waiting.splice(0)) resolve(answered);
    }
    this.#isDraining = false;
  }

  #pauseAfter(answer: Answered | null): void {
    const ms = this.#deps.pauseMs(answer);
    if (ms === 0) return;
    const pause = this.#deps.sleep(ms);
    this.#pause = pause;
    void pause.then(() => {
      if (this.#pause === pause) this.#pause = null;
    });
  }
}

export const isLeaseRefused = ({ lease }: Answered): boolean =>
  lease !== null && "refused" in lease && lease.refused !== null;

const isRefused = (answer: Answered): boolean =>
  isLeaseRefused(answer) || Object.keys(answer.rates?.refused ?? {}).length > 0;
