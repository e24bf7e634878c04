import { charged, type JournalLine } from "../ledger/ledger.ts";
import type { PlannedStage } from "./stage.ts";
import type { StageResult, Verdict } from "./verdict.ts";

// What the verdicts of a call came to, counted by name so that it adds up in any grouping. Only what is
// known is counted: a stage that was not run used nothing that anybody measured, so it is told with the
// bound that it was planned with, which is the most that it could have used.

/** µN where it is an amount. What is 0 is left out. */
export type VerdictCounts = Readonly<Record<string, number>>;

export const VERDICT_COUNTS = [
  /** Verdicts that were stored; test inputs are none. */
  "made",
  /** What the calls were charged that made them. */
  "micro_neurons",
  /** Those of them that were answered with the scores of another. */
  "reused",
  /** What those others cost. */
  "saved",
  /** Stages that were planned and not run, since what is free had decided already. */
  "spared",
  /** Their bounds. */
  "spared_at_most",
  /** Inputs that a model inside the Worker judged, where the policy names no paid one. */
  "free",
] as const;

export type VerdictCount = (typeof VERDICT_COUNTS)[number];

/** The models inside the Worker, and the paid ones in whose place they may stand. */
const PAID: Readonly<Partial<Record<StageResult["name"], StageResult["name"]>>> = {
  tier0: "judge",
  picture: "vision",
};

/**
 * @param verdicts of a call, in the order of its contents
 * @param planned the stages that its hold has
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

/** Of a call that made one verdict, or none, and about which there is no more to say: lines leave it out. */
const plainCounts = (verdictId: string | null): VerdictCounts =>
  verdictId === null ? {} : { made: 1 };

/** What a line has to keep; undefined: its verdict's id says it. */
export function keptCounts(
  counts: VerdictCounts,
  verdictId: string | null,
): VerdictCounts | undefined {
  return JSON.stringify(counts) === JSON.stringify(plainCounts(verdictId)) ? undefined : counts;
}

/** What came late for a hold that had expired is not counted: its line was. */
export function countsOfLine(line: JournalLine): VerdictCounts {
  if (line.outcome === "expired") return {};
  const counts = line.verdicts ?? plainCounts(line.verdictId);
  const cost = charged(line);
  return (counts["made"] ?? 0) === 0 || cost === 0 ? counts : { ...counts, micro_neurons: cost };
}
