import type { Missing } from "../../../src/domain/account/account-budget.ts";
import type { ClassRefusal, RateAnswer } from "../../../src/domain/account/account-rates.ts";
import type { Outlook } from "../../../src/domain/account/pool-refusal.ts";
import type { PoolSizes } from "../../../src/domain/account/pool.ts";
import type { MicroNeurons } from "../../../src/domain/ledger/micro-neurons.ts";
import type { Day } from "../../../src/domain/ledger/period.ts";
import type { RateClass, RateUnits } from "../../../src/domain/ledger/rate-limit.ts";
import type { AccountAnswer, AccountMessage, AccountView } from "../../account/account-protocol.ts";

// What the account last answered, in memory alone: permits for calls of its rate classes, and its pool. What
// a restart forgets of the permits has lapsed a few seconds later anyway, and the account has counted it.

interface Bundle {
  units: number;
  readonly fromMs: number;
  readonly untilMs: number;
}

export class RatePermits {
  readonly #bundles = new Map<RateClass, Bundle[]>();
  readonly #refused = new Map<RateClass, ClassRefusal>();
  /** Units taken since the last request: the next one asks for as many more. */
  readonly #taken = new Map<RateClass, number>();

  left(name: RateClass, wallMs: number): number {
    return this.#live(name, wallMs).reduce((sum, { units }) => sum + units, 0);
  }

  refused(name: RateClass): ClassRefusal | null {
    return this.#refused.get(name) ?? null;
  }

  take(name: RateClass, count: number, wallMs: number): void {
    let missing = count;
    for (const bundle of this.#live(name, wallMs)) {
      const units = Math.min(missing, bundle.units);
      bundle.units -= units;
      missing -= units;
    }
    this.#taken.set(name, (this.#taken.get(name) ?? 0) + count);
  }

  /** What it may use soon beyond what it needs now: twice of what it used. */
  more(names: Iterable<RateClass>): RateUnits {
    return Object.fromEntries(
      [...names].map((name) => {
        const taken = this.#taken.get(name) ?? 0;
        this.#taken.delete(name);
        return [name, 2 * taken];
      }),
    );
  }

  /**
   * @param askedMs by the wall clock, before the request was sent: the permits hold from then on
   * @param shiftMs from the account's clock to the object's
   */
  add({ permits, refused }: RateAnswer, sentMs: number, shiftMs: number): void {
    for (const [name, { units, forMs }] of Object.entries(permits)) {
      const bundle = { units, fromMs: sentMs, untilMs: sentMs + forMs };
      this.#bundles.set(name, [...this.#live(name, sentMs), bundle]);
      this.#refused.delete(name);
    }
    for (const [name, refusal] of Object.entries(refused)) {
      this.#refused.set(name, { ...refusal, fitsAtMs: refusal.fitsAtMs + shiftMs });
    }
  }

  clear(): void {
    this.#bundles.clear();
    this.#refused.clear();
  }

  forgetRefusals(): void {
    this.#refused.clear();
  }

  /** A clock that goes back makes no permit last longer. */
  #live(name: RateClass, wallMs: number): Bundle[] {
    const live = (this.#bundles.get(name) ?? []).filter(
      ({ units, fromMs, untilMs }) => units > 0 && fromMs <= wallMs && wallMs < untilMs,
    );
    if (live.length === 0) this.#bundles.delete(name);
    else this.#bundles.set(name, live);
    return live;
  }
}

/**
 * Permits hold no longer than this, so an admitted call has sizes of the last seconds. A call that is
 * too large for older sizes goes to the account, which may have larger ones by then.
 */
const SIZES_MS = 6_000;

/** A quote is about this moment. */
const OUTLOOK_MS = 1_000;

interface Kept<What> {
  readonly what: What;
  readonly day: Day;
  readonly atMs: number;
}

/**
 * The account's pool as it was a moment ago, in memory alone: an object that starts anew gets it with the
 * next answer.
 */
export class PoolMemory {
  #sizes: Kept<PoolSizes> | null = null;
  #outlook: Kept<Outlook> | null = null;

  keepSizes({ sizes }: AccountView, nowMs: number): void {
    this.#sizes = sizes === null ? null : { what: sizes, day: sizes.day, atMs: nowMs };
  }

  keepOutlook(
    { look }: AccountMessage,
    { outlook }: Extract<AccountAnswer, { kind: "answered" }>,
    nowMs: number,
  ): void {
    if (outlook !== null && look !== null) {
      this.#outlook = { what: outlook, day: look, atMs: nowMs };
    }
  }

  /** The most that one call may hold, if its tenant's floor is not larger; null: not known. */
  holdCap(day: Day, nowMs: number): MicroNeurons | null {
    return within(SIZES_MS, this.#sizes, day, nowMs)?.holdCap ?? null;
  }

  /** Of that day; null: not known. */
  chunk(day: Day): MicroNeurons | null {
    return this.#sizes?.day === day ? this.#sizes.what.chunk : null;
  }

  /** How much more the tenant could have a moment ago; null: not known. */
  outlook(day: Day, nowMs: number): Outlook | null {
    return within(OUTLOOK_MS, this.#outlook, day, nowMs);
  }
}

const within = <What>(ms: number, kept: Kept<What> | null, day: Day, nowMs: number): What | null =>
  kept !== null && kept.day === day && kept.atMs > nowMs - ms ? kept.what : null;

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
