import { lowerBound } from "./calibration.ts";
import { requiredOfText } from "./cascade.ts";
import type { Category } from "./category.ts";
import type { Policy } from "./policy.ts";
import type { StageResult } from "./verdict.ts";

// Drift: the text model is wrong more often on a tenant's texts than its calibration proved. The sample
// (`cascade.ts`) is a random part of all texts under the thresholds, and the judge reads each of
// them. So it is what the measuring half of a calibration was: of the texts that the judge finds harmful, how
// many passed, and of those that it finds harmless, how many were blocked.

type Counts = Readonly<Record<string, number>>;

/** Sums over texts of the sample. Sums of 0 are left out. */
export interface CascadeDrift {
  /** Texts that the judge finds harmful, by category, and as `any`: in a required category. */
  readonly harmful: Counts;
  /** Of these, the texts that the text model let pass. */
  readonly missed: Counts;
  /** Texts that the judge finds harmless in every category. */
  readonly harmless: number;
  /** Of these, the texts that the text model blocked, by the category of the block, and as `any`: all. */
  readonly blocked: Counts;
}

export const NO_DRIFT: CascadeDrift = { harmful: {}, missed: {}, harmless: 0, blocked: {} };

/** What one text adds; null: it is not in the sample, or the judge did not answer. */
export function driftOf(policy: Policy, stages: readonly StageResult[]): CascadeDrift | null {
  const judge = stages.find(({ sample }) => sample !== undefined);
  if (judge?.sample === undefined || judge.status !== "evaluated") return null;
  const { decided, blockedFor, harmful } = judge.sample;
  const required: readonly Category[] = requiredOfText(policy);
  const promised = [...required, ...Object.keys(policy.tier0?.thresholds ?? {})];
  const found: string[] = harmful.filter((category) => promised.includes(category));
  if (harmful.some((category) => required.includes(category))) found.push("any");
  const isHarmless = harmful.length === 0;
  const isWrongBlock = decided === "block" && isHarmless;
  return {
    harmful: ones(found),
    missed: ones(decided === "allow" ? found : []),
    harmless: isHarmless ? 1 : 0,
    blocked: ones(isWrongBlock ? [...(blockedFor === undefined ? [] : [blockedFor]), "any"] : []),
  };
}

const ones = (names: readonly string[]): Counts =>
  Object.fromEntries(names.map((name) => [name, 1]));

export const addDrift = (a: CascadeDrift, b: CascadeDrift): CascadeDrift => ({
  harmful: added(a.harmful, b.harmful),
  missed: added(a.missed, b.missed),
  harmless: a.harmless + b.harmless,
  blocked: added(a.blocked, b.blocked),
});

function added(a: Counts, b: Counts): Counts {
  const sum: Record<string, number> = { ...a };
  for (const [name, count] of Object.entries(b)) sum[name] = (sum[name] ?? 0) + count;
  return sum;
}

/** A promise of a calibration that the sample disproves. */
export interface DriftFinding {
  /** `missed`: harmful texts pass. `wrong_block`: harmless ones are blocked. */
  readonly kind: "missed" | "wrong_block";
  readonly category: Category | "any";
  /** The harmful texts of the sample, or the harmless ones. */
  readonly examples: number;
  readonly wrong: number;
  /** The true share is at least this, with the confidence `DRIFT_CONFIDENCE`. */
  readonly bound: number;
}

/** The probability that the true share is not below the bound. */
export const DRIFT_CONFIDENCE = 0.99;

/** Fewer texts show nothing, whatever the judge says of them: it is wrong at times too. */
export const FEWEST_EXAMPLES = 20;

/**
 * The promises that do not hold: the lower bound of the share of errors, by Clopper and Pearson, is above the
 * rate that the calibration proved.
 */
export function brokenPromises(drift: CascadeDrift, promisedRate: number): DriftFinding[] {
  const findings: DriftFinding[] = [];
  const look = (
    kind: DriftFinding["kind"],
    category: string,
    { examples, wrong }: { readonly examples: number; readonly wrong: number },
  ): void => {
    if (examples < FEWEST_EXAMPLES || wrong === 0) return;
    const bound = lowerBound(wrong, examples, DRIFT_CONFIDENCE);
    if (bound <= promisedRate) return;
    findings.push({ kind, category: category as Category | "any", examples, wrong, bound });
  };
  for (const [category, wrong] of Object.entries(drift.missed)) {
    look("missed", category, { examples: drift.harmful[category] ?? 0, wrong });
  }
  for (const [category, wrong] of Object.entries(drift.blocked)) {
    look("wrong_block", category, { examples: drift.harmless, wrong });
  }
  return findings;
}
