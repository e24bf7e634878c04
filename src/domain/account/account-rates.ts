import { ClassRates } from "./class-rates.ts";
import { beginMs, lastSecondOf, type RateBound, RateBounds } from "./rate-bounds.ts";
import { fitsAtMs, type RateClass, type RateUnits, type Window } from "../ledger/rate-limit.ts";

// Rates of the whole Cloudflare account, per class: whatever the number of tenants, no rolling minute
// admits more than the limit. Tenants' objects ask for permits and admit calls with them. A permit is
// counted in one of the one-second buckets of `rate-limit.ts` and may be used until that second is
// over: whenever it really is used, it still counts for the minute after that. One that is not used
// lapses.

/** Classes of at most this many a minute are asked for call by call, larger ones taken in chunks. */
export const ASKED_UP_TO = 300;

/**
 * How long a permit may be used at least: long enough for its way to the tenant's object, where a call
 * waits for it. At most a second longer.
 */
const PERMIT_MS = 250;

/** The same for the permits of a chunk. */
export const CHUNK_MS = 5_000;

/** Who was refused is thought to want more for this long, or until it was told to come back. */
const HUNGRY_MS = 60_000;

export interface RateRequest {
  readonly tenant: string;
  /** What each call that waits still lacks. All of it, or nothing, is counted. */
  readonly calls: readonly RateUnits[];
  /** Units that it may use beyond these within some seconds, of classes that come in chunks. */
  readonly more: RateUnits;
}

export interface Permits {
  readonly units: number;
  /** How long they may be used, from before they were asked for. */
  readonly forMs: number;
}

/** How a class stood for a tenant that was refused. */
export interface ClassRefusal {
  readonly limit: number;
  readonly remaining: number;
  readonly fitsAtMs: number;
}

export interface RateAnswer {
  readonly permits: Readonly<Record<RateClass, Permits>>;
  readonly refused: Readonly<Record<RateClass, ClassRefusal>>;
}

export interface Taken {
  readonly answer: RateAnswer;
  /** To be written down before the answer is given; null: what is written covers it. */
  readonly bound: RateBound | null;
}

type LimitOf = (name: RateClass) => number;

/** Changed in place, by a clock that never goes back. */
export class AccountRates {
  readonly #classes = new Map<RateClass, ClassRates>();
  readonly #bounds: RateBounds;
  /** The clock has been there. */
  readonly writtenMs: number;

  /** @param written what was written down: all of that counts as used */
  constructor(written: readonly RateBound[]) {
    this.#bounds = new RateBounds(written);
    this.writtenMs = Math.max(0, ...written.map(beginMs));
    for (const bound of written) {
      const second = lastSecondOf(bound, CHUNK_MS / 1000);
      for (const [name, units] of Object.entries(bound.units)) {
        this.#class(name).countNobodys(units, second);
      }
    }
  }

