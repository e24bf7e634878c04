import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  adjust,
  type Adjustment,
  amountOf,
  drawnLess,
  leftOf,
} from "../../../src/domain/ledger/adjustment.ts";
import { addAdjustment, addLine, NO_TOTALS } from "../../../src/domain/ledger/day-totals.ts";
import { toAdjustmentLine, toJournalLine } from "../../../src/domain/ledger/journal-object.ts";
import { charged, type JournalLine } from "../../../src/domain/ledger/ledger.ts";
import { microNeurons } from "../../../src/domain/ledger/micro-neurons.ts";
import { chargeUsd } from "../../../src/domain/ledger/money.ts";
import { type Drawn, posted } from "../../../src/domain/ledger/quota.ts";
import { itemOf } from "./ledger-fixtures.ts";

const NOW = Date.UTC(2026, 10, 22);

const lineOf = (quota: number, granted: number, overage: number): JournalLine => ({
  callId: "jnl_01",
  requestId: "req_01",
  route: "POST /v1/verdicts",
  keyId: null,
  userId: "u_1",
  verdictId: null,
  day: 20_777,
  admittedAtMs: NOW - 86_400_000,
  settledAtMs: NOW - 86_399_000,
  outcome: "posted",
  held: microNeurons(quota + granted + overage),
  drawn: drawn(quota, granted, overage),
  grants:
    granted === 0
      ? []
      : [
          { grantId: "grt_1", microNeurons: microNeurons(Math.floor(granted / 3)) },
          {
            grantId: "grt_2",
            microNeurons: microNeurons(granted - Math.floor(granted / 3)),
          },
        ],
  overrun: microNeurons(0),
  overageUsdPer1000: overage > 0 ? "0.02" : null,
  priceBook: "2026-09",
  items: [itemOf(quota + granted + overage)],
});

function drawn(quota: number, granted: number, overage: number): Drawn {
  return {
    quota: microNeurons(quota),
    granted: microNeurons(granted),
    overage: microNeurons(overage),
  };
}

const ask = (amount: number | null, id = "jnl_02") => ({
  id,
  requestId: "req_02",
  reason: "contested",
  amount: amount === null ? null : microNeurons(amount),
  nowMs: NOW,
});

function made(line: JournalLine, earlier: readonly Adjustment[], amount: number | null) {
  const adjusted = adjust(line, earlier, ask(amount));
  if (adjusted.kind !== "adjusted") throw new Error(JSON.stringify(adjusted));
  return adjusted.adjustment;
}

const owed = (parts: Readonly<Record<string, number>>) =>
  chargeUsd(
    Object.entries(parts).map(([usdPer1000, amount]) => ({ usdPer1000, microNeurons: amount })),
  );

