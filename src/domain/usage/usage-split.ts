import type { ModelKey } from "../ledger/day-totals.ts";
import { charged, type JournalLine } from "../ledger/ledger.ts";
import type { Day } from "../ledger/period.ts";
import { usageOf } from "./usage-fold.ts";
import type { GroupKey } from "./usage-report.ts";
import { addSums, emptySum, ENGINE_FIELDS, fieldsWithout, type SumOf } from "./usage-sum.ts";

// A tenant's usage of a day by user, key and model at once. It is kept in the tenant's object only, and
// read for what the other rows cannot answer: a key's usage, and the models of a user or of a key.

/** The sums of a split. `calls` counts each call once, in the split of its first model. */
export const SPLIT_FIELDS = {
  calls: "count",
  ...fieldsWithout(ENGINE_FIELDS, "inputTokens", "outputTokens", "settledAfterMidnight", "latency"),
} as const;

export type SplitSum = SumOf<typeof SPLIT_FIELDS, number>;

/** What the calls of a user with a key came to at a model. */
export interface Split extends SplitSum {
  readonly day: Day;
  /** Null: the calls named no user, or one without a name in the reports. */
  readonly userId: string | null;
  readonly keyId: string | null;
  /** Null: calls in which no model ran. */
  readonly model: ModelKey | null;
}

/** The slot of calls that named no user. */
export const NAMED_NO_USER = -1;

/** Whether a report needs splits: by key, or by user beside model or task. */
export const needsSplits = (groupBy: readonly GroupKey[]): boolean =>
  groupBy.includes("key") ||
  (groupBy.includes("user") && (groupBy.includes("model") || groupBy.includes("task")));

const NOTHING: SplitSum = emptySum(SPLIT_FIELDS, 0);

const placeOf = ({ day, userId, keyId, model }: Omit<Split, keyof SplitSum>): string =>
  JSON.stringify([day, userId, keyId, model]);

/** What some lines add, a split for each place. */
export function foldSplits(lines: readonly JournalLine[]): readonly Split[] {
  const splits = new Map<string, Split>();
  for (const line of lines) {
    for (const split of splitsOf(line)) {
      const place = placeOf(split);
      const before = splits.get(place);
      splits.set(place, before === undefined ? split : addSums(SPLIT_FIELDS, before, split));
    }
  }
  return [...splits.values()];
}

function splitsOf(line: JournalLine): readonly Split[] {
  const { day, userId, keyId } = line;
  const rows = usageOf(line);
  if (rows.length === 0) {
    const microNeurons = charged(line);
    return [{ ...NOTHING, day, userId, keyId, model: null, calls: 1, microNeurons }];
  }
  return rows.map(({ model, engine, pricedAs, task, ...sums }, at) => ({
    day,
    userId,
    keyId,
    model: { model, engine, pricedAs, task },
    ...addSums(SPLIT_FIELDS, NOTHING, { ...sums, calls: at === 0 ? 1 : 0 }),
  }));
}