  /** Nodes of trees that were looked at, for tests that count them. */
  get steps(): number {
    return [...this.#classes.values()].reduce((sum, { steps }) => sum + steps, 0);
  }

  /** Who took something within the minute, or wants more, by class. */
  get takers(): number {
    return [...this.#classes.values()].reduce((sum, { takers }) => sum + takers, 0);
  }

  take({ tenant, calls, more }: RateRequest, limitOf: LimitOf, nowMs: number): Taken {
    this.advance(nowMs);
    const taking = new Taking(tenant, (name) => this.#class(name), { limitOf, nowMs });
    for (const call of calls) taking.call(call);
    for (const [name, units] of Object.entries(more)) taking.chunk(name, units);
    const { answer, given } = taking.done();
    const freeOf = (name: RateClass) => limitOf(name) - this.#class(name).total;
    return { answer, bound: this.#bounds.give(given, freeOf, nowMs) };
  }

  /** What all took within the minute, by class. */
  windows(nowMs: number): ReadonlyMap<RateClass, Window> {
    this.advance(nowMs);
    return new Map([...this.#classes].map(([name, { window }]) => [name, window]));
  }

  /** What was taken a minute ago is forgotten. */
  advance(nowMs: number): void {
    for (const [name, of] of this.#classes) {
      of.advance(nowMs);
      if (of.isEmpty) this.#classes.delete(name);
    }
  }

  #class(name: RateClass): ClassRates {
    const known = this.#classes.get(name);
    if (known !== undefined) return known;
    const fresh = new ClassRates();
    this.#classes.set(name, fresh);
    return fresh;
  }
}

/** One ask in progress. */
class Taking {
  readonly #tenant: string;
  readonly #classOf: (name: RateClass) => ClassRates;
  readonly #limitOf: LimitOf;
  readonly #nowMs: number;
  readonly #given = new Map<RateClass, number>();
  readonly #refused: Record<RateClass, ClassRefusal> = {};

  constructor(
    tenant: string,
    classOf: (name: RateClass) => ClassRates,
    { limitOf, nowMs }: { readonly limitOf: LimitOf; readonly nowMs: number },
  ) {
    this.#tenant = tenant;
    this.#classOf = classOf;
    this.#limitOf = limitOf;
    this.#nowMs = nowMs;
  }

  call(units: RateUnits): void {
    const wanted = Object.entries(units).filter(([, count]) => count > 0);
    const short = wanted.filter(([name, count]) => count > this.#left(name));
    for (const [name, count] of short) this.#refuse(name, count);
    if (short.length > 0) return;
    for (const [name, count] of wanted) this.#count(name, count);
  }

  /** Only what nobody else would miss: a quarter of what the tenant could still have. */
  chunk(name: RateClass, units: number): void {
    if (this.#limitOf(name) <= ASKED_UP_TO || this.#refused[name] !== undefined) return;
    const count = Math.min(units, Math.floor(this.#left(name) / 4));
    if (count > 0) this.#count(name, count);
  }

  done(): { readonly answer: RateAnswer; readonly given: RateUnits } {
    const permits = Object.fromEntries(
      [...this.#given].map(([name, units]) => [
        name,
        { units, forMs: this.#endOfLifeMs(name) - this.#nowMs },
      ]),
    );
    const answer = { permits, refused: this.#refused };
    return { answer, given: Object.fromEntries(this.#given) };
  }

  /** What the tenant could still have. */
  #left(name: RateClass): number {
    const of = this.#classOf(name);
    const limit = this.#limitOf(name);
    return Math.min(limit - of.total, of.fairUnits(this.#tenant, limit) - of.took(this.#tenant));
  }

  #count(name: RateClass, count: number): void {
    this.#classOf(name).count(this.#tenant, count, this.#endOfLifeMs(name) / 1000 - 1);
    this.#given.set(name, (this.#given.get(name) ?? 0) + count);
  }

  #refuse(name: RateClass, count: number): void {
    const of = this.#classOf(name);
    const limit = this.#limitOf(name);
    const free = limit - of.total;
    const fits =
      free < count
        ? fitsAtMs({ [name]: of.window }, { name, limit, units: count }, this.#nowMs)
        : // There is room, and it is others': the tenant's own share comes back with its own units.
          (of.leavesFirstMs(this.#tenant) ?? this.#nowMs + 1000);
    this.#refused[name] ??= { limit, remaining: Math.max(0, free), fitsAtMs: fits };
    of.want(this.#tenant, Math.max(this.#nowMs + HUNGRY_MS, fits + 1000));
  }

  /** When the second is over in which a permit of now is counted. */
  #endOfLifeMs(name: RateClass): number {
    const atLeastMs = this.#limitOf(name) <= ASKED_UP_TO ? PERMIT_MS : CHUNK_MS;
    return (Math.floor((this.#nowMs + atLeastMs) / 1000) + 1) * 1000;
  }
}
