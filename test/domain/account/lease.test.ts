import { describe, expect, it } from "vitest";
import {
  type LeaseAnswer,
  type LeaseRequest,
  LEASE_MS,
} from "../../../src/domain/account/lease.ts";
import { type MicroNeurons, microNeurons, ZERO } from "../../../src/domain/ledger/micro-neurons.ts";
import { DEMAND_MS, shareKey } from "../../../src/domain/account/pool.ts";
import { claimed, closeShare, firstEndMs, lease, missingOf, type Pool } from "./pools.ts";

const DAY = 100;
const NOW = DAY * 86_400_000;

const poolOf = (size: number, floors: Readonly<Record<string, number>> = {}): Pool => ({
  day: DAY,
  size: microNeurons(size),
  floors: new Map(
    Object.entries(floors).map(([of, floor]): [string, MicroNeurons] => [of, microNeurons(floor)]),
  ),
  // Nothing keeps a tenant from all of it: a test that is about that says so.
  limits: { holdShare: 1, unspentShare: 1 },
  shares: new Map(),
});

const askOf = (
  tenant: string,
  fields: { least?: number; need?: number; want?: number } & Partial<Omit<LeaseRequest, "need">>,
): LeaseRequest => {
  const { least = 1, need = least, want = need, ...rest } = fields;
  return {
    tenant,
    generation: 1,
    seq: 1,
    allowance: ZERO,
    spent: ZERO,
    pending: ZERO,
    need: { least: microNeurons(least), need: microNeurons(need), want: microNeurons(want) },
    ...rest,
  };
};

function answered(
  pool: Pool,
  ask: LeaseRequest,
  nowMs = NOW,
): { readonly pool: Pool; readonly answer: LeaseAnswer } {
  const leased = lease(pool, ask, nowMs);
  if (leased.kind !== "answered") throw new Error(leased.kind);
  return leased;
}

const used = (amount: number) => ({
  allowance: microNeurons(amount),
  spent: microNeurons(amount),
});

describe("a lease", () => {
  it("is a hundredth of the pool at most: others may come", () => {
    const { answer } = answered(poolOf(1000), askOf("a", { want: 400 }));
    expect(answer.granted).toBe(10);
    const large = answered(poolOf(1000), askOf("a", { least: 50, want: 400 }));
    expect(large.answer.granted).toBe(50);
  });

  it("is half of what could be had, so that leases shrink as the pool empties", () => {
    let { pool } = answered(poolOf(1000), {
      ...askOf("other", { allowance: microNeurons(985), spent: microNeurons(985) }),
      need: null,
    });
    const grants: number[] = [];
    let allowance = ZERO;
    for (let seq = 1; seq <= 6; seq += 1) {
      const spent = allowance;
      const next = answered(pool, askOf("a", { seq, allowance, spent, want: 12 }));
      grants.push(next.answer.granted - allowance);
      ({ pool } = next);
      allowance = next.answer.granted;
    }
    expect(grants).toEqual([7, 4, 2, 1, 1, 0]);
    expect(allowance).toBe(15);
  });

  it("is given again to who asks again, whatever else the message says", () => {
    const first = answered(poolOf(1000), askOf("a", { want: 100 }));
    const again = lease(first.pool, askOf("a", { want: 300 }), NOW + 1);
    expect(again).toEqual({ kind: "repeated", answer: first.answer });
  });

  it("hears nothing that was overtaken, and says what it heard last", () => {
    const { pool } = answered(poolOf(1000), askOf("a", { seq: 7, want: 100 }));
    expect(lease(pool, askOf("a", { seq: 6 }), NOW)).toEqual({ kind: "stale", seq: 7 });
  });

  it("takes back a grant that never arrived, with the tenant's next word", () => {
    const { pool } = answered(poolOf(1000), askOf("a", { want: 100 }));
    const next = answered(pool, { ...askOf("a", { seq: 2 }), need: null });
    expect(claimed(next.pool)).toBe(0);
  });

  it("is renewed for who has enough and needs only time", () => {
    const { pool, answer } = answered(poolOf(100), askOf("a", { want: 100 }));
    const allowance = answer.granted;
    const later = answered(
      pool,
      askOf("a", { seq: 2, allowance, least: 0, need: 0, want: 0 }),
      NOW + LEASE_MS,
    );
    expect(later.answer).toMatchObject({ granted: allowance, refused: null });
    expect(later.answer.deadlineMs).toBe(NOW + 2 * LEASE_MS);
  });
});

