import { ZERO } from "../../src/domain/micro-neurons.ts";
import { type Day, dayOf } from "../../src/domain/period.ts";
import {
  type LeaseRecall,
  missingOf,
  recallsFor,
  withUnused,
} from "../../src/domain/pool-recall.ts";
import { type Share, shareKey } from "../../src/domain/pool.ts";
import type { PoolBook } from "./pool-book.ts";

/** How long after its end a lease is asked back that its tenant did not give back by itself. */
const OVERDUE_MS = 60_000;

/** Between two times that a tenant is asked, if it answered the first time, and if not. */
const RECALL_EVERY_MS = 1_000;
const RECALL_AGAIN_MS = 10_000;

/** A share whose tenant is to be asked for what it does not use. */
export interface Recall extends LeaseRecall {
  readonly day: Day;
}

/**
 * Which tenants the account asks for unused leases, and when. That a tenant was asked is kept in memory
 * only: after a restart it is asked once more.
 */
export class PoolRecalls {
  readonly #book: PoolBook;
  /** When each was asked last, and the number of its latest message then. */
  readonly #asked = new Map<string, { readonly atMs: number; readonly seq: number }>();

  constructor(book: PoolBook) {
    this.#book = book;
  }

  /** Those that have so much of today. */
  forAmount(day: Day, missing: number, nowMs: number): readonly Recall[] {
    if (missing === 0) return [];
    const pool = this.#book.pool(day);
    const recalls = recallsFor(pool, missing, nowMs, (share) => this.#mayAsk(day, share, nowMs));
    return this.#noted(day, recalls, nowMs);
  }

  /** What others wait for, and leases that ended a while ago. */
  due(nowMs: number): readonly Recall[] {
    this.#forget(nowMs);
    const today = dayOf(nowMs);
    const waitedFor = this.forAmount(today, missingOf(this.#book.pool(today), nowMs), nowMs);
    return [...waitedFor, ...DAYS.flatMap((back) => this.#overdue(today - back, nowMs))];
  }

  /** Null: nobody has anything that it may not use. */
  nextDueMs(nowMs: number): number | null {
    const today = dayOf(nowMs);
    const held = DAYS.flatMap((back) => withUnused(this.#book.pool(today - back)));
    if (held.length === 0) return null;
    if (missingOf(this.#book.pool(today), nowMs) > 0) return nowMs + RECALL_EVERY_MS;
    const endMs = Math.min(...held.map((share) => share.deadlineMs));
    return Math.max(nowMs + RECALL_EVERY_MS, endMs + OVERDUE_MS);
  }

  #overdue(day: Day, nowMs: number): readonly Recall[] {
    const overdue = withUnused(this.#book.pool(day))
      .filter((share) => share.deadlineMs + OVERDUE_MS <= nowMs)
      .filter((share) => this.#mayAsk(day, share, nowMs))
      .map(({ tenant, life }) => ({ tenant, life, keep: ZERO }));
    return this.#noted(day, overdue, nowMs);
  }

  /** At once if it was granted something since it answered; so its own questions bound these. */
  #mayAsk(day: Day, share: Share, nowMs: number): boolean {
    const before = this.#asked.get(keyOf(day, share));
    if (before === undefined || before.atMs <= nowMs - RECALL_AGAIN_MS) return true;
    if (share.seq > before.seq + 1) return true;
    return share.seq > before.seq && before.atMs <= nowMs - RECALL_EVERY_MS;
  }

  #noted(day: Day, recalls: readonly LeaseRecall[], nowMs: number): readonly Recall[] {
    const { shares } = this.#book.pool(day);
    for (const recall of recalls) {
      const seq = shares.get(shareKey(recall))?.seq ?? 0;
      this.#asked.set(keyOf(day, recall), { atMs: nowMs, seq });
    }
    return recalls.map((recall) => ({ ...recall, day }));
  }

  #forget(nowMs: number): void {
    for (const [key, { atMs }] of this.#asked) {
      if (atMs <= nowMs - RECALL_AGAIN_MS) this.#asked.delete(key);
    }
  }
}

/** Of the day before, what a month's cap counts as gone may still come back. */
const DAYS = [0, 1];

const keyOf = (day: Day, share: Pick<Share, "tenant" | "life">): string =>
  `${day}/${shareKey(share)}`;
