// One pass over all tenants in which each one's object counts what must always be zero. What was not
// counted must not look sound: one that does not answer, or has more lines than one look reads, is asked
// again, and then stands among what was found.

/** What one invariant came to, of one tenant or of all. */
export interface CheckCount {
  /** As the documentation numbers them. */
  readonly number: number;
  readonly name: string;
  /** How many things were looked at; null where breaks are counted as they happen. */
  readonly checked: number | null;
  readonly violations: number;
}

export interface CheckDeliveries {
  readonly waiting: number;
  readonly failed: number;
}

/** What a tenant's object counted. */
export interface CheckedTenant {
  readonly counts: readonly CheckCount[];
  /** All lines of today and yesterday were looked at. */
  readonly isComplete: boolean;
  /** Lines of calls drawn up to then were looked at; null: all of them. */
  readonly checkedToMs: number | null;
  readonly countedAtMs: number;
  readonly deliveries: CheckDeliveries;
}

/** `gone`: there is no such tenant any more, or not yet; it is counted nowhere. */
export type CheckAnswer = CheckedTenant | "unanswered" | "gone";

export type FoundKind = "broken" | "unfinished" | "unanswered";

/** What a pass adds up, of tenants that it is done with. */
export interface CheckSums {
  readonly checked: number;
  readonly found: Readonly<Record<FoundKind, number>>;
  readonly counts: readonly CheckCount[];
  readonly deliveries: CheckDeliveries;
}

export const NOTHING_CHECKED: CheckSums = {
  checked: 0,
  found: { broken: 0, unfinished: 0, unanswered: 0 },
  counts: [],
  deliveries: { waiting: 0, failed: 0 },
};

/** How often a pass asks a tenant that does not answer, or is not done with its lines. */
export const MOST_TRIES = 3;

/** Null: what must be zero is, and everything was looked at. */
export function foundIn(answer: Exclude<CheckAnswer, "gone">): FoundKind | null {
  if (answer === "unanswered") return "unanswered";
  if (answer.counts.some(({ violations }) => violations > 0)) return "broken";
  return answer.isComplete ? null : "unfinished";
}

/** Whether the pass asks it once more; `tries` counts this answer. */
export const isAskedAgain = (kind: FoundKind | null, tries: number): boolean =>
  kind !== null && kind !== "broken" && tries < MOST_TRIES;

/** With a tenant that the pass is done with. */
export function withTenant(
  { checked, found, counts, deliveries }: CheckSums,
  answer: Exclude<CheckAnswer, "gone">,
): CheckSums {
  const kind = foundIn(answer);
  const own = answer === "unanswered" ? null : answer;
  return {
    checked: checked + 1,
    found: kind === null ? found : { ...found, [kind]: found[kind] + 1 },
    counts: own === null ? counts : addCounts(counts, own.counts),
    deliveries: {
      waiting: deliveries.waiting + (own?.deliveries.waiting ?? 0),
      failed: deliveries.failed + (own?.deliveries.failed ?? 0),
    },
  };
}

/** By number: an older object may count fewer of them. */
function addCounts(
  sums: readonly CheckCount[],
  counts: readonly CheckCount[],
): readonly CheckCount[] {
  const added = new Map(sums.map((sum) => [sum.number, sum]));
  for (const { number, name, checked, violations } of counts) {
    const before = added.get(number);
    const looked = checked === null ? null : (before?.checked ?? 0) + checked;
    const broken = (before?.violations ?? 0) + violations;
    added.set(number, { number, name, checked: looked, violations: broken });
  }
  return [...added.values()].toSorted((a, b) => a.number - b.number);
}
