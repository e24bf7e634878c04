import {
  addSums,
  CALL_FIELDS,
  emptySum,
  ENGINE_FIELDS,
  fieldsWithout,
  onlyFields,
  sumOfItem,
  type SumOf,
} from "../usage/usage-sum.ts";
import { type Adjustment, amountOf } from "./adjustment.ts";
import { type MicroNeurons, microNeurons } from "./micro-neurons.ts";
import { type Drawn, posted } from "./quota.ts";
import { countsOfLine } from "../moderation/verdict-counts.ts";
import type { Item, JournalLine } from "./ledger.ts";

// The sums of a day, kept in one row beside its posted amount, so that a report reads a bounded number of
// rows for any length of the journal. Amounts are µN.

/** What ran: rows of usage are of these. */
export interface ModelKey {
  readonly model: string;
  /** `unknown`: nothing is known of what ran, and it was charged at its bound. */
  readonly engine: string;
  /** The catalogue id whose price was taken. */
  readonly pricedAs: string;
  readonly task: string;
}

/** What a day keeps of a model. Tokens are among its units, the overrun is the whole day's. */
export const MODEL_FIELDS = fieldsWithout(
  ENGINE_FIELDS,
  "inputTokens",
  "outputTokens",
  "overrun",
  "settledAfterMidnight",
  "latency",
);

export type ModelTotals = ModelKey & SumOf<typeof MODEL_FIELDS, number>;

/** What a day keeps of its calls, beside what it drew. */
const DAY_FIELDS = {
  ...onlyFields(ENGINE_FIELDS, "overrun"),
  ...fieldsWithout(
    CALL_FIELDS,
    "posted",
    "voided",
    "expired",
    "failed",
    "quota",
    "granted",
    "overage",
    "latency",
    "settledAfterMidnight",
  ),
};

type DaySum = SumOf<typeof DAY_FIELDS, number>;

/** A day without adjustments, or without verdicts since they are counted, has no field for them. */
type Sparse = "adjusted" | "verdicts";

export interface DayTotals extends Omit<DaySum, Sparse>, Partial<Pick<DaySum, Sparse>> {
  /** Keyed by what ran, the engine and the price taken. */
  readonly models: Readonly<Record<string, ModelTotals>>;
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
  const verdicts = countsOfLine(line);
  return addSums(
    DAY_FIELDS,
    { ...totals, models },
    {
      calls: 1,
      overrun: line.overrun,
      ...(rate !== null && { overageByRate: { [rate]: line.drawn.overage } }),
      ...(Object.keys(verdicts).length > 0 && { verdicts }),
    },
  );
}

/** The models keep their use: it happened, and the platform pays for it. */
export function addAdjustment(totals: DayTotals, made: Adjustment): DayTotals {
  const { overageUsdPer1000: rate, givenBack } = made;
  return addSums(DAY_FIELDS, totals, {
    adjusted: 0 - amountOf(made),
    ...(rate !== null && { overageByRate: { [rate]: 0 - givenBack.overage } }),
  });
}

export const addRefused = (totals: DayTotals, kind: string, count: number): DayTotals =>
  addSums(DAY_FIELDS, totals, { refused: { [kind]: count } });

const NO_MODEL = emptySum(MODEL_FIELDS, 0);

/** A model is listed with the task that it was last used for. */
const addItem = (before: ModelTotals | undefined, item: Item, model: string): ModelTotals => {
  const key = {
    model,
    engine: item.engine ?? "unknown",
    pricedAs: item.pricedAs,
    task: item.task,
  };
  return addSums(MODEL_FIELDS, { ...key, ...NO_MODEL, ...before, ...key }, sumOfItem(item));
};

/**
 * What the account behind all tenants has lost on a day: all charges, including those that were given back
 * later, and the use of engines beyond their bounds.
 */
export const consumed = (drawn: Drawn, { overrun, adjusted = 0 }: DayTotals): MicroNeurons =>
  microNeurons(posted(drawn) + overrun - adjusted);
