import { charged, type JournalLine } from "../ledger/ledger.ts";
import type { PlannedStage } from "./stage.ts";
import type { StageResult, Verdict } from "./verdict.ts";

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
] as const;

export type VerdictCount = (typeof VERDICT_COUNTS)[number];

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
  const sums: Record<VerdictCount, number> = {
    made: 0,
    micro_neurons: 0,
    reused: 0,
    saved: 0,
    spared: 0,
    spared_at_most: 0,
    free: 0,
  };
  for (const [content, { test, stages, reuse }] of verdicts.entries()) {
    if (test) continue;
    sums.made += 1;
    if (reuse?.from !== undefined) {
      sums.reused += 1;
      sums.saved += reuse.from.microNeurons;
      continue;
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
