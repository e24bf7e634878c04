import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AccountRates, CHUNK_MS } from "../../../src/domain/account/account-rates.ts";
import { leavesMs } from "../../../src/domain/account/class-rates.ts";
import {
  beginMs,
  KEPT_PERIODS,
  lastSecondOf,
  periodOf,
  type RateBound,
} from "../../../src/domain/account/rate-bounds.ts";
import type { RateUnits } from "../../../src/domain/ledger/rate-limit.ts";

// What is written down of the rates bounds what was given, whenever the account's object dies.

const START_MS = 1_000_000_000_000;
const MINUTE = 60_000;
const LIMITS: Readonly<Record<string, number>> = { small: 12, large: 400 };
const limitOf = (name: string): number => LIMITS[name] ?? 0;

/** The account's object with its rows. */
class Account {
  readonly rows = new Map<number, RateBound>();
  #rates = new AccountRates([]);
  #clockMs = 0;
  writes = 0;

  restart(): void {
    this.#rates = new AccountRates([...this.rows.values()]);
    this.#clockMs = this.#rates.writtenMs;
  }

  ask(tenant: string, calls: readonly RateUnits[], wallMs: number, more: RateUnits = {}) {
    this.#clockMs = Math.max(this.#clockMs, wallMs);
    const { answer, bound } = this.#rates.take({ tenant, calls, more }, limitOf, this.#clockMs);
    if (bound !== null) {
      this.writes += 1;
      this.rows.set(bound.period % KEPT_PERIODS, bound);
    }
    return answer.permits;
  }

  units(tenant: string, name: string, count: number, wallMs: number): number {
    const calls = Array.from({ length: count }, () => ({ [name]: 1 }));
    return this.ask(tenant, calls, wallMs)[name]?.units ?? 0;
  }
}

const anyStep = fc.record({
  tenant: fc.constantFrom("a", "b", "c"),
  small: fc.nat(4),
  large: fc.nat(60),
  waitMs: fc.oneof(fc.nat(900), fc.nat(9_000), fc.constantFrom(5_000, 20_000, 61_000)),
  /** When in their life permits are used. */
  usedAfter: fc.nat(999),
  /** It dies after it wrote, and before anybody hears; or after that. */
  dies: fc.constantFrom(null, null, null, "unheard", "heard"),
});

describe("what was written of the rates", () => {
  it("bounds every rolling minute, whenever the object dies and whenever permits are used", () => {
    let deaths = 0;
    fc.assert(
      fc.property(fc.array(anyStep, { minLength: 10, maxLength: 90, size: "max" }), (steps) => {
        const account = new Account();
        const used: Record<string, { readonly atMs: number; readonly units: number }[]> = {};
        let nowMs = START_MS;
        for (const { tenant, small, large, waitMs, usedAfter, dies } of steps) {
          nowMs += waitMs;
          const permits = account.ask(tenant, [{ small }, { large }], nowMs, { large: 2 * large });
          for (const [name, { units, forMs }] of Object.entries(permits)) {
            if (dies === "unheard") continue;
            const atMs = nowMs + Math.floor((forMs * usedAfter) / 1000);
            (used[name] ??= []).push({ atMs, units });
          }
          if (dies === null) continue;
          deaths += 1;
          account.restart();
        }
        for (const [name, of] of Object.entries(used)) {
          for (const { atMs: from } of of) {
            const within = of
              .filter(({ atMs }) => atMs >= from && atMs < from + MINUTE)
              .reduce((sum, { units }) => sum + units, 0);
            expect(within, name).toBeLessThanOrEqual(limitOf(name));
          }
        }
      }),
      { numRuns: 300 },
    );
    expect(deaths).toBeGreaterThan(1_000);
  });

  it("has left the minute when its row is written over", () => {
    for (let period = periodOf(START_MS); period < periodOf(START_MS) + 20; period += 1) {
      const row = { period, units: {} };
      const over = { period: period + KEPT_PERIODS, units: {} };
      expect(leavesMs(lastSecondOf(row, CHUNK_MS / 1000))).toBeLessThanOrEqual(beginMs(over));
    }
  });

  it("is twice of what was given at most, and never more than the limit", () => {
    const account = new Account();
    expect(account.units("a", "small", 3, START_MS)).toBe(3);
    expect([...account.rows.values()].map(({ units }) => units)).toEqual([{ small: 6 }]);
    account.restart();
    expect(account.units("b", "small", 12, START_MS + 10_000)).toBe(6);
    const [, second] = account.rows.values();
    expect(second?.units).toEqual({ small: 6 });
    expect(account.units("c", "small", 1, START_MS + 69_999)).toBe(0);
    expect(account.units("c", "small", 12, START_MS + 70_000)).toBe(6);
  });

  it("does not grow faster than it is given, however often the object dies within five seconds", () => {
    const account = new Account();
    for (let times = 0; times < 6; times += 1) {
      expect(account.units("a", "large", 1, START_MS + times)).toBe(1);
      account.restart();
    }
    expect([...account.rows.values()].map(({ units }) => units)).toEqual([{ large: 12 }]);
  });

  it("is one row for a call that comes alone, and few for many", () => {
    const account = new Account();
    for (let at = 0; at < 40; at += 1) {
      account.ask("a", [{ small: 1, large: 1 }], START_MS + at * 6_000, { large: 2 });
      expect(account.writes).toBe(at + 1);
    }
    expect(account.rows.size).toBe(KEPT_PERIODS);
    const before = account.writes;
    for (let at = 0; at < 100; at += 1) {
      account.ask(`t${at % 10}`, [{ large: 1 }], START_MS + 400_000 + at * 40);
    }
    expect(account.writes - before).toBeLessThanOrEqual(8);
  });

  it("leaves the clock no earlier than the five seconds that were written last", () => {
    const account = new Account();
    account.units("a", "small", 12, START_MS + 4_000);
    account.restart();
    // Its machine's clock is behind by a minute.
    expect(account.units("a", "small", 1, START_MS - MINUTE)).toBe(0);
    expect([...account.rows.values()].map(({ period }) => period)).toEqual([periodOf(START_MS)]);
  });

  it("is nobody's share after that: the rest is shared evenly", () => {
    const account = new Account();
    account.units("a", "large", 100, START_MS);
    account.restart();
    // Of 400 as many as 200 count as used.
    expect(account.units("greedy", "large", 300, START_MS + 6_000)).toBe(200);
    expect(account.units("b", "large", 1, START_MS + 6_000)).toBe(0);
    // These have left the minute, and what greedy took since has not.
    expect(account.units("greedy", "large", 300, START_MS + 70_500)).toBe(0);
    expect(account.units("b", "large", 300, START_MS + 70_500)).toBe(200);
  });
});