describe("what is given back", () => {
  const line = lineOf(50, 30, 20);

  it.each<[string, number | null, Drawn, (readonly [string, number])[]]>([
    ["overage first", 15, drawn(0, 0, 15), []],
    ["to its last µN", 20, drawn(0, 0, 20), []],
    ["then the grant that was drawn on last", 35, drawn(0, 15, 20), [["grt_2", 15]]],
    [
      "then the one before it",
      45,
      drawn(0, 25, 20),
      [
        ["grt_2", 20],
        ["grt_1", 5],
      ],
    ],
    [
      "then the quota",
      60,
      drawn(10, 30, 20),
      [
        ["grt_2", 20],
        ["grt_1", 10],
      ],
    ],
    [
      "all of it",
      null,
      drawn(50, 30, 20),
      [
        ["grt_2", 20],
        ["grt_1", 10],
      ],
    ],
  ])("%s", (_, amount, back, grants) => {
    const adjustment = made(line, [], amount);
    expect(adjustment.givenBack).toEqual(back);
    expect(adjustment.grants.map((draw) => [draw.grantId, draw.microNeurons])).toEqual(grants);
    expect(adjustment.overageUsdPer1000).toBe("0.02");
    expect(adjustment).toMatchObject({ adjusts: "jnl_01", day: 20_777, reason: "contested" });
  });

  it("has no rate where no overage is given back", () => {
    expect(made(lineOf(50, 0, 0), [], 10).overageUsdPer1000).toBeNull();
    const first = made(line, [], 20);
    expect(made(line, [first], 5)).toMatchObject({
      givenBack: drawn(0, 5, 0),
      overageUsdPer1000: null,
    });
  });

  it("is never more than what is left of the line", () => {
    const first = made(line, [], 60);
    expect(posted(leftOf(line, [first]).drawn)).toBe(40);
    expect(adjust(line, [first], ask(41))).toEqual({
      kind: "invalid_request",
      errors: [
        {
          path: ["neurons"],
          detail: "must be at most 0.00004, the part of that line that was not given back yet",
        },
      ],
    });
    const rest = made(line, [first], null);
    expect(amountOf(rest)).toBe(40);
    expect(adjust(line, [first, rest], ask(null))).toMatchObject({
      kind: "invalid_request",
      errors: [{ path: ["line_id"] }],
    });
    expect(adjust(lineOf(0, 0, 0), [], ask(null)).kind).toBe("invalid_request");
  });

  it("leaves nothing of anything below zero, whatever is given back in whichever parts", () => {
    const part = fc.nat(1000);
    fc.assert(
      fc.property(
        part,
        part,
        part,
        fc.array(fc.integer({ min: 1, max: 700 })),
        (q, g, o, parts) => {
          const whole = lineOf(q, g, o);
          let totals = addLine(NO_TOTALS, whole);
          let day = whole.drawn;
          const earlier: Adjustment[] = [];
          for (const amount of parts) {
            const one = adjust(whole, earlier, ask(amount));
            const left = charged(whole) - earlier.reduce((sum, each) => sum + amountOf(each), 0);
            expect(one.kind === "adjusted").toBe(amount <= left);
            if (one.kind !== "adjusted") continue;
            earlier.push(one.adjustment);
            totals = addAdjustment(totals, one.adjustment);
            day = drawnLess(day, one.adjustment);
            expect(amountOf(one.adjustment)).toBe(amount);
            // The day's books: what ran, with what was given back, is what it posted.
            expect(charged(whole) + (totals.adjusted ?? 0)).toBe(posted(day));
            expect(totals.overageByRate["0.02"] ?? 0).toBe(day.overage);
            expect(totals.calls).toBe(1);
          }
        },
      ),
    );
  });

  it("lowers what is owed by exactly what was charged", () => {
    const other: JournalLine = { ...lineOf(0, 0, 7), overageUsdPer1000: "0.011" };
    const totals = addLine(addLine(NO_TOTALS, line), other);
    const after = addAdjustment(totals, made(line, [], null));
    expect(owed(after.overageByRate)).toBe(owed({ "0.011": 7 }));
  });
});

describe("as a line of the journal", () => {
  it("has the same fields as any, and amounts below zero", () => {
    const line = lineOf(50, 30, 20);
    const object = toAdjustmentLine(made(line, [], 60));
    expect(Object.keys(object).toSorted()).toEqual(Object.keys(toJournalLine(line)).toSorted());
    expect(object).toMatchObject({
      route: "adjustment",
      day: "2026-11-20",
      micro_neurons: -60,
      quota_micro_neurons: -10,
      granted_micro_neurons: -30,
      overage_micro_neurons: -20,
      overage_usd_per_1000_neurons: "0.02",
      items: [{ micro_neurons: -60 }],
      adjusts: "jnl_01",
      reason: "contested",
      user_id: null,
    });
    expect(Object.is(toAdjustmentLine(made(line, [], 5)).quota_micro_neurons, 0)).toBe(true);
    expect(toJournalLine(line)).toMatchObject({ adjusts: null, reason: null });
  });
});
