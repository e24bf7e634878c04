import { ClassRates } from "./class-rates.ts";
import { beginMs, lastSecondOf, type RateBound, RateBounds } from "./rate-bounds.ts";
import { fitsAtMs, type RateClass, type RateUnits, type Window } from "../ledger/rate-limit.ts";

// Rates of the whole Cloudflare account, per class: for any number of tenants, no rolling minute admits more
// than the limit. Tenants' objects ask for permits and admit calls with them. A permit is counted in one of
// the one-second buckets of `rate-limit.ts` and may be used until that second ends, so it counts for a full
// minute after its use. A permit that is not used lapses.

/** Permits of classes up to this limit a minute are requested for each call; larger classes use chunks. */
export const ASKED_UP_TO = 300;

/**
 * The least time for which a permit may be used: enough for its way to the tenant's object, where a call
 * waits for it. It may last up to a second longer.
 */
const PERMIT_MS = 250;

/** The same for the permits of a chunk. */
export const CHUNK_MS = 5_000;

/** For this long after a refusal, or until its retry time, a tenant is in line for more. */
const IN_LINE_MS = 60_000;

export interface RateRequest {
  readonly tenant: string;
  /** The units that each waiting call still lacks. A call gets all of its units or none. */
  readonly calls: readonly RateUnits[];
  /** Further units that it may use within some seconds, of classes with chunks. */
  readonly more: RateUnits;
}

export interface Permits {
  readonly units: number;
  /** How long they may be used, counted from before the request was sent. */
  readonly forMs: number;
}

/** The state of a class for a tenant that was refused. */
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
  /** The row to write before the answer is sent; null: the written rows cover it. */
  readonly bound: RateBound | null;
}

type LimitOf = (name: RateClass) => number;

/** It is changed in place, with a clock that never goes back. */
export class AccountRates {
  readonly #classes = new Map<RateClass, ClassRates>();
  readonly #bounds: RateBounds;
  /** A time that the clock has already reached. */
  readonly writtenMs: number;

  /** @param written the rows that were written: all their units count as used */
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

  /** Visited nodes of the trees, for tests that count them. */
  get steps(): number {
    return [...this.#classes.values()].reduce((sum, { steps }) => sum + steps, 0);
  }

  /** The number of tenants, summed over classes, that took units within the minute or are in line. */
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

  /** The units that all tenants took within the minute, by class. */
  windows(nowMs: number): ReadonlyMap<RateClass, Window> {
    this.advance(nowMs);
    return new Map([...this.#classes].map(([name, { window }]) => [name, window]));
  }

  /** Forgets units that were taken more than a minute ago. */
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

/** One request in progress. */
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

  /** At most a quarter of what the tenant could still get, so that nobody else lacks it. */
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

  /** The units that the tenant could still get. */
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
        : // There is room for others only: the tenant's share is free again when its own units leave.
          (of.leavesFirstMs(this.#tenant) ?? this.#nowMs + 1000);
    this.#refused[name] ??= { limit, remaining: Math.max(0, free), fitsAtMs: fits };
    of.want(this.#tenant, Math.max(this.#nowMs + IN_LINE_MS, fits + 1000));
  }

  /** The end of the second in which a permit that is given now is counted. */
  #endOfLifeMs(name: RateClass): number {
    const atLeastMs = this.#limitOf(name) <= ASKED_UP_TO ? PERMIT_MS : CHUNK_MS;
    return (Math.floor((this.#nowMs + atLeastMs) / 1000) + 1) * 1000;
  }
}