describe("a refusal", () => {
  it("lasts the day when all is spent", () => {
    const spent = microNeurons(1000);
    const { pool } = answered(poolOf(1000), {
      ...askOf("a", { allowance: spent, spent }),
      need: null,
    });
    const { answer } = answered(pool, askOf("b", { least: 10 }));
    const midnight = NOW + 86_400_000;
    expect(answer.refused).toMatchObject({ isSpent: true, againAtMs: midnight, level: 10 });
  });

  it("says how far the allowance could go, while something is unspent", () => {
    const spent = microNeurons(995);
    const { pool } = answered(poolOf(1000), {
      ...askOf("a", { allowance: spent, spent }),
      need: null,
    });
    const { answer } = answered(pool, askOf("b", { least: 10 }));
    expect(answer.refused).toEqual({
      isSpent: false,
      available: 5,
      reachable: 5,
      level: 10,
      missing: 0,
      againAtMs: NOW + 1000,
      tooLargeAgainAtMs: NOW + 300_000,
    });
    expect(answered(pool, askOf("b", { least: 5 })).answer.granted).toBe(5);
    expect(answered(pool, askOf("b", { least: 6 })).answer.refused).not.toBeNull();
  });

  it("never lasts longer than the day", () => {
    const spent = microNeurons(995);
    const { pool } = answered(poolOf(1000), {
      ...askOf("a", { allowance: spent, spent }),
      need: null,
    });
    const midnight = NOW + 86_400_000;
    const { answer } = answered(pool, askOf("b", { least: 10 }), midnight - 400);
    expect(answer.refused).toMatchObject({ againAtMs: midnight, tooLargeAgainAtMs: midnight });
  });

  it("may pass while others hold what they have not used; waits grow, up to two seconds", () => {
    const held = microNeurons(1000);
    let { pool } = answered(poolOf(1000), { ...askOf("a", { allowance: held }), need: null });
    const waits: number[] = [];
    for (let seq = 1; seq <= 6; seq += 1) {
      const next = answered(pool, askOf("b", { seq }));
      if (next.answer.refused === null) throw new Error("not refused");
      expect(next.answer.refused).toMatchObject({ isSpent: false, reachable: 1000, missing: 1 });
      waits.push(next.answer.refused.againAtMs - NOW);
      ({ pool } = next);
    }
    expect(waits).toEqual([1_000, 2_000, 2_000, 2_000, 2_000, 2_000]);
    expect(missingOf(pool, NOW)).toBe(1);
    expect(missingOf(pool, NOW + DEMAND_MS)).toBe(0);
    expect(firstEndMs(pool, NOW)).toBe(pool.shares.get("a/1")?.deadlineMs);
  });

  it("lasts longer for who has its share, and in a pool that runs empty", () => {
    const waitsOf = (pool: Pool, least: number) => {
      const waits: number[] = [];
      let now = pool;
      for (let seq = 1; seq <= 8; seq += 1) {
        const next = answered(now, askOf("b", { seq, least }));
        waits.push((next.answer.refused?.againAtMs ?? 0) - NOW);
        ({ pool: now } = next);
      }
      return waits;
    };
    const holds = (spent: number) => ({
      ...askOf("a", { allowance: microNeurons(1000), spent: microNeurons(spent) }),
      need: null,
    });
    const empty = answered(poolOf(1000), holds(960)).pool;
    const waits = [1, 8, 60, 60, 60, 60, 60, 60].map((s) => s * 1000);
    expect(waitsOf(empty, 1)).toEqual(waits);
    // Another one asks too, so that one tenant's share is a third of what is unspent.
    const limits = { holdShare: 1, unspentShare: 1 / 3 };
    const asked = answered({ ...poolOf(1000), limits }, askOf("c", {})).pool;
    expect(waitsOf(asked, 400)).toEqual(waits);
  });

  it("may pass while only the tenant's own calls in progress are in the way", () => {
    const pending = microNeurons(1000);
    const { answer } = answered(
      poolOf(1000),
      askOf("a", { allowance: pending, pending, least: 10 }),
    );
    expect(answer.refused).toMatchObject({ isSpent: false, reachable: 1000, level: 1010 });
  });

  it("is half forgotten when something is granted, and wholly when all that was wanted is", () => {
    const held = microNeurons(1000);
    let { pool } = answered(poolOf(1000), { ...askOf("a", { allowance: held }), need: null });
    for (let seq = 1; seq <= 4; seq += 1) ({ pool } = answered(pool, askOf("b", { seq })));
    ({ pool } = answered({ ...pool, size: microNeurons(1030) }, askOf("b", { seq: 5, want: 500 })));
    expect(pool.shares.get(shareKey({ tenant: "b", generation: 1 }))?.refusals).toBe(2);
    ({ pool } = answered({ ...pool, size: microNeurons(9000) }, askOf("b", { seq: 6, want: 10 })));
    expect(pool.shares.get(shareKey({ tenant: "b", generation: 1 }))?.refusals).toBe(0);
  });

  it("is for good where the rest is another's floor, until that is changed", () => {
    const { answer } = answered(poolOf(1000, { b: 995 }), askOf("a", { least: 10 }));
    expect(answer.refused).toMatchObject({ isSpent: false, reachable: 5, missing: 0 });
  });
});

