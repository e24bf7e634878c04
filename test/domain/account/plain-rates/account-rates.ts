import { fairUnits, type Taker } from "./fair-share.ts";
import type {
  ClassRefusal,
  RateAnswer,
  RateRequest,
} from "../../../../src/domain/account/account-rates.ts";
import {
  fitsAtMs,
  type RateClass,
  type RateUnits,
  type Window,
} from "../../../../src/domain/ledger/rate-limit.ts";

// The rules of the account's rates written plainly: all is worked out anew from what each tenant took, at
// each question. What `src/domain/account/account-rates.ts` keeps as sums is compared with it. A permit is counted
// in one of the one-second buckets of `rate-limit.ts` and may be used until that second is over: whenever
// it really is used, it still counts for the minute after that. One that is not used lapses.

/** Classes of at most this many a minute are asked for call by call, larger ones taken in chunks. */
const ASKED_UP_TO = 300;

/**
 * How long a permit may be used at least: long enough for its way to the tenant's object, where a call
 * waits for it. At most a second longer.
 */
const PERMIT_MS = 250;

/** The same for the permits of a chunk. */
const CHUNK_MS = 5_000;

/** Who was refused is thought to want more for this long, or until it was told to come back. */
const HUNGRY_MS = 60_000;

const BUCKETS_MS = 61_000;

/** What one tenant took of one class. */
export interface RateUse {
  readonly window: Window;
  /** It was refused, and is thought to want more until then. */
  readonly hungryUntilMs: number;
}

/** By class, then by tenant. */
export type RateUses = ReadonlyMap<RateClass, ReadonlyMap<string, RateUse>>;

export function takeRates(
  uses: RateUses,
  ask: RateRequest,
  limitOf: (name: RateClass) => number,
  nowMs: number,
): { readonly uses: RateUses; readonly answer: RateAnswer } {
  const taking = new Taking(uses, ask.tenant, limitOf, nowMs);
  for (const call of ask.calls) taking.call(call);
  for (const [name, units] of Object.entries(ask.more)) taking.chunk(name, units);
  return taking.done();
}

/** One ask in progress. */
class Taking {
  readonly #tenant: string;
  readonly #limitOf: (name: RateClass) => number;
  readonly #nowMs: number;
  readonly #uses: Map<RateClass, ReadonlyMap<string, RateUse>>;
  readonly #given = new Map<RateClass, number>();
  readonly #refused: Record<RateClass, ClassRefusal> = {};

  constructor(uses: RateUses, tenant: string, limitOf: (name: RateClass) => number, nowMs: number) {
    this.#tenant = tenant;
    this.#limitOf = limitOf;
    this.#nowMs = nowMs;
    this.#uses = new Map(uses);
  }

