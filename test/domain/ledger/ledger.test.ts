import { describe, expect, it } from "vitest";
import {
  capped,
  charged,
  drawnAfter,
  expire,
  type Hold,
  makeHold,
  post,
  type SettleTerms,
} from "../../../src/domain/ledger/ledger.ts";
import { microNeurons } from "../../../src/domain/ledger/micro-neurons.ts";
import { type Drawn, NOTHING_DRAWN } from "../../../src/domain/ledger/quota.ts";
import { itemOf, stageOf, unasked } from "./ledger-fixtures.ts";

const ADMITTED = Date.UTC(2026, 10, 20, 23, 59, 59, 900);
const SETTLED = ADMITTED + 700;

const hold: Hold = makeHold({
  callId: "jnl_01",
  requestId: "req_01",
  route: "POST /v1/verdicts",
  keyId: "key_01",
  userId: "u_1207",
  day: 20_777,
  admittedAtMs: ADMITTED,
  deadlineMs: ADMITTED + 90_000,
  priceBook: "2026-09",
  stages: [stageOf(100, 2), stageOf(30)],
});

const drawn = (quota: number, overage = 0): Drawn => ({
  quota: microNeurons(quota),
  granted: microNeurons(0),
  overage: microNeurons(overage),
});

const at = (plan: "free" | "paid", before: Drawn = NOTHING_DRAWN): SettleTerms => ({
  terms: { plan, daily: microNeurons(200), overageCap: "unlimited", overageUsdPer1000: "0.02" },
  drawn: before,
  nowMs: SETTLED,
});

describe("makeHold", () => {
  it("holds the sum of its stages' bounds", () => {
    expect(hold.held).toBe(130);
    expect(makeHold({ ...hold, stages: [] }).held).toBe(0);
  });
});

describe("post", () => {
  it("makes the line of what was used, in the day of the admission", () => {
    const items = [itemOf(70), itemOf(20, { basis: "estimated" })];
    expect(post(hold, items, "vrd_01", at("free"))).toEqual({
      callId: "jnl_01",
      requestId: "req_01",
      route: "POST /v1/verdicts",
      keyId: "key_01",
      userId: "u_1207",
      verdictId: "vrd_01",
      day: 20_777,
      admittedAtMs: ADMITTED,
      settledAtMs: SETTLED,
      outcome: "posted",
      held: 130,
      drawn: drawn(90),
      grants: [],
      overrun: 0,
      overageUsdPer1000: null,
      priceBook: "2026-09",
      items,
    });
  });

  it.each([
    ["nothing was planned", []],
    ["no stage asked an engine", [unasked, unasked]],
  ])("voids a call where %s", (_, items) => {
    const line = post(hold, items, null, at("paid", drawn(200)));
    expect(line).toMatchObject({
      outcome: "voided",
      drawn: NOTHING_DRAWN,
      overageUsdPer1000: null,
    });
  });

  it("posts a call that ran for nothing: an engine was asked", () => {
    expect(post(hold, [itemOf(0), unasked], null, at("free")).outcome).toBe("posted");
  });

  it("posts what is charged although no model is known", () => {
    const line = post(hold, [itemOf(5, { model: null })], null, at("free"));
    expect(line).toMatchObject({ outcome: "posted", drawn: drawn(5) });
  });

  it.each<[string, number, SettleTerms, Drawn, string | null]>([
    ["within the quota", 90, at("paid"), drawn(90), null],
    ["the crossing call is split", 90, at("paid", drawn(150)), drawn(50, 40), "0.02"],
    ["all overage", 90, at("paid", drawn(200, 7)), drawn(0, 90), "0.02"],
    ["free owes nothing", 90, at("free", drawn(150)), drawn(90), null],
  ])("draws: %s", (_, amount, terms, expected, rate) => {
    const line = post(hold, [itemOf(amount)], null, terms);
    expect(line).toMatchObject({ drawn: expected, overageUsdPer1000: rate });
    expect(charged(line)).toBe(amount);
  });

  it("never charges above the hold: the rest is overrun, and the items stay the line's sum", () => {
    const items = [itemOf(90, { overrun: microNeurons(3) }), itemOf(60), itemOf(10)];
    const line = post(hold, items, null, at("free"));
    expect(charged(line)).toBe(130);
    expect(line.overrun).toBe(3 + 20 + 10);
    expect(line.items.map((item) => [item.microNeurons, item.overrun])).toEqual([
      [90, 3],
      [40, 20],
      [0, 10],
    ]);
  });
});

describe("expire", () => {
  it("charges every stage at its bound", () => {
    const line = expire(hold, at("paid", drawn(150)));
    expect(line).toMatchObject({
      outcome: "expired",
      verdictId: null,
      drawn: drawn(50, 80),
      overrun: 0,
      overageUsdPer1000: "0.02",
    });
    const held = { basis: "held", failed: true, engine: null };
    expect(line.items).toMatchObject([
      { ...held, microNeurons: 100, calls: 2, units: { input_token: 20 } },
      { ...held, microNeurons: 30, calls: 1 },
    ]);
  });

  it("charges nothing for a call that planned nothing", () => {
    const line = expire(makeHold({ ...hold, stages: [] }), at("paid"));
    expect(line).toMatchObject({ outcome: "expired", drawn: NOTHING_DRAWN });
  });
});

describe("capped and drawnAfter", () => {
  it.each([
    [99, 99, 0],
    [100, 100, 0],
    [101, 100, 1],
    [0, 0, 0],
  ])("%s under 100 is %s and %s over", (amount, microNeurons_, overrun) => {
    expect(capped(microNeurons(amount), microNeurons(100))).toEqual({
      microNeurons: microNeurons_,
      overrun,
    });
  });

  it("adds a line to what its day has drawn", () => {
    const line = post(hold, [itemOf(90)], null, at("paid", drawn(150)));
    expect(drawnAfter(drawn(150, 1), line)).toEqual(drawn(200, 41));
  });
});
