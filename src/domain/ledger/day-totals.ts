import { type Adjustment, amountOf } from "./adjustment.ts";
import { type MicroNeurons, microNeurons } from "./micro-neurons.ts";
import { type Drawn, posted } from "./quota.ts";
import { countsOfLine, type VerdictCounts } from "../moderation/verdict-counts.ts";
import { type Item, type JournalLine } from "./ledger.ts";

// The sums of a day, kept in one row beside its posted amount, so that a report reads a bounded number of
// rows for any length of the journal. Amounts are µN.

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
  /** By model, engine and price. */
  readonly models: Readonly<Record<string, ModelTotals>>;
  /** Overage drawn, by its rate in USD per 1,000 neurons: the tenant's debt, which is never priced again. */
  readonly overageByRate: Readonly<Record<string, number>>;
  /** Refused calls by kind. */
  readonly refused: Readonly<Record<string, number>>;
  /** The amount given back by adjustments, negative. Absent: none. */
  readonly adjusted?: number;
  /** The counts of verdicts, by name. Absent: none were made since the counts exist. */
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

/** The models keep their use: it happened, and the platform pays for it. */
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
 * What the account behind all tenants has lost on a day: all charges, including those that were given back
 * later, and the use of engines beyond their bounds.
 */
export const consumed = (drawn: Drawn, { overrun, adjusted = 0 }: DayTotals): MicroNeurons =>
  microNeurons(posted(drawn) + overrun - adjusted);
