import { ZERO } from "../../../src/domain/ledger/micro-neurons.ts";
import { type Day, dayOf } from "../../../src/domain/ledger/period.ts";
import { type LeaseRecall, recallsFor } from "../../../src/domain/account/pool-recall.ts";
import { RECALL_EVERY_MS } from "../../../src/domain/account/unused-leases.ts";
import type { PoolCache } from "./pool-cache.ts";

/** How long after its end a lease is recalled that its tenant did not give back by itself. */
const OVERDUE_MS = 60_000;

/** Ended leases that one alarm recalls. */
const MOST_OVERDUE = 50;

/** A share whose tenant must give back what it does not use. */
export interface Recall extends LeaseRecall {
  readonly day: Day;
}

/** Which unused leases the account recalls, and when. */
export class PoolRecalls {
  readonly #cache: PoolCache;

  constructor(cache: PoolCache) {
    this.#cache = cache;
  }

  /** Those whose unused leases of the day come to this amount. */
  forAmount(day: Day, missing: number, nowMs: number): readonly Recall[] {
    if (missing === 0) return [];
    return this.#noted(day, recallsFor(this.#cache.pool(day), missing, nowMs), nowMs);
  }

  /** Leases that others wait for, and leases that ended a while ago. */
  due(nowMs: number): readonly Recall[] {
    const today = dayOf(nowMs);
    const waitedFor = this.forAmount(today, this.#lack(today, nowMs), nowMs);
    return [...waitedFor, ...DAYS.flatMap((back) => this.#overdue(today - back, nowMs))];
  }

  /** Null: no tenant has a lease that it does not use. */
  nextDueMs(nowMs: number): number | null {
    const today = dayOf(nowMs);
    const ends = DAYS.flatMap((back) => this.#cache.pool(today - back).unused.firstEndMs ?? []);
    if (ends.length === 0) return null;
    if (this.#lack(today, nowMs) > 0) return nowMs + RECALL_EVERY_MS;
    return Math.max(nowMs + RECALL_EVERY_MS, Math.min(...ends) + OVERDUE_MS);
  }

  #lack(day: Day, nowMs: number): number {
    const pool = this.#cache.pool(day);
    pool.advance(nowMs);
    return pool.lack;
  }

  #overdue(day: Day, nowMs: number): readonly Recall[] {
    const { unused } = this.#cache.pool(day);
    unused.advance(nowMs);
    const overdue = unused
      .ended(nowMs - OVERDUE_MS, MOST_OVERDUE)
      .map(({ tenant, generation }) => ({ tenant, generation, keep: ZERO }));
    return this.#noted(day, overdue, nowMs);
  }

  #noted(day: Day, recalls: readonly LeaseRecall[], nowMs: number): readonly Recall[] {
    const { unused } = this.#cache.pool(day);
    for (const recall of recalls) unused.noteAsked(recall, nowMs);
    return recalls.map((recall) => ({ ...recall, day }));
  }
}

/** Today, and the day before: its unspent neurons, which a month's cap counts as gone, may come back. */
const DAYS = [0, 1];
