import { describe, expect, it } from "vitest";
import {
  type Demand,
  neuronBalance,
  type Refusal,
  refusalOf,
  type AdmissionState,
} from "../../../src/domain/ledger/admission.ts";
import { microNeurons } from "../../../src/domain/ledger/micro-neurons.ts";
import type { QuotaTerms } from "../../../src/domain/ledger/quota.ts";
import { count } from "../../../src/domain/ledger/rate-limit.ts";

const NOW = Date.UTC(2026, 10, 20, 14, 3, 27);
const MIDNIGHT = Date.UTC(2026, 10, 21);

const FREE: QuotaTerms = {
  plan: "free",
  daily: microNeurons(1000),
  overageCap: "unlimited",
  overageUsdPer1000: "0.011",
};
const PAID: QuotaTerms = { ...FREE, plan: "paid" };
const CAPPED: QuotaTerms = { ...PAID, overageCap: microNeurons(500) };

const room: AdmissionState = {
  nowMs: NOW,
  terms: FREE,
  posted: microNeurons(0),
  pending: microNeurons(0),
  windows: {},
  rateLimit: (name) => (name === "requests" ? 5 : 10),
  inFlight: 0,
  maxInFlight: 3,
  accountClosed: false,
};

const demand: Demand = { bound: microNeurons(100), units: { requests: 1, text_generation: 2 } };

const kindOf = (now: AdmissionState, wanted: Demand = demand): Refusal["kind"] | null =>
  refusalOf(now, wanted)?.kind ?? null;

describe("room for the last µN", () => {
  it.each<[string, Partial<AdmissionState>, Refusal["kind"] | null]>([
    ["free: exactly the limit", { posted: microNeurons(900) }, null],
    ["free: one more", { posted: microNeurons(901) }, "quota_exceeded"],
    ["with pending: exactly", { posted: microNeurons(500), pending: microNeurons(400) }, null],
    [
      "with pending: one more",
      { posted: microNeurons(500), pending: microNeurons(401) },
      "quota_reserved",
    ],
    ["paid, capped: exactly", { terms: CAPPED, posted: microNeurons(1400) }, null],
    [
      "paid, capped: one more",
      { terms: CAPPED, posted: microNeurons(1401) },
      "overage_cap_exceeded",
    ],
    ["paid, capped, pending", { terms: CAPPED, pending: microNeurons(1401) }, "quota_reserved"],
    [
      "paid without a cap: never",
      { terms: PAID, posted: microNeurons(10 ** 12), pending: microNeurons(10 ** 12) },
      null,
    ],
    [
      "a cap of 0 is a hard stop",
      { terms: { ...PAID, overageCap: microNeurons(0) }, posted: microNeurons(901) },
      "overage_cap_exceeded",
    ],
    [
      "a limit lowered below what was posted",
      { terms: { ...FREE, daily: microNeurons(100) }, posted: microNeurons(700) },
      "quota_exceeded",
    ],
    ["the last place in flight", { inFlight: 2 }, null],
    ["none left", { inFlight: 3 }, "concurrency_exceeded"],
    ["more than a lowered limit", { inFlight: 9 }, "concurrency_exceeded"],
    ["the account is closed", { accountClosed: true }, "account_quota_exceeded"],
    ["the last request", { windows: count({}, { requests: 4 }, NOW) }, null],
    ["none left", { windows: count({}, { requests: 5 }, NOW) }, "rate_limited"],
    ["two units of ten left", { windows: count({}, { text_generation: 8 }, NOW) }, null],
    ["one left for two", { windows: count({}, { text_generation: 9 }, NOW) }, "rate_limited"],
    ["another class is full", { windows: count({}, { translation: 99 }, NOW) }, null],
  ])("%s", (_, standing, kind) => {
    expect(kindOf({ ...room, ...standing })).toBe(kind);
  });

  it("a call that needs nothing is admitted while the day is not over its limit", () => {
    const free: Demand = { bound: microNeurons(0), units: { requests: 1 } };
    expect(kindOf({ ...room, posted: microNeurons(1000) }, free)).toBeNull();
    expect(kindOf({ ...room, posted: microNeurons(1001) }, free)).toBe("quota_exceeded");
  });
});

describe("over_limit", () => {
  it("is a plan of more checks than the row of a hold has room for", () => {
    expect(kindOf(room, { ...demand, stages: 4000 })).toBeNull();
    expect(refusalOf(room, { ...demand, stages: 4001 })).toEqual({
      kind: "over_limit",
      detail: "This call needs 4001 checks at once, and one call may need 4000: split it.",
    });
  });

  it("is what no day and no minute could ever admit, and says what would fit", () => {
    expect(kindOf(room, { ...demand, bound: microNeurons(1000) })).toBeNull();
    expect(refusalOf(room, { ...demand, bound: microNeurons(1001) })).toEqual({
      kind: "over_limit",
      detail:
        "This call may need 0.001001 neurons, and the limit of a day is 0.001: a call with a larger bound is never admitted. Ask for less at once.",
    });
    expect(kindOf({ ...room, terms: CAPPED }, { ...demand, bound: microNeurons(1500) })).toBeNull();
    expect(kindOf({ ...room, terms: CAPPED }, { ...demand, bound: microNeurons(1501) })).toBe(
      "over_limit",
    );
    expect(
      kindOf({ ...room, terms: PAID }, { ...demand, bound: microNeurons(2 ** 52) }),
    ).toBeNull();
    const ten = { ...demand, units: { requests: 1, text_generation: 10 } };
    expect(kindOf(room, ten)).toBeNull();
    expect(refusalOf(room, { ...demand, units: { requests: 1, text_generation: 11 } })).toEqual({
      kind: "over_limit",
      detail:
        "This call needs 11 text_generation requests at once, and the limit of a minute is 10: split it into calls of at most 10.",
    });
  });
});

