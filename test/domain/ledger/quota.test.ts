import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { microNeurons } from "../../../src/domain/ledger/micro-neurons.ts";
import {
  addDrawn,
  draw,
  type Drawn,
  limitOf,
  NOTHING_DRAWN,
  posted,
  type QuotaTerms,
} from "../../../src/domain/ledger/quota.ts";

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