describe("floors", () => {
  it("are kept free, and given whole to whose they are", () => {
    let { pool, answer } = answered(poolOf(1000, { b: 400 }), askOf("a", { least: 600 }));
    expect(answer.granted).toBe(600);
    expect(answered(pool, askOf("c", {})).answer.refused).toMatchObject({ missing: 1 });
    ({ pool, answer } = answered(pool, askOf("b", { want: 1000 })));
    expect(answer.granted).toBe(400);
  });

  it("count what an earlier life took of them today", () => {
    const closed = closeShare(
      poolOf(1000, { b: 400 }),
      { tenant: "b", generation: 1, spent: microNeurons(400) },
      NOW,
    );
    const { answer } = answered(closed.pool, askOf("b", { generation: 2, want: 1000 }));
    expect(answer.granted).toBe(10);
    expect(answered(closed.pool, askOf("a", { least: 600 })).answer.granted).toBe(600);
  });
});

describe("fairness", () => {
  it("brings who comes late up to the others before they get more", () => {
    let { pool } = answered(poolOf(1000), {
      ...askOf("early", { allowance: microNeurons(800), spent: microNeurons(800) }),
      need: null,
    });
    const late = answered(pool, askOf("late", { least: 10, want: 1000 }));
    expect(late.answer.granted).toBe(10);
    ({ pool } = late);
    const early = answered(
      pool,
      askOf("early", { seq: 2, allowance: microNeurons(800), spent: microNeurons(800), least: 10 }),
    );
    expect(early.answer.refused).toMatchObject({ isSpent: false, reachable: 1000 });
    // A minute later nobody else wants it.
    const alone = answered(
      pool,
      askOf("early", { seq: 2, allowance: microNeurons(800), spent: microNeurons(800), least: 10 }),
      NOW + DEMAND_MS,
    );
    expect(alone.answer.refused).toBeNull();
  });

  it("leaves to who wants little what it wants, and the rest to who wants more", () => {
    const small = askOf("small", { least: 1, want: 5 });
    const { pool } = answered(poolOf(1000), small);
    const large = answered(pool, askOf("large", { ...used(900), least: 40, want: 40 }));
    expect(large.answer.refused).toBeNull();
  });

  it("gives the last of it to the one that has least", () => {
    let { pool } = answered(poolOf(100), askOf("a", { ...used(48), least: 1, want: 1 }));
    ({ pool } = answered(pool, askOf("b", { ...used(45), least: 10 })));
    const bigger = answered(pool, askOf("a", { ...used(49), seq: 2, least: 5 }));
    expect(bigger.answer.refused).not.toBeNull();
    const least = answered(pool, askOf("b", { ...used(45), seq: 2, least: 5 }));
    expect(least.answer.granted).toBe(50);
  });
});
