import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { microNeurons } from "../../../src/domain/ledger/micro-neurons.ts";
import {
  addDrawn,
  draw,
  type Drawn,
  inTheWay,
  limitOf,
  monthRefuses,
  type MonthRoom,
  NOTHING_DRAWN,
  posted,
  type QuotaTerms,
  usable,
} from "../../../src/domain/ledger/quota.ts";
import {
  type AdmissionState,
  neuronBalance,
  refusalOf,
} from "../../../src/domain/ledger/admission.ts";
import { formatMonth, monthOf, parseDay, startOf } from "../../../src/domain/ledger/period.ts";

const terms = (plan: "free" | "paid", daily: number, cap: number | null = null): QuotaTerms => ({
  plan,
  daily: microNeurons(daily),
  overageCap: cap === null ? "unlimited" : microNeurons(cap),
  overageUsdPer1000: "0.011",
});

const drawn = (quota: number, overage = 0): Drawn => ({
  quota: microNeurons(quota),
  granted: microNeurons(0),
  overage: microNeurons(overage),
});

describe("limitOf", () => {
  it.each<[string, QuotaTerms, number | null]>([
    ["free: the day's quota", terms("free", 100), 100],
    ["free: a cap that is left from the paid plan is no room", terms("free", 100, 50), 100],
    ["paid without a cap: none", terms("paid", 100), null],
    ["paid with a cap: beyond the quota", terms("paid", 100, 50), 150],
    ["paid with a cap of 0: a hard stop", terms("paid", 100, 0), 100],
    ["nothing at all", terms("free", 0), 0],
  ])("%s", (_, given, limit) => {
    expect(limitOf(given)).toBe(limit);
  });
});

describe("draw", () => {
  it.each<[string, QuotaTerms, Drawn, number, Drawn]>([
    ["within the quota", terms("paid", 100), drawn(0), 60, drawn(60)],
    ["to the quota's last µN", terms("paid", 100), drawn(40), 60, drawn(60)],
    ["the crossing call is split", terms("paid", 100), drawn(70), 60, drawn(30, 30)],
    ["one µN over", terms("paid", 100), drawn(40), 61, drawn(60, 1)],
    ["all beyond", terms("paid", 100), drawn(100, 5), 60, drawn(0, 60)],
    ["a quota of nothing", terms("paid", 0), drawn(0), 60, drawn(0, 60)],
    // The overage of the day stays as it was drawn: nothing is re-priced.
    ["raised: the quota has room again", terms("paid", 200), drawn(100, 50), 60, drawn(60)],
    ["lowered below what was drawn", terms("paid", 30), drawn(70), 60, drawn(0, 60)],
    ["free owes nothing", terms("free", 100), drawn(70), 60, drawn(60)],
    ["free, lowered", terms("free", 10), drawn(70), 60, drawn(60)],
    ["moved from paid to free", terms("free", 100), drawn(100, 30), 60, drawn(60)],
    ["nothing", terms("paid", 100), drawn(70), 0, drawn(0)],
  ])("%s", (_, given, before, amount, expected) => {
    expect(draw(given, before, microNeurons(amount))).toEqual(expected);
  });

  it("draws exactly the amount, and overage only on the paid plan with the quota used up", () => {
    const amount = fc.nat(1_000_000);
    const plan = fc.constantFrom("free" as const, "paid" as const);
    fc.assert(
      fc.property(plan, amount, fc.array(amount, { maxLength: 20 }), (which, daily, amounts) => {
        const given = terms(which, daily);
        let before = NOTHING_DRAWN;
        for (const each of amounts) {
          const line = draw(given, before, microNeurons(each));
          expect(posted(line)).toBe(each);
          before = addDrawn(before, line);
          if (which === "free") expect(before.overage).toBe(0);
          else if (before.overage > 0) expect(before.quota).toBe(daily);
          else expect(before.quota).toBeLessThanOrEqual(daily);
        }
        expect(posted(before)).toBe(amounts.reduce((total, each) => total + each, 0));
      }),
    );
  });
});

const NOW = Date.UTC(2026, 10, 20, 14, 3, 27);
const DECEMBER = Date.UTC(2026, 11, 1);

const month = (amount: number, pending = 0): MonthRoom => ({
  cap: microNeurons(5000),
  posted: microNeurons(amount),
  pending: microNeurons(pending),
  startsAtMs: Date.UTC(2026, 10, 1),
  endsAtMs: DECEMBER,
});

