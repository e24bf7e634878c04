// One pass over all tenants: the object of each counts what must always be zero. A tenant that was not fully
// counted must not look sound: one that does not answer, or has more lines than one check reads, is called
// again and then reported among the findings.

/** The count of one invariant, for one tenant or for all. */
export interface CheckCount {
  /** Its number in the documentation. */
  readonly number: number;
  readonly name: string;
  /** How many things were checked; null when violations are counted as they happen. */
  readonly checked: number | null;
  readonly violations: number;
}

export interface CheckDeliveries {
  readonly waiting: number;
  readonly failed: number;
}

/** The counts of one tenant's object. */
export interface CheckedTenant {
  readonly counts: readonly CheckCount[];
  /** All lines of today and yesterday were checked. */
  readonly isComplete: boolean;
  /** Lines of calls drawn until then were checked; null: all lines. */
  readonly checkedToMs: number | null;
  readonly countedAtMs: number;
  readonly deliveries: CheckDeliveries;
}

/** `gone`: the tenant does not exist any more, or not yet; it is not counted. */
export type CheckAnswer = CheckedTenant | "unanswered" | "gone";

export type FoundKind = "broken" | "unfinished" | "unanswered";

/** The sums of a pass, over the tenants that it has finished. */
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

/** How often a pass calls a tenant that does not answer or has more lines to check. */
export const MOST_TRIES = 3;

/** Null: all that must be zero is, and everything was checked. */
export function foundIn(answer: Exclude<CheckAnswer, "gone">): FoundKind | null {
  if (answer === "unanswered") return "unanswered";
  if (answer.counts.some(({ violations }) => violations > 0)) return "broken";
  return answer.isComplete ? null : "unfinished";
}

/** Whether the pass calls the tenant once more; `tries` includes this answer. */
export const isAskedAgain = (kind: FoundKind | null, tries: number): boolean =>
  kind !== null && kind !== "broken" && tries < MOST_TRIES;

/** Adds a tenant that the pass has finished. */
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

/** Adds counts by number: an older object may count fewer of them. */
function addCounts(
  sums: readonly CheckCount[],
  counts: readonly CheckCount[],
): readonly CheckCount[] {
  const added = new Map(sums.map((sum) => [sum.number, sum]));
  for (const { number, name, checked, violations } of counts) {
    const before = added.get(number);
    const total = checked === null ? null : (before?.checked ?? 0) + checked;
    const broken = (before?.violations ?? 0) + violations;
    added.set(number, { number, name, checked: total, violations: broken });
  }
  return [...added.values()].toSorted((a, b) => a.number - b.number);
}

/** How far the look at the lines is: what was not looked at must not look sound. */
export type InvariantCounts = Omit<CheckedTenant, "deliveries">;
