import { describe, expect, it } from "vitest";
import {
  neuronBalance,
  refusalOf,
  type AdmissionState,
} from "../../../src/domain/ledger/admission.ts";
import {
  claimOf,
  draw,
  drawable,
  type Drawn,
  drawOn,
  type Grant,
  grantRoom,
  isOpenAt,
  limitOf,
  openAt,
  type QuotaTerms,
  serving,
} from "../../../src/domain/ledger/quota.ts";
import { microNeurons, ZERO } from "../../../src/domain/ledger/micro-neurons.ts";

const NOW = Date.UTC(2026, 10, 20, 14, 3, 27);

const grant = (id: string, left: number, fields: Partial<Grant> = {}): Grant => ({
  id,
  amount: microNeurons(left + 7),
  drawn: microNeurons(7),
  reason: "launch week",
  createdAtMs: NOW - 1000,
  expiresAtMs: NOW + 1000,
  endedAtMs: null,
  ...fields,
});

const terms = (plan: "free" | "paid", daily: number, cap: number | null = null): QuotaTerms => ({
  plan,
  daily: microNeurons(daily),
  overageCap: cap === null ? "unlimited" : microNeurons(cap),
  overageUsdPer1000: "0.011",
});

const drawn = (quota: number, granted = 0, overage = 0): Drawn => ({
  quota: microNeurons(quota),
  granted: microNeurons(granted),
  overage: microNeurons(overage),
});

const inUse = (quota: number, pending: number) => ({
  quota: microNeurons(quota),
  pending: microNeurons(pending),
});

describe("which grants serve a call", () => {
  it.each<[string, Partial<Grant>, boolean, boolean]>([
    ["open", {}, true, true],
    ["its last millisecond", { expiresAtMs: NOW + 1 }, true, true],
    ["expired", { expiresAtMs: NOW }, false, false],
    ["ended later", { endedAtMs: NOW + 1 }, true, true],
    // Who counted on it in that millisecond is served; who comes after the end does not count on it.
    ["ended in that millisecond", { endedAtMs: NOW }, false, true],
    ["ended before", { endedAtMs: NOW - 1 }, false, false],
    ["ended after it expired", { endedAtMs: NOW + 5, expiresAtMs: NOW }, false, false],
    ["used up", { drawn: microNeurons(17) }, false, false],
  ])("%s", (_, fields, counted, served) => {
    const one = grant("grt_1", 10, fields);
    expect(openAt([one], NOW)).toHaveLength(counted ? 1 : 0);
    expect(serving([one], NOW)).toHaveLength(served ? 1 : 0);
  });

  it("the one that ends first before the others, then the older one", () => {
    const all = [
      grant("grt_3", 1, { expiresAtMs: NOW + 9 }),
      grant("grt_2", 1, { expiresAtMs: NOW + 5 }),
      grant("grt_1", 1, { expiresAtMs: NOW + 9 }),
      grant("grt_4", 1, { endedAtMs: NOW + 2 }),
    ];
    expect(openAt(all, NOW).map(({ id }) => id)).toEqual(["grt_4", "grt_2", "grt_1", "grt_3"]);
    expect(all.every((one) => isOpenAt(one, NOW))).toBe(true);
  });
});

describe("what is drawn", () => {
  it.each<[string, QuotaTerms, Drawn, number, number, Drawn]>([
    ["the quota first", terms("free", 100), drawn(0), 60, 50, drawn(60)],
    ["then grants", terms("free", 100), drawn(80), 60, 50, drawn(20, 40)],
    ["then overage", terms("paid", 100), drawn(80), 90, 50, drawn(20, 50, 20)],
    ["all of it granted", terms("paid", 100), drawn(100), 50, 50, drawn(0, 50)],
    // A limit was lowered, or a grant ended: free owes nothing.
    ["free, beyond both", terms("free", 100), drawn(80), 90, 50, drawn(40, 50)],
  ])("%s", (_, given, before, amount, left, expected) => {
    expect(draw(given, before, microNeurons(amount), microNeurons(left))).toEqual(expected);
  });

  it("is taken of each in order, and of none that has nothing to give", () => {
    const grants = [grant("grt_1", 10), grant("grt_2", 20), grant("grt_3", 5)];
    const open = { grants, claim: ZERO };
    expect(drawable(open)).toBe(35);
    expect(drawOn(open, microNeurons(25))).toEqual([
      { grantId: "grt_1", microNeurons: 10 },
      { grantId: "grt_2", microNeurons: 15 },
    ]);
    expect(drawOn(open, ZERO)).toEqual([]);
  });

  it("leaves what calls of earlier days may yet draw", () => {
    const grants = [grant("grt_1", 100)];
    expect(drawable({ grants, claim: microNeurons(30) })).toBe(70);
    expect(drawable({ grants, claim: microNeurons(130) })).toBe(0);
  });
});

const unasked = () => {
  throw new Error("asked");
};

describe("the claim of earlier days", () => {
  it.each([
    ["fits in the quota", inUse(40, 60), 0],
    ["beyond it", inUse(40, 61), 1],
    ["the quota is used up", inUse(100, 61), 61],
    ["more than a lowered quota", inUse(300, 61), 61],
  ])("%s", (_, day, claim) => {
    expect(claimOf(terms("free", 100), [day])).toBe(claim);
    expect(claimOf(terms("free", 100), [day, day])).toBe(2 * claim);
  });

  it("takes no more of what is left than there is, and asks only where something is", () => {
    const left = [grant("grt_1", 50)];
    expect(grantRoom(ZERO, left, () => microNeurons(20)).claimed).toBe(20);
    expect(grantRoom(ZERO, left, () => microNeurons(90)).claimed).toBe(50);
    expect(grantRoom(microNeurons(3), [], unasked)).toEqual({ drawn: 3, left: 0, claimed: 0 });
  });
});

describe("the limit in force", () => {
  it.each<[string, QuotaTerms, number, number | null]>([
    ["free", terms("free", 100), 30, 130],
    ["paid with a cap", terms("paid", 100, 50), 30, 180],
    ["paid without one", terms("paid", 100), 30, null],
  ])("%s", (_, given, granted, limit) => {
    expect(limitOf(given, microNeurons(granted))).toBe(limit);
  });

  const room: AdmissionState = {
    nowMs: NOW,
    terms: terms("free", 100),
    posted: microNeurons(120),
    pending: microNeurons(10),
    // Of a grant of 70, 20 are drawn today; 15 may go to calls of yesterday.
    grants: { drawn: microNeurons(20), left: microNeurons(50), claimed: microNeurons(15) },
    windows: {},
    rateLimit: () => 10,
    inFlight: 0,
    maxInFlight: 3,
    accountClosed: false,
  };
  const kindOf = (bound: number, now: AdmissionState = room) =>
    refusalOf(now, { bound: microNeurons(bound), units: {} })?.kind ?? null;

  it("counts what grants gave the day and what is left of them, and what is held of both", () => {
    expect(neuronBalance(room, ZERO)).toMatchObject({
      limit: 170,
      posted: 120,
      pending: 25,
      available: 25,
    });
    expect(kindOf(25)).toBeNull();
    expect(kindOf(26)).toBe("quota_reserved");
    expect(kindOf(50)).toBe("quota_reserved");
    expect(kindOf(51)).toBe("quota_exceeded");
    expect(kindOf(171)).toBe("over_limit");
  });

  it("is the quota's alone where there are none", () => {
    const { grants: _, ...none } = room;
    expect(neuronBalance(none, ZERO)).toMatchObject({ limit: 100, pending: 10, available: 0 });
  });
});
