import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AccountRates, type RateAnswer } from "../../../src/domain/account/account-rates.ts";
import type { RateUnits } from "../../../src/domain/ledger/rate-limit.ts";

const NOW = 1_000_000_000_000;
const MINUTE = 60_000;
const NONE = { units: 0, forMs: 0 };
const LIMITS: Readonly<Record<string, number>> = { text: 300, large: 2000, small: 10 };
const limitOf = (name: string): number => LIMITS[name] ?? 0;

/** The account's object, as far as rates are concerned. */
class Account {
  readonly #rates = new AccountRates([]);

  ask(
    tenant: string,
    calls: readonly RateUnits[],
    nowMs: number,
    more: RateUnits = {},
  ): RateAnswer {
    return this.#rates.take({ tenant, calls, more }, limitOf, nowMs).answer;
  }

  /** How many of `count` calls of one unit are let through. */
  take(tenant: string, name: string, count: number, nowMs: number): number {
    const calls = Array.from({ length: count }, () => ({ [name]: 1 }));
    return this.ask(tenant, calls, nowMs).permits[name]?.units ?? 0;
  }
}

describe("permits of a class", () => {
  it("are never used more often than the limit in any minute, whenever within their life", () => {
    const asks = fc.array(
      fc.record({
        tenant: fc.constantFrom("a", "b", "c", "d"),
        count: fc.integer({ min: 1, max: 6 }),
        waitMs: fc.nat(6_000),
        usedAfter: fc.integer({ min: 0, max: 999 }),
      }),
      { minLength: 10, maxLength: 80 },
    );
    fc.assert(
      fc.property(asks, (steps) => {
        const account = new Account();
        let nowMs = NOW;
        const used: number[] = [];
        for (const { tenant, count, waitMs, usedAfter } of steps) {
          nowMs += waitMs;
          const calls = Array.from({ length: count }, () => ({ small: 1 }));
          const { units, forMs } = account.ask(tenant, calls, nowMs).permits["small"] ?? NONE;
          for (let at = 0; at < units; at += 1) {
            used.push(nowMs + Math.floor((forMs * usedAfter) / 1000));
          }
        }
        for (const from of used) {
          const within = used.filter((atMs) => atMs >= from && atMs < from + MINUTE).length;
          expect(within).toBeLessThanOrEqual(10);
        }
      }),
      { numRuns: 300 },
    );
  });

  it("count in the second that they may be used in", () => {
    const account = new Account();
    const early = account.ask("a", [{ small: 1 }], NOW + 400).permits["small"];
    expect(early).toEqual({ units: 1, forMs: 600 });
    const late = account.ask("a", [{ small: 9 }], NOW + 900).permits["small"];
    expect(late).toEqual({ units: 9, forMs: 1100 });
    expect(account.take("a", "small", 10, NOW + 61_000)).toBe(1);
    expect(account.take("a", "small", 10, NOW + 61_999)).toBe(0);
    expect(account.take("a", "small", 10, NOW + 62_000)).toBe(9);
  });

  it("are all the account's for one tenant, and no more", () => {
    const account = new Account();
    expect(account.take("a", "text", 400, NOW)).toBe(300);
    expect(account.take("a", "text", 1, NOW + 60_999)).toBe(0);
    expect(account.take("b", "text", 1, NOW + 60_999)).toBe(0);
    expect(account.take("a", "text", 400, NOW + 61_000)).toBe(150);
    expect(account.take("b", "text", 400, NOW + 61_000)).toBe(150);
  });

  it("reach 98 % of the limit under a load that never ends", () => {
    const account = new Account();
    let got = 0;
    for (let nowMs = NOW; nowMs < NOW + 10 * MINUTE; nowMs += 397) {
      got += account.take("a", "text", 5, nowMs);
    }
    expect(got).toBeGreaterThanOrEqual(10 * 300 * 0.98);
  });

  it("are shared evenly by fifty tenants, whoever comes first", () => {
    const account = new Account();
    const got = new Map<string, number>();
    // They come in order, all the time: without fairness the first ten would have it all.
    for (let nowMs = NOW; nowMs < NOW + 5 * MINUTE; nowMs += 500) {
      for (let at = 0; at < 50; at += 1) {
        const taken = account.take(`t${at}`, "text", 2, nowMs);
        if (nowMs >= NOW + 2 * MINUTE) got.set(`t${at}`, (got.get(`t${at}`) ?? 0) + taken);
      }
    }
    const each = [...got.values()];
    expect(each.reduce((sum, taken) => sum + taken, 0)).toBeGreaterThanOrEqual(3 * 300 * 0.96);
    expect(Math.min(...each)).toBeGreaterThanOrEqual(12);
    expect(Math.max(...each)).toBeLessThanOrEqual(24);
  });

  it("leave to who wants little what it wants", () => {
    const account = new Account();
    let small = 0;
    for (let nowMs = NOW; nowMs < NOW + 3 * MINUTE; nowMs += 1000) {
      for (let at = 0; at < 5; at += 1) account.take(`greedy${at}`, "text", 20, nowMs);
      if (nowMs >= NOW + 2 * MINUTE && nowMs % 3000 === 0)
        small += account.take("small", "text", 1, nowMs);
    }
    expect(small).toBeGreaterThanOrEqual(19);
  });

  it("are taken of all classes of a call, or of none", () => {
    const account = new Account();
    account.take("a", "small", 9, NOW);
    const { permits, refused } = account.ask("a", [{ small: 2, large: 1 }, { large: 1 }], NOW);
    expect(permits).toEqual({ large: { units: 1, forMs: 6_000 } });
    expect(refused).toEqual({ small: { limit: 10, remaining: 1, fitsAtMs: expect.any(Number) } });
  });

  it("are shared after a restart without the units that were given before it", () => {
    const rates = new AccountRates([{ period: NOW / 5000, units: { text: 200 } }]);
    const ask = (tenant: string, calls: readonly RateUnits[]) =>
      rates.take({ tenant, calls, more: {} }, limitOf, NOW).answer;
    // 100 are left. One tenant is in line, so that another one gets half of them.
    expect(ask("b", [{ text: 150 }]).refused).toMatchObject({ text: { remaining: 100 } });
    const calls = Array.from({ length: 90 }, () => ({ text: 1 }));
    expect(ask("a", calls).permits["text"]?.units).toBe(50);
  });

  it("say when one more fits", () => {
    const account = new Account();
    account.take("a", "small", 10, NOW + 250);
    const { refused } = account.ask("b", [{ small: 1 }], NOW + 30_000);
    const { fitsAtMs } = refused["small"] ?? { fitsAtMs: 0 };
    expect(account.take("b", "small", 1, fitsAtMs - 1)).toBe(0);
    expect(account.take("b", "small", 1, fitsAtMs)).toBe(1);
  });

  it("come in chunks where a class is large, and smaller ones as it fills", () => {
    const account = new Account();
    const chunk = (tenant: string) =>
      account.ask(tenant, [{ large: 1 }], NOW, { large: 2000 }).permits["large"];
    expect(chunk("a")).toEqual({ units: 500, forMs: 6_000 });
    expect(chunk("a")?.units).toBe(375);
    expect(account.ask("a", [{ text: 1 }], NOW, { text: 50 }).permits["text"]?.units).toBe(1);
  });
});