describe("precedence", () => {
  const full = count({}, { requests: 5 }, NOW);
  /** What makes each refusal hold without touching the others, what lasts longest first. */
  const causes: readonly (readonly [
    kind: Refusal["kind"],
    cause: (now: AdmissionState) => Partial<AdmissionState>,
  ])[] = [
    ["over_limit", () => ({ rateLimit: (name) => (name === "requests" ? 5 : 1) })],
    ["account_quota_exceeded", () => ({ accountClosed: true })],
    ["quota_exceeded", () => ({ posted: microNeurons(901) })],
    ["rate_limited", () => ({ windows: full })],
    ["quota_reserved", () => ({ pending: microNeurons(901) })],
    ["concurrency_exceeded", () => ({ inFlight: 3 })],
  ];

  const pairs = causes.flatMap((first, at) =>
    causes.slice(at + 1).map((second) => [first, second] as const),
  );

  it.each(causes)("%s alone", (kind, cause) => {
    expect(kindOf({ ...room, ...cause(room) })).toBe(kind);
  });

  it.each(pairs)("$0.0 before $1.0", ([kind, first], [, second]) => {
    expect(kindOf({ ...room, ...first(room), ...second(room) })).toBe(kind);
  });

  it("overage_cap_exceeded stands where quota_exceeded does", () => {
    const over = { ...room, terms: CAPPED, posted: microNeurons(1401) };
    expect(kindOf({ ...over, windows: full, inFlight: 3 })).toBe("overage_cap_exceeded");
    expect(kindOf({ ...over, accountClosed: true })).toBe("account_quota_exceeded");
  });
});

describe("what a refusal tells", () => {
  it("the day's neurons, as in the contract's example 2", () => {
    const now: AdmissionState = {
      ...room,
      terms: { ...FREE, daily: microNeurons(10_000_000_000) },
      posted: microNeurons(9_984_101_230),
      pending: microNeurons(11_780_014),
    };
    const required = microNeurons(22_470_231);
    const neurons = {
      limit: 10_000_000_000,
      posted: 9_984_101_230,
      pending: 11_780_014,
      available: 4_118_756,
      required: 22_470_231,
      dayEndsAtMs: MIDNIGHT,
      dailyQuota: 10_000_000_000,
    };
    expect(refusalOf(now, { ...demand, bound: required })).toEqual({
      kind: "quota_exceeded",
      neurons,
      nowMs: NOW,
    });
  });

  it("no limit and nothing available where there is no cap, never less than nothing", () => {
    const bound = microNeurons(1);
    const uncapped = neuronBalance({ ...room, terms: PAID, posted: microNeurons(5000) }, bound);
    expect(uncapped).toMatchObject({ limit: null, available: null });
    const lowered = { ...room, posted: microNeurons(5000) };
    expect(neuronBalance(lowered, bound)).toMatchObject({ limit: 1000, available: 0 });
  });

  it("all classes that had no room, and when the slowest has", () => {
    const before = count({}, { requests: 5 }, NOW - 30_000);
    const windows = count(before, { text_generation: 10 }, NOW - 10_000);
    expect(refusalOf({ ...room, windows }, demand)).toMatchObject({
      kind: "rate_limited",
      violated: ["requests", "text_generation"],
      fitsAtMs: NOW + 51_000,
      rates: [
        { name: "requests", limit: 5, remaining: 0, freesAtMs: NOW + 31_000 },
        { name: "text_generation", limit: 10, remaining: 0, freesAtMs: NOW + 51_000 },
      ],
    });
  });

  it("only the class that had none, with all of the call's as they stand", () => {
    const windows = count({}, { text_generation: 9 }, NOW);
    const refusal = refusalOf({ ...room, windows }, demand);
    expect(refusal).toMatchObject({ kind: "rate_limited", violated: ["text_generation"] });
    expect(refusal).toMatchObject({
      rates: [{ name: "requests", remaining: 5 }, { remaining: 1 }],
    });
  });

  it("the limit in flight", () => {
    expect(refusalOf({ ...room, inFlight: 3 }, demand)).toMatchObject({ limit: 3, nowMs: NOW });
  });
});

describe("a call that asks no engine", () => {
  const free: Demand = { bound: microNeurons(0), units: { requests: 1 }, asksNoEngine: true };

  it("is not stopped by what is spent, of the tenant's or of the account's", () => {
    expect(kindOf({ ...room, accountClosed: true }, free)).toBeNull();
    expect(kindOf({ ...room, posted: microNeurons(2000) }, free)).toBeNull();
    expect(kindOf({ ...room, pending: microNeurons(2000) }, free)).toBeNull();
  });

  it("is stopped by rates and by calls in progress", () => {
    expect(kindOf({ ...room, rateLimit: () => 0 }, free)).toBe("over_limit");
    expect(kindOf({ ...room, windows: count({}, { requests: 5 }, NOW) }, free)).toBe(
      "rate_limited",
    );
    expect(kindOf({ ...room, inFlight: 3 }, free)).toBe("concurrency_exceeded");
  });
});
