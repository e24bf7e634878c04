import { type Day, endOf } from "../../src/domain/ledger/period.ts";
import type { Expiry } from "./feature.ts";
import type { Profile } from "./profile-store.ts";

// When the first row of each kind is past its retention: the alarm is needed then, and not before.

export class Expiries {
  readonly #all: readonly Expiry[];
  readonly #known = new Map<Expiry, { readonly writes: number; readonly dueMs: number | null }>();
  /** Of the settings for which the known times hold. */
  #version = 0;

  constructor(all: readonly Expiry[]) {
    this.#all = all;
  }

  /** Rows were deleted, or may be there that were not: all is looked up again. */
  forget(): void {
    this.#known.clear();
  }

  /** When the first of all is to go; Infinity: nothing ever will be, as things are. */
  dueMs(profile: Profile): number {
    if (this.#all.some(({ isOverdue }) => isOverdue?.() === true)) return 0;
    if (profile.version !== this.#version) this.forget();
    this.#version = profile.version;
    let firstMs = Infinity;
    for (const expiry of this.#all) {
      firstMs = Math.min(firstMs, this.#dueMs(expiry, profile) ?? Infinity);
    }
    return firstMs;
  }

  #dueMs(expiry: Expiry, profile: Profile): number | null {
    const known = this.#known.get(expiry);
    const writes = expiry.writes();
    if (known !== undefined && (known.dueMs !== null || known.writes === writes)) {
      return known.dueMs;
    }
    const dueMs = expiry.dueMs(profile);
    this.#known.set(expiry, { writes, dueMs });
    return dueMs;
  }
}

/** The first millisecond at which something made then was kept for longer than that. */
export const expiresAfter = (madeMs: number | null, keptMs: number): number | null =>
  madeMs === null ? null : madeMs + keptMs + 1;

/** The end of a day, or of one that follows so many days later. */
export const endOfDay = (day: Day | null, days = 0): number | null =>
  day === null ? null : endOf(day + days);
