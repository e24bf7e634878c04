import { describe, expect, it } from "vitest";
import { type BudgetStatus, refusedLease } from "../../../src/domain/account/account-budget.ts";
import { microNeurons } from "../../../src/domain/ledger/micro-neurons.ts";
import type { LeaseRefusal } from "../../../src/domain/account/pool-refusal.ts";

// What a tenant's object refuses by itself of what the account did not grant, and what it asks again.

const NOW = 1_000_000;

const REFUSED: LeaseRefusal = {
  isSpent: false,
  available: microNeurons(150),
  reachable: microNeurons(300),
  level: microNeurons(200),
  missing: microNeurons(50),
  againAtMs: NOW + 1000,
  tooLargeAgainAtMs: NOW + 300_000,
};

type Neurons = NonNullable<BudgetStatus["neurons"]>;

/** It has spent 60, its calls hold 40, and 10 of its allowance are left. */
const standing = (fields: Partial<Neurons> = {}): BudgetStatus => ({
  neurons: {
    used: microNeurons(100),
    spent: microNeurons(60),
    left: microNeurons(10),
    floor: microNeurons(0),
    mostHeld: null,
    refused: REFUSED,
    ...fields,
  },
  rates: () => ({ left: 0, refused: null }),
  isProbeDue: false,
});

const comesTo = (bound: number, fields: Partial<Neurons> = {}, nowMs = NOW) =>
  refusedLease(standing(fields), microNeurons(bound), nowMs)?.why ?? "asked";

describe("a call that the allowance does not cover", () => {
  it.each<[string, number, string]>([
    ["is asked for as far as so much was to be had", 50, "asked"],
    ["waits for others beyond that", 51, "leased"],
    ["waits for its own tenant's calls too", 240, "leased"],
    ["is too large for all that is unspent", 241, "too_large"],
  ])("%s", (_, bound, why) => {
    expect(comesTo(bound)).toBe(why);
  });

  it("is asked for again when it is time, each for its own reason", () => {
    expect(comesTo(240, {}, NOW + 999)).toBe("leased");
    expect(comesTo(240, {}, NOW + 1000)).toBe("asked");
    expect(comesTo(241, {}, NOW + 299_999)).toBe("too_large");
    expect(comesTo(241, {}, NOW + 300_000)).toBe("asked");
  });

  it("is refused for the day only when all of it is spent", () => {
    const refused = { ...REFUSED, isSpent: true, available: microNeurons(100) };
    expect(comesTo(11, { refused })).toBe("spent");
  });

  it("is asked for where it is of the tenant's floor, and less was not refused", () => {
    const floor = microNeurons(199);
    expect(comesTo(99, { floor })).toBe("asked");
    expect(comesTo(100, { floor: microNeurons(200) })).toBe("leased");
  });

  it("is asked for where nothing was refused, and is none where it is covered", () => {
    expect(comesTo(10_000, { refused: null })).toBe("asked");
    expect(comesTo(10)).toBe("asked");
  });
});
