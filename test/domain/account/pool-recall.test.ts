import { describe, expect, it } from "vitest";
import type { LeaseRequest } from "../../../src/domain/account/lease.ts";
import { microNeurons, ZERO } from "../../../src/domain/ledger/micro-neurons.ts";
import { keptChunk, lease, missingOf, type Pool, recallsFor } from "./pools.ts";

// Which tenants are asked to give back what they do not use, and how much they may keep.

const DAY = 100;
const NOW = DAY * 86_400_000;

const EMPTY: Pool = {
  day: DAY,
  size: microNeurons(10_000),
  floors: new Map([["floored", microNeurons(3000)]]),
  limits: { holdShare: 1, unspentShare: 1 },
  shares: new Map(),
};

interface Holds {
  readonly has: number;
  readonly spent?: number;
  readonly pending?: number;
  readonly least?: number;
}

function poolWith(holders: Readonly<Record<string, Holds>>, nowMs = NOW): Pool {
  let pool = EMPTY;
  for (const [tenant, { has, spent = 0, pending = 0, least }] of Object.entries(holders)) {
    const need =
      least === undefined
        ? null
        : { least: microNeurons(least), need: microNeurons(least), want: microNeurons(least) };
    const ask: LeaseRequest = {
      tenant,
      generation: 1,
      seq: 1,
      allowance: microNeurons(has),
      spent: microNeurons(spent),
      pending: microNeurons(pending),
      need,
    };
    const leased = lease(pool, ask, nowMs);
    if (leased.kind !== "answered") throw new Error(leased.kind);
    ({ pool } = leased);
  }
  return pool;
}

const asked = (pool: Pool, missing: number, nowMs = NOW): readonly string[] =>
  recallsFor(pool, missing, nowMs).map(({ tenant }) => tenant);

describe("a recall", () => {
  it("asks those with the largest surplus, and no more of them than are needed", () => {
    const pool = poolWith({ a: { has: 300 }, b: { has: 2000 }, c: { has: 900 }, d: { has: 101 } });
    expect(asked(pool, 1)).toEqual(["b"]);
    expect(asked(pool, 1901)).toEqual(["b", "c"]);
    expect(asked(pool, 2901)).toEqual(["b", "c", "a", "d"]);
  });

  it("asks nobody where all together have not enough, but those whose calls hold much", () => {
    const little = { a: { has: 150 }, b: { has: 150 }, c: { has: 90, pending: 90 } };
    expect(asked(poolWith(little), 301)).toEqual([]);
    expect(asked(poolWith(little), 300)).toEqual(["a", "b"]);
    const much = { ...little, d: { has: 3000, pending: 3000 } };
    expect(asked(poolWith(much), 301)).toEqual(["a", "b", "d"]);
  });

  it("leaves each what it has spent and holds, its chunk, and its floor", () => {
    const pool = poolWith({
      chunk: { has: 1100, spent: 700, pending: 300 },
      more: { has: 1101, spent: 700, pending: 300 },
      floored: { has: 3000 },
    });
    expect(asked(pool, 1)).toEqual(["more"]);
    // What its calls in progress hold may have come free since.
    expect(asked(pool, 2)).toEqual(["more", "chunk"]);
    expect(recallsFor(pool, 1, NOW)[0]?.keep).toBe(100);
  });

  it("asks one that was silent for its last chunk too", () => {
    const pool = poolWith({ a: { has: 60 } });
    expect(asked(pool, 1)).toEqual([]);
    expect(asked(pool, 1, NOW + 10_000)).toEqual(["a"]);
  });

  it("asks at most twenty at once", () => {
    const holders = Array.from({ length: 30 }, (_, at) => [`t${at}`, { has: 300 }] as const);
    expect(asked(poolWith(Object.fromEntries(holders)), 4000)).toHaveLength(20);
    expect(asked(poolWith(Object.fromEntries(holders)), 6001)).toEqual([]);
  });

  it("lets busy tenants keep at most half of what is unspent", () => {
    // What is kept for the floor is not theirs.
    const used = { has: 6600, spent: 6600 };
    const pool = poolWith({ used, a: { has: 100, least: 1 }, b: { has: 100, least: 1 } });
    expect(keptChunk(pool, NOW)).toBe(100);
    const more = poolWith({
      used,
      ...Object.fromEntries(
        Array.from({ length: 10 }, (_, at) => [`t${at}`, { has: 30, least: 1 }]),
      ),
    });
    expect(keptChunk(more, NOW)).toBe(20);
    expect(keptChunk(EMPTY, NOW)).toBe(100);
  });
});

describe("what is waited for", () => {
  it("is what others would have to give back for a refused call", () => {
    const pool = poolWith({ holder: { has: 6000 }, waits: { has: 0, least: 1500 } });
    expect(missingOf(pool, NOW)).toBe(500);
    expect(missingOf(pool, NOW + 60_000)).toBe(0);
  });

  it("is nothing for a call that all of the rest would not do for", () => {
    const pool = poolWith({ holder: { has: 6000 }, waits: { has: 0, least: 7001 } });
    expect(missingOf(pool, NOW)).toBe(0);
  });

  it("is nothing where all is held by calls in progress of the tenant itself, or spent", () => {
    const spent = poolWith({ a: { has: 7000, spent: 7000 }, waits: { has: ZERO, least: 1 } });
    expect(missingOf(spent, NOW)).toBe(0);
  });
});
