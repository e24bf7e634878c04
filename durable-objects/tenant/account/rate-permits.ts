import type { ClassRefusal, RateAnswer } from "../../../src/domain/account/account-rates.ts";
import type { RateClass, RateUnits } from "../../../src/domain/ledger/rate-limit.ts";

// Permits for calls of the account's rate classes, in memory alone: what a restart forgets has lapsed
// a few seconds later anyway, and the account has counted it.

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
  add({ permits, refused }: RateAnswer, askedMs: number, shiftMs: number): void {
    for (const [name, { units, forMs }] of Object.entries(permits)) {
      const bundle = { units, fromMs: askedMs, untilMs: askedMs + forMs };
      this.#bundles.set(name, [...this.#live(name, askedMs), bundle]);
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