const room: AdmissionState = {
  nowMs: NOW,
  terms: {
    plan: "free",
    daily: microNeurons(1000),
    overageCap: "unlimited",
    overageUsdPer1000: "0.011",
  },
  posted: microNeurons(0),
  pending: microNeurons(0),
  windows: {},
  rateLimit: () => 10,
  inFlight: 0,
  maxInFlight: 3,
  accountClosed: false,
};

const bound = microNeurons(100);
const demand = { bound, units: { requests: 1 } };
const paid = { ...room.terms, plan: "paid" } as const;

describe("the month of a day", () => {
  it.each([
    ["2026-11-20", "2026-11", "2026-11-01", "2026-12-01"],
    ["2026-12-31", "2026-12", "2026-12-01", "2027-01-01"],
    ["2028-02-29", "2028-02", "2028-02-01", "2028-03-01"],
    ["1970-01-01", "1970-01", "1970-01-01", "1970-02-01"],
  ])("%s", (day, name, first, end) => {
    const found = monthOf(parseDay(day) ?? -1);
    expect(formatMonth(found)).toBe(name);
    expect([found.first, found.end]).toEqual([parseDay(first), parseDay(end)]);
    expect(startOf(found.first) % 86_400_000).toBe(0);
  });
});

describe("a month's cap", () => {
  it.each<[string, MonthRoom | undefined, ReturnType<typeof monthRefuses>]>([
    ["none", undefined, null],
    ["the last µN", month(4900), null],
    ["one more", month(4901), "posted"],
    ["the last µN, some of it held", month(4000, 900), null],
    ["one more is held", month(4000, 901), "pending"],
    ["lowered below what was charged", month(9000), "posted"],
  ])("%s", (_, given, refused) => {
    expect(monthRefuses(given, bound)).toBe(refused);
  });

  it("refuses as the plan's quota does, and is told before what passes with the day", () => {
    const full = { ...room, month: month(4950) };
    const refused = { kind: "quota_exceeded", policy: "monthly", nowMs: NOW };
    expect(refusalOf(full, demand)).toMatchObject(refused);
    expect(refusalOf({ ...full, terms: paid }, demand)).toMatchObject({
      ...refused,
      kind: "overage_cap_exceeded",
    });
    const worse = { ...full, accountClosed: true, posted: microNeurons(1000) };
    expect(refusalOf(worse, demand)).toMatchObject(refused);
  });

  it("is held by calls in progress for as long as they are", () => {
    const held = { ...room, month: month(4000, 950) };
    expect(refusalOf(held, demand)).toMatchObject({ kind: "quota_reserved", policy: "monthly" });
  });

  it("is over_limit for what no month could admit", () => {
    const small = { ...month(0), cap: microNeurons(99) };
    expect(refusalOf({ ...room, month: small }, demand)).toEqual({
      kind: "over_limit",
      detail:
        "This call may need 0.0001 neurons, and the cap of a month is 0.000099: a call with a larger bound is never admitted. Ask for less at once.",
    });
  });

  it("leaves the day's refusals as they are", () => {
    const refusal = refusalOf({ ...room, month: month(0), posted: microNeurons(950) }, demand);
    expect(refusal).toMatchObject({ kind: "quota_exceeded", neurons: { limit: 1000 } });
    expect(refusal).not.toHaveProperty("policy");
  });
});

const left = (standing: Partial<AdmissionState>) =>
  usable(neuronBalance({ ...room, ...standing }, bound));

describe("what is left", () => {
  it("is the lesser of the day's and the month's", () => {
    expect(left({})).toBe(1000);
    expect(left({ month: month(4700, 100) })).toBe(200);
    expect(left({ month: month(100) })).toBe(1000);
    expect(left({ terms: paid })).toBeNull();
    expect(left({ terms: paid, month: month(100) })).toBe(4900);
    expect(left({ month: month(9000) })).toBe(0);
  });

  it("is told of what stands in the way", () => {
    const neurons = neuronBalance({ ...room, month: month(4950, 10) }, bound);
    const failure = { kind: "quota_exceeded", neurons, nowMs: NOW } as const;
    expect(inTheWay({ ...failure, policy: "monthly" })).toMatchObject({
      limit: 5000,
      posted: 4950,
      pending: 10,
      available: 40,
      required: 100,
      anewAtMs: DECEMBER,
    });
    expect(inTheWay(failure)).toMatchObject({
      limit: 1000,
      posted: 0,
      anewAtMs: Date.UTC(2026, 10, 21),
    });
  });
});
