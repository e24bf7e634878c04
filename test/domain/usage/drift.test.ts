import { assert, bigInt, property, record } from "fast-check";
import { describe, expect, it } from "vitest";
import {
  accountDay,
  isBeyond,
  type JournalModel,
  type ModelDrift,
  modelDrifts,
  type UpstreamModel,
  worstDrift,
} from "../../../src/domain/usage/drift.ts";

const LLAMA = "@cf/meta/llama-3.1-8b-instruct-fp8";

const charged = (microNeurons: bigint, more: Partial<JournalModel> = {}): JournalModel => ({
  model: LLAMA,
  microNeurons,
  engineRequests: 1,
  inputTokens: 0,
  outputTokens: 0,
  estimated: 0n,
  held: 0n,
  overrun: 0n,
  settledAfterMidnight: 0n,
  settledFromDayBefore: 0n,
  ...more,
});

const counted = (microNeurons: bigint, model = LLAMA): UpstreamModel => ({
  model,
  microNeurons,
  engineRequests: 1,
  inputTokens: 0,
  outputTokens: 0,
});

const only = (journal: JournalModel, upstream: UpstreamModel): ModelDrift => {
  const [drift] = modelDrifts([journal], [upstream]);
  if (drift === undefined) throw new Error("one model makes one drift");
  return drift;
};

describe("modelDrifts", () => {
  it("is what Cloudflare counted less what was charged, of each model that either knows", () => {
    const other = "@cf/other/side";
    const drifts = modelDrifts([charged(100n)], [counted(7n, other)]);
    expect(drifts.map(({ model, drift }) => ({ model, drift }))).toEqual([
      { model: LLAMA, drift: -100n },
      { model: other, drift: 7n },
    ]);
    expect(drifts[0]?.upstream).toEqual({ ...counted(0n), engineRequests: 0 });
    expect(drifts[1]?.journal.microNeurons).toBe(0n);
  });

  it("is unknown, and not zero, where nothing is known of the day", () => {
    const [drift] = modelDrifts([charged(100n)], null);
    expect(drift).toMatchObject({ upstream: null, drift: null, unexplained: null });
    expect(modelDrifts([charged(0n)], null)[0]?.drift).toBeNull();
  });

  it.each<[string, Partial<JournalModel>, bigint, bigint]>([
    ["nothing", {}, 120n, 20n],
    ["nothing", {}, 80n, -20n],
    ["an overrun, to the unit", { overrun: 20n }, 120n, 0n],
    ["an overrun, to the unit", { overrun: 20n }, 121n, 1n],
    ["an overrun that was not counted", { overrun: 20n }, 100n, -20n],
    ["an estimate that was too high", { estimated: 60n }, 40n, 0n],
    ["an estimate that was too high", { estimated: 60n }, 39n, -1n],
    ["an estimate that was too low", { estimated: 60n }, 161n, 1n],
    ["what was held and did not run", { held: 30n }, 70n, 0n],
    ["what was held and did not run", { held: 30n }, 69n, -1n],
    ["what was held makes us charge no less", { held: 30n }, 101n, 1n],
    ["what was counted a day later", { settledAfterMidnight: 30n }, 70n, 0n],
    ["what was counted a day later", { settledAfterMidnight: 30n }, 101n, 1n],
    ["what the day before was charged for", { settledFromDayBefore: 30n }, 130n, 0n],
    ["what the day before was charged for", { settledFromDayBefore: 30n }, 99n, -1n],
    ["all of it", { overrun: 5n, estimated: 10n, held: 20n }, 75n, 0n],
  ])("leaves unexplained what is beyond %s", (_, causes, upstream, unexplained) => {
    expect(only(charged(100n, causes), counted(upstream)).unexplained).toBe(unexplained);
  });

  it("never explains more than there is, nor in the wrong direction", () => {
    const amount = bigInt({ min: 0n, max: 10n ** 16n });
    const causes = record({
      estimated: amount,
      held: amount,
      overrun: amount,
      settledAfterMidnight: amount,
      settledFromDayBefore: amount,
    });
    assert(
      property(amount, amount, causes, (ours, theirs, because) => {
        const { drift, unexplained } = only(charged(ours, because), counted(theirs));
        const rest = unexplained ?? 0n;
        const explained = (drift ?? 0n) - rest;
        const { overrun, estimated, held } = because;
        const least = overrun - estimated - held - because.settledAfterMidnight;
        const most = overrun + estimated + because.settledFromDayBefore;
        expect(explained >= least && explained <= most).toBe(true);
        expect(rest >= 0n || explained === least).toBe(true);
        expect(rest <= 0n || explained === most).toBe(true);
      }),
    );
  });
});

describe("isBeyond", () => {
  const threshold = { percent: 5, microNeurons: 100n };
  const beyond = (ours: bigint, theirs: bigint): boolean =>
    isBeyond(only(charged(ours), counted(theirs)), threshold);

  it("wants both the share and the amount", () => {
    expect(beyond(10_000n, 10_600n)).toBe(true);
    expect(beyond(10_600n, 10_000n)).toBe(true);
    expect(beyond(10_000n, 10_500n)).toBe(false);
    expect(beyond(1000n, 1099n)).toBe(false);
    expect(beyond(0n, 100n)).toBe(true);
    expect(beyond(0n, 99n)).toBe(false);
  });

  it("is not said of what is unknown", () => {
    const [unknown] = modelDrifts([charged(10n ** 12n)], null);
    expect(unknown === undefined || isBeyond(unknown, threshold)).toBe(false);
  });
});

describe("accountDay", () => {
  it("bills what is beyond the free allocation, and says what the platform carries", () => {
    const overage = [
      { usdPer1000: "0.011", microNeurons: 2_498_802_900n },
      { usdPer1000: "0.02", microNeurons: 1_000_000_000n },
    ];
    expect(accountDay(12_498_802_900n, "paid", overage)).toEqual({
      costUsd: "0.1374868319",
      freeAllocationUsd: "0.11",
      expectedBillUsd: "0.0274868319",
      chargedToTenantsUsd: "0.0474868319",
      carriedByPlatformUsd: "-0.02",
    });
  });

  it("bills nothing within it, and nothing on the free plan", () => {
    expect(accountDay(10_000_000_000n, "paid", []).expectedBillUsd).toBe("0");
    expect(accountDay(10_000_000_001n, "paid", []).expectedBillUsd).toBe("0.000000000011");
    expect(accountDay(20_000_000_000n, "free", []).expectedBillUsd).toBe("0");
  });

  it("takes what was adjusted off, below nothing too", () => {
    const overage = [
      { usdPer1000: "0.011", microNeurons: 1_000_000_000n },
      { usdPer1000: "0.02", microNeurons: -1_000_000_000n },
    ];
    const day = accountDay(0n, "paid", overage);
    expect(day.chargedToTenantsUsd).toBe("-0.009");
    expect(day.carriedByPlatformUsd).toBe("0.009");
  });
});

describe("worstDrift", () => {
  it("is by how much more was used than we know of, at most", () => {
    expect(
      worstDrift([
        { drift: 50n, overrun: 20n },
        { drift: 40n, overrun: 0n },
        { drift: -90n, overrun: 0n },
      ]),
    ).toBe(40n);
    expect(worstDrift([{ drift: -90n, overrun: 0n }])).toBe(0n);
    expect(worstDrift([])).toBe(0n);
  });
});
