import { type Adjustment, amountOf } from "./adjustment.ts";
import { type MicroNeurons, microNeurons } from "./micro-neurons.ts";
import { type Drawn, posted } from "./quota.ts";
import { countsOfLine, type VerdictCounts } from "../moderation/verdict-counts.ts";
import { type Item, type JournalLine } from "./ledger.ts";

// What a day adds up to, kept beside the day's posted amount in one row, so that a report reads a
// bounded number of rows whatever the journal's length. Amounts are µN.

export interface ModelTotals {
  readonly model: string;
  readonly engine: string;
  readonly pricedAs: string;
  readonly task: string;
  readonly engineRequests: number;
  readonly failed: number;
  readonly units: Readonly<Record<string, number>>;
  readonly microNeurons: number;
  readonly estimated: number;
  readonly held: number;
}

export interface DayTotals {
  readonly calls: number;
  readonly overrun: number;
  /** Keyed by what ran, the engine and the price taken. */
  readonly models: Readonly<Record<string, ModelTotals>>;
  /** Overage drawn by its rate, USD per 1,000 neurons: what the tenant owes, never re-priced. */
  readonly overageByRate: Readonly<Record<string, number>>;
  /** Refused calls by kind. */
  readonly refused: Readonly<Record<string, number>>;
  /** Given back by adjustments: negative. Absent: nothing was. */
  readonly adjusted?: number;
  /** What verdicts came to, by name. Absent: there were none since they are counted. */
  readonly verdicts?: VerdictCounts;
}

export const NO_TOTALS: DayTotals = {
  calls: 0,
  overrun: 0,
  models: {},
  overageByRate: {},
  refused: {},
};

export function addLine(totals: DayTotals, line: JournalLine): DayTotals {
  const models = { ...totals.models };
  for (const item of line.items) {
    if (item.model === null) continue;
    const key = `${item.engine}|${item.model}|${item.pricedAs}`;
    models[key] = addItem(models[key], item, item.model);
  }
  const rate = line.overageUsdPer1000;
  const counts = Object.entries(countsOfLine(line));
  const verdicts = counts.reduce(
    (sums, [name, count]) => added(sums, name, count),
    totals.verdicts ?? {},
  );
  return {
    ...totals,
    ...(counts.length > 0 && { verdicts }),
    calls: totals.calls + 1,
    overrun: totals.overrun + line.overrun,
    models,
    overageByRate:
      rate === null ? totals.overageByRate : added(totals.overageByRate, rate, line.drawn.overage),
  };
}

/** What ran stays with its models: it was used, and the platform pays for it. */
export function addAdjustment(totals: DayTotals, made: Adjustment): DayTotals {
  const { overageUsdPer1000: rate, givenBack } = made;
  const back = 0 - givenBack.overage;
  return {
    ...totals,
    adjusted: (totals.adjusted ?? 0) - amountOf(made),
    overageByRate: rate === null ? totals.overageByRate : added(totals.overageByRate, rate, back),
  };
}

export const addRefused = (totals: DayTotals, kind: string, count: number): DayTotals => ({
  ...totals,
  refused: added(totals.refused, kind, count),
});

function addItem(before: ModelTotals | undefined, item: Item, model: string): ModelTotals {
  let units = before?.units ?? {};
  for (const [unit, count] of Object.entries(item.units)) units = added(units, unit, count);
  return {
    model,
    engine: item.engine ?? "unknown",
    pricedAs: item.pricedAs,
    task: item.task,
    engineRequests: (before?.engineRequests ?? 0) + item.calls,
    failed: (before?.failed ?? 0) + (item.failed ? 1 : 0),
    units,
    microNeurons: (before?.microNeurons ?? 0) + item.microNeurons,
    estimated: (before?.estimated ?? 0) + (item.basis === "estimated" ? item.microNeurons : 0),
    held: (before?.held ?? 0) + (item.basis === "held" ? item.microNeurons : 0),
  };
}

const added = (
  counts: Readonly<Record<string, number>>,
  key: string,
  count: number,
): Readonly<Record<string, number>> => ({ ...counts, [key]: (counts[key] ?? 0) + count });

/**
 * What the account behind all tenants has lost to a day: what was charged, also what was given back of
 * it later, and what engines used beyond their bounds.
 */
export const consumed = (drawn: Drawn, { overrun, adjusted = 0 }: DayTotals): MicroNeurons =>
  microNeurons(posted(drawn) + overrun - adjusted);