  call(units: RateUnits): void {
    const wanted = Object.entries(units).filter(([, count]) => count > 0);
    const short = wanted.filter(([name, count]) => !this.#fits(name, count));
    for (const [name, count] of short) this.#refuse(name, count);
    if (short.length > 0) return;
    for (const [name, count] of wanted) this.#count(name, count);
  }

  /** Only what nobody else would miss: a quarter of what the tenant could still have. */
  chunk(name: RateClass, units: number): void {
    if (this.#limitOf(name) <= ASKED_UP_TO || this.#refused[name] !== undefined) return;
    const { own, others, free } = this.#standing(name);
    const left = Math.min(free, fairUnits(this.#limitOf(name), others) - took(own, this.#nowMs));
    const count = Math.min(units, Math.floor(left / 4));
    if (count > 0) this.#count(name, count);
  }

  done(): { readonly uses: RateUses; readonly answer: RateAnswer } {
    const permits = Object.fromEntries(
      [...this.#given].map(([name, units]) => [
        name,
        { units, forMs: endOfLifeMs(this.#limitOf(name), this.#nowMs) - this.#nowMs },
      ]),
    );
    return { uses: this.#uses, answer: { permits, refused: this.#refused } };
  }

  #fits(name: RateClass, count: number): boolean {
    const { own, others, free } = this.#standing(name);
    if (count > free) return false;
    return took(own, this.#nowMs) + count <= fairUnits(this.#limitOf(name), others);
  }

  #standing(name: RateClass) {
    const uses = this.#uses.get(name) ?? new Map<string, RateUse>();
    const own = uses.get(this.#tenant) ?? { window: [], hungryUntilMs: 0 };
    const others: Taker[] = [];
    let total = took(own, this.#nowMs);
    for (const [tenant, use] of uses) {
      if (tenant === this.#tenant) continue;
      const taken = took(use, this.#nowMs);
      total += taken;
      others.push({ took: taken, isHungry: use.hungryUntilMs > this.#nowMs });
    }
    return { uses, own, others, free: this.#limitOf(name) - total };
  }

  #count(name: RateClass, count: number): void {
    const { uses, own } = this.#standing(name);
    const untilMs = endOfLifeMs(this.#limitOf(name), this.#nowMs);
    const window = added(own.window, count, { nowMs: this.#nowMs, untilMs });
    this.#uses.set(name, new Map(uses).set(this.#tenant, { ...own, window }));
    this.#given.set(name, (this.#given.get(name) ?? 0) + count);
  }

  #refuse(name: RateClass, count: number): void {
    const { uses, own, free } = this.#standing(name);
    const limit = this.#limitOf(name);
    const window = totalWindow(uses);
    const fits =
      free < count
        ? fitsAtMs({ [name]: window }, { name, limit, units: count }, this.#nowMs)
        : // There is room, and it is others': the tenant's own share comes back with its own units.
          leavesFirstMs(own.window.length > 0 ? own.window : window, this.#nowMs);
    this.#refused[name] ??= { limit, remaining: Math.max(0, free), fitsAtMs: fits };
    const hungryUntilMs = Math.max(this.#nowMs + HUNGRY_MS, fits + 1000);
    this.#uses.set(name, new Map(uses).set(this.#tenant, { ...own, hungryUntilMs }));
  }
}

/** When the second is over in which a permit of now is counted. */
function endOfLifeMs(limit: number, nowMs: number): number {
  const atLeastMs = limit <= ASKED_UP_TO ? PERMIT_MS : CHUNK_MS;
  return (Math.floor((nowMs + atLeastMs) / 1000) + 1) * 1000;
}

const took = ({ window }: RateUse, nowMs: number): number =>
  window.reduce((sum, [second, units]) => (leavesMs(second) > nowMs ? sum + units : sum), 0);

const leavesMs = (second: number): number => second * 1000 + BUCKETS_MS;

/** Never into a bucket before the last: a class whose permits live shorter than before counts later. */
function added(
  window: Window,
  count: number,
  { nowMs, untilMs }: { readonly nowMs: number; readonly untilMs: number },
): Window {
  const live = within(window, nowMs);
  const last = live.at(-1);
  const second = Math.max(untilMs / 1000 - 1, last?.[0] ?? 0);
  return last?.[0] === second
    ? [...live.slice(0, -1), [second, last[1] + count]]
    : [...live, [second, count]];
}

/** What all took, oldest first. */
function totalWindow(uses: ReadonlyMap<string, RateUse>): Window {
  const bySecond = new Map<number, number>();
  for (const { window } of uses.values()) {
    for (const [second, units] of window) bySecond.set(second, (bySecond.get(second) ?? 0) + units);
  }
  return [...bySecond].toSorted(([a], [b]) => a - b);
}

function leavesFirstMs(window: Window, nowMs: number): number {
  const first = window.find(([second]) => leavesMs(second) > nowMs);
  return first === undefined ? nowMs + 1000 : leavesMs(first[0]);
}

/** What has left the minute is forgotten, and with it those who want nothing more. */
export function forgotten(uses: RateUses, nowMs: number): RateUses {
  const kept = [...uses].map(([name, ofClass]) => {
    const live = [...ofClass]
      .map(([tenant, use]) => [tenant, { ...use, window: within(use.window, nowMs) }] as const)
      .filter(([, use]) => use.hungryUntilMs > nowMs || use.window.length > 0);
    return [name, new Map(live)] as const;
  });
  return new Map(kept);
}

const within = (window: Window, nowMs: number): Window =>
  window.filter(([second]) => leavesMs(second) > nowMs);
