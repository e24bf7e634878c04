import { disagreement } from "../moderation/cascade.ts";
import type { Category } from "../moderation/category.ts";
import type { PlannedStage } from "../moderation/stage.ts";
import type { StageResult, Verdict } from "../moderation/verdict.ts";
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
import { DOCUMENT_ROUTES, type Work, workOfLine } from "../usage/work.ts";
import { type Adjustment, amountOf } from "./adjustment.ts";
import { type Item, type JournalLine, charged } from "./ledger.ts";
import { type MicroNeurons, microNeurons } from "./micro-neurons.ts";
import { type Drawn, posted } from "./quota.ts";

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

/** A day without them, or from before they were counted, has no field for them. */
type Sparse = "adjusted" | "verdicts" | "work";

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
      ...(DOCUMENT_ROUTES.includes(line.route) && { work: workOfLine(line) }),
    },
  );
}

export const addWork = (totals: DayTotals, work: Work): DayTotals =>
  addSums(DAY_FIELDS, totals, { work });

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

// Sums over the verdicts of a call, by name, so that they add up in any grouping. Only known amounts are
// counted. The use of a stage that was not run is unknown, so its planned bound is counted as the most that
// it could have used.

/** Amounts are in µN. Sums of 0 are left out. */
export type VerdictCounts = Readonly<Record<string, number>>;

export const VERDICT_COUNTS = [
  /** Stored verdicts; test inputs are not counted. */
  "made",
  /** The charges of the calls that made them. */
  "micro_neurons",
  /** Verdicts that reused the scores of another verdict. */
  "reused",
  /** The cost of those other verdicts. */
  "saved",
  /** Stages that were planned and not run, since a free stage had decided. */
  "spared",
  /** The sum of their bounds. */
  "spared_at_most",
  /** Inputs that a model inside the Worker judged, where the policy names no paid model. */
  "free",
  /** Texts that the text model decided and that the judge read too, as a sample. */
  "compared",
] as const;

export type VerdictCount = (typeof VERDICT_COUNTS)[number];

/** Of the compared texts, those whose judge contradicts the decision in that category. */
export const disagreedIn = (category: Category): string => `${DISAGREED}${category}`;

const DISAGREED = "disagreed:";

/** The category that such a name is of; null: it is another name. */
export const disagreedCategory = (name: string): string | null =>
  name.startsWith(DISAGREED) ? name.slice(DISAGREED.length) : null;

/** The models inside the Worker, with the paid stages that they may replace. */
const PAID: Readonly<Partial<Record<StageResult["name"], StageResult["name"]>>> = {
  tier0: "judge",
  picture: "vision",
};

/**
 * @param verdicts the verdicts of a call, in the order of its contents
 * @param planned the stages of its hold
 */
export function countVerdicts(
  verdicts: readonly Verdict[],
  planned: readonly PlannedStage[],
): VerdictCounts {
  const sums: Record<VerdictCount, number> & Record<string, number> = {
    made: 0,
    micro_neurons: 0,
    reused: 0,
    saved: 0,
    spared: 0,
    spared_at_most: 0,
    free: 0,
    compared: 0,
  };
  for (const [content, { test, stages, reuse }] of verdicts.entries()) {
    if (test) continue;
    sums.made += 1;
    if (reuse?.from !== undefined) {
      sums.reused += 1;
      sums.saved += reuse.from.microNeurons;
      continue;
    }
    const compared = comparedIn(stages);
    if (compared !== null) sums.compared += 1;
    for (const category of compared ?? []) {
      sums[disagreedIn(category)] = (sums[disagreedIn(category)] ?? 0) + 1;
    }
    for (const { name, input, status } of stages) {
      const plan = planned.find(
        (one) => one.content === content && one.name === name && one.input === input,
      );
      if (plan !== undefined && status === "not_required") {
        sums.spared += 1;
        sums.spared_at_most += plan.bound;
      }
      const paid = PAID[name];
      const isAlone = !stages.some((other) => other.name === paid && other.input === input);
      if (paid !== undefined && status === "evaluated" && isAlone) sums.free += 1;
    }
  }
  return Object.fromEntries(Object.entries(sums).filter(([, count]) => count !== 0));
}

/** Where the judge contradicts what the text model decided; null: it was not asked, or did not answer. */
function comparedIn(stages: readonly StageResult[]): readonly Category[] | null {
  const judge = stages.find(({ sample }) => (sample?.decided ?? null) !== null);
  if (judge?.sample === undefined) return null;
  switch (disagreement(judge)) {
    case "missed":
      return judge.sample.harmful;
    case "wrong_block":
      return judge.sample.blockedFor === undefined ? [] : [judge.sample.blockedFor];
    case null:
      return judge.status === "evaluated" ? [] : null;
  }
}

/** The counts of a call with one new verdict or none, and nothing else to count: lines leave them out. */
const plainCounts = (verdictId: string | null): VerdictCounts =>
  verdictId === null ? {} : { made: 1 };

/** The counts that a line must store; undefined when the id of its verdict implies them. */
export function keptCounts(
  counts: VerdictCounts,
  verdictId: string | null,
): VerdictCounts | undefined {
  return JSON.stringify(counts) === JSON.stringify(plainCounts(verdictId)) ? undefined : counts;
}

/** Verdicts that arrived after their hold expired are not counted: the expired line was. */
export function countsOfLine(line: JournalLine): VerdictCounts {
  if (line.outcome === "expired") return {};
  const counts = line.verdicts ?? plainCounts(line.verdictId);
  const cost = charged(line);
  return (counts["made"] ?? 0) === 0 || cost === 0 ? counts : { ...counts, micro_neurons: cost };
}
