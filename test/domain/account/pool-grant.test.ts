import { describe, expect, it } from "vitest";
import type { LeaseAnswer, LeaseRequest } from "../../../src/domain/account/lease.ts";
import { type MicroNeurons, microNeurons, ZERO } from "../../../src/domain/ledger/micro-neurons.ts";
import { DEMAND_MS, shareKey } from "../../../src/domain/account/pool.ts";
import { lease, mostGrantable, outlookOf, type Pool } from "./pools.ts";

// How much of the pool one tenant may keep from the others: with one call, and in all.

const DAY = 100;
const NOW = DAY * 86_400_000;

const poolOf = (
  limits: Partial<Pool["limits"]>,
  floors: Readonly<Record<string, number>> = {},
): Pool => ({
  day: DAY,
  size: microNeurons(9000),
  floors: new Map(
    Object.entries(floors).map(([of, floor]): [string, MicroNeurons] => [of, microNeurons(floor)]),
  ),
  limits: { holdShare: 1, unspentShare: 1, ...limits },
  shares: new Map(),
});

interface Said {
  readonly least?: number;
  readonly want?: number;
  readonly has?: number;
  readonly spent?: number;
  readonly pending?: number;
  readonly seq?: number;
}

/** A tenant asks; with neither `least` nor `want` it only reports. */
function says(
  pool: Pool,
  tenant: string,
  { least, want = least, has = 0, spent = 0, pending = 0, seq = 1 }: Said,
  nowMs = NOW,
): { readonly pool: Pool; readonly answer: LeaseAnswer } {
  const need = (least ?? want) === undefined ? null : needOf(least ?? 0, want ?? 0);
  const ask: LeaseRequest = {
    tenant,
    generation: 1,
    seq,
    allowance: microNeurons(has),
    spent: microNeurons(spent),
    pending: microNeurons(pending),
    need,
  };
  const leased = lease(pool, ask, nowMs);
  if (leased.kind !== "answered") throw new Error(leased.kind);
  return leased;
}

const needOf = (least: number, want: number) => ({
  least: microNeurons(least),
  need: microNeurons(least),
  want: microNeurons(want),
});

/** Somebody else asked, for very little. */
const withAnother = (pool: Pool, nowMs = NOW) => says(pool, "other", { least: 1 }, nowMs).pool;

describe("a call's hold", () => {
  const pool = poolOf({ holdShare: 0.2 });

  it.each<[string, Said, boolean]>([
    ["exactly the share", { least: 1800 }, true],
    ["one more", { least: 1801 }, false],
    ["one more, most of it leased before", { least: 1, has: 1800 }, false],
    ["the same beside other calls", { least: 1800, has: 500, spent: 200, pending: 300 }, true],
    ["one more beside other calls", { least: 1801, has: 500, spent: 200, pending: 300 }, false],
  ])("%s", (_, said, isGranted) => {
    expect(says(pool, "a", said).answer.refused === null).toBe(isGranted);
  });

  it("may be as large as the tenant's floor", () => {
    const floored = poolOf({ holdShare: 0.2 }, { a: 4000 });
    expect(says(floored, "a", { least: 4000 }).answer.granted).toBe(4000);
    expect(says(floored, "a", { least: 4001 }).answer.refused).not.toBeNull();
    expect(says(floored, "b", { least: 1801 }).answer.refused).not.toBeNull();
  });
});

describe("what one tenant keeps unspent", () => {
  const third = poolOf({ unspentShare: 1 / 3 });

  it("is all of it while no other asks", () => {
    expect(says(third, "a", { least: 9000 }).answer.granted).toBe(9000);
    const aMinuteAgo = withAnother(third, NOW - DEMAND_MS);
    expect(says(aMinuteAgo, "a", { least: 8999 }).answer.granted).toBe(8999);
  });

  it.each<[string, Said, boolean]>([
    ["exactly its share", { least: 3000 }, true],
    ["one more", { least: 3001 }, false],
    ["one more, with what it has", { least: 2, has: 2999 }, false],
    ["one more, with what its calls hold", { least: 1001, has: 2000, pending: 2000 }, false],
    ["what it spent does not count", { least: 2000, has: 3000, spent: 3000 }, true],
    ["of less that is unspent", { least: 2001, has: 3000, spent: 3000 }, false],
  ])("%s", (_, said, isGranted) => {
    const { answer } = says(withAnother(third), "a", said);
    expect(answer.refused === null).toBe(isGranted);
    if (answer.refused === null) return;
    // It has its share: nothing that others give back would help.
    expect(answer.refused).toMatchObject({ isSpent: false, missing: 0 });
    expect(answer.refused.level).toBeLessThanOrEqual(
      answer.refused.reachable + (said.pending ?? 0),
    );
  });

  it("does not count what is of its floor, and leaves out what is kept for others", () => {
    const floors = withAnother(poolOf({ unspentShare: 1 / 3 }, { a: 3000, c: 3000 }));
    expect(says(floors, "a", { least: 5000 }).answer.granted).toBe(5000);
    expect(says(floors, "a", { least: 5001 }).answer.refused).not.toBeNull();
    expect(says(floors, "b", { least: 1000 }).answer.granted).toBe(1000);
    expect(says(floors, "b", { least: 1001 }).answer.refused).not.toBeNull();
  });

  it("leaves a third to all others, whatever two tenants hold", () => {
    let pool = withAnother(third);
    ({ pool } = says(pool, "h1", { least: 3000 }));
    ({ pool } = says(pool, "h2", { least: 3000 }));
    for (const [seq, tenant] of ["h1", "h2"].entries()) {
      const more = says(pool, tenant, { least: 1, has: 3000, seq: seq + 2 });
      expect(more.answer.refused).not.toBeNull();
    }
    expect(says(pool, "late", { least: 1000 }).answer.granted).toBe(1000);
  });
});

describe("a tenant whose calls cost nothing", () => {
  /** An honest tenant has used most of the day; the hostile one nothing. */
  const used = says(poolOf({ unspentShare: 1 }), "honest", { has: 8000, spent: 8000 }).pool;

  it("is reckoned with once: it may be about to spend", () => {
    const { pool } = says(used, "hostile", { least: 100, want: 9000 });
    const honest = says(pool, "honest", { least: 100, has: 8000, spent: 8000, seq: 2 });
    expect(honest.answer.refused).not.toBeNull();
  });

  it("keeps nobody waiting who has used more than it, however often it asks", () => {
    let { pool } = says(used, "hostile", { least: 100, want: 9000 });
    ({ pool } = says(pool, "hostile", { seq: 2 }));
    for (let seq = 3; seq < 6; seq += 1) {
      ({ pool } = says(pool, "hostile", { least: 100, want: 9000, seq }));
      const honest = says(pool, "honest", { least: 100, has: 8000, spent: 8000, seq: 2 });
      expect(honest.answer.granted).toBe(8100);
      ({ pool } = says(pool, "hostile", { seq: (seq += 1) }));
    }
  });

  it("is not believed for a little that it pays now and then", () => {
    let { pool } = says(used, "hostile", { least: 400, want: 9000 });
    ({ pool } = says(pool, "hostile", { least: 50, want: 9000, has: 400, spent: 5, seq: 2 }));
    const honest = says(pool, "honest", { least: 100, has: 8000, spent: 8000, seq: 2 });
    expect(honest.answer.refused).toBeNull();
  });

  it("is believed again when it has spent what it was granted", () => {
    let { pool } = says(used, "hostile", { least: 100, want: 9000 });
    ({ pool } = says(pool, "hostile", { least: 100, want: 9000, seq: 2 }));
    ({ pool } = says(pool, "hostile", { least: 100, want: 9000, has: 100, spent: 100, seq: 3 }));
    const honest = says(pool, "honest", { least: 100, has: 8000, spent: 8000, seq: 2 });
    expect(honest.answer.refused).not.toBeNull();
  });
});

describe("what is said to be available", () => {
  it.each<[string, Pool, string]>([
    ["alone", poolOf({ unspentShare: 1 / 3 }), "a"],
    ["beside another", withAnother(poolOf({ unspentShare: 1 / 3 })), "a"],
    ["with a floor", withAnother(poolOf({ unspentShare: 1 / 3 }, { a: 1000, b: 2000 })), "a"],
    [
      "for one that has used more",
      says(says(poolOf({}), "b", { least: 10, want: 900 }).pool, "a", { has: 6000, spent: 6000 })
        .pool,
      "a",
    ],
  ])("%s: is granted, and one more is not", (_, pool, tenant) => {
    const share = pool.shares.get(shareKey({ tenant, generation: 1 }));
    const most = mostGrantable(pool, tenant, NOW);
    expect(most).toBeGreaterThan(0);
    const { granted: has = 0, spent = 0 } = share ?? {};
    const said = { has, spent, seq: (share?.seq ?? 0) + 1 };
    expect(says(pool, tenant, { ...said, least: most }).answer.refused).toBeNull();
    const refused = says(pool, tenant, { ...said, least: most + 1 });
    expect(refused.answer.refused).toMatchObject({ available: has + most });
    const kept = refused.pool.shares.get(shareKey({ tenant, generation: 1 }));
    if (kept === undefined) throw new Error("it has no share");
    expect(outlookOf(refused.pool, kept, NOW).available).toBe(has + most);
  });

  it("is nothing when nothing is free", () => {
    const { pool } = says(poolOf({}), "b", { has: 9000, pending: 9000 });
    const { answer } = says(pool, "a", { least: 1 });
    expect(answer.refused).toMatchObject({ available: ZERO, reachable: 9000, isSpent: false });
  });
});
