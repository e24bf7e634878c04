import { type Model, rateClassOf } from "../catalogue/catalogue.ts";
import type { AccessFailure, LookupFailure, RequestFailure } from "../ledger/failure.ts";
import { type MicroNeurons, most, sum } from "../ledger/micro-neurons.ts";
import type { ModelTask } from "../catalogue/model-task.ts";
import { priceOf, type Usage } from "../catalogue/price.ts";
import { type RateClass, type RateUnits, REQUESTS, TEST_INPUTS } from "../ledger/rate-limit.ts";

// A stage is one thing that a call asks of engines: a check of one input, or the generation itself.
// It is planned and priced at its upper bound before anything runs, and becomes one item of the
// journal line.

export const CHECK_STAGES = ["sentiment", "judge", "labels", "vision"] as const;
export type CheckStageName = (typeof CHECK_STAGES)[number];
export type StageName = CheckStageName | "generate";

/** One engine call of a stage, with the most that it can use. */
export interface PlannedCall {
  readonly units: Usage;
  /** Tokens of `units` that are our own prompt's: known, not estimated. */
  readonly ownTokens: number;
  readonly bound: MicroNeurons;
  /** By model that it may fall back to, where that one would use other units. */
  readonly otherUnits?: Readonly<Record<string, Usage>>;
}

/** What the call uses at most with the model that was asked in the end. */
export const unitsWith = ({ units, otherUnits = {} }: PlannedCall, model: Model): Usage =>
  Object.hasOwn(otherUnits, model.id) ? (otherUnits[model.id] ?? units) : units;

export interface PlannedStage {
  /** Which of the call's content items. */
  readonly content: number;
  readonly name: StageName;
  /** What it looks at: `"text"`, `"images/0"`; a generation's is `"request"`. */
  readonly input: string;
  /** The catalogue id that is asked and charged. */
  readonly model: string;
  /** Asked in this order instead, each when the one before was refused before it ran. */
  readonly fallbacks: readonly string[];
  readonly task: ModelTask;
  readonly rateClass: RateClass;
  readonly calls: readonly PlannedCall[];
  /** The sums over `calls`. */
  readonly units: Usage;
  readonly bound: MicroNeurons;
}

/** Finds a model that may run for this tenant, or says why not. */
export type FindModel = (
  id: string,
) => { readonly kind: "found"; readonly model: Model } | ModelFailure;

export type ModelFailure =
  | Extract<LookupFailure, { kind: "model_not_found" | "model_retired" }>
  | Extract<RequestFailure, { kind: "unpriced_model" | "unbounded_usage" }>
  | Extract<AccessFailure, { kind: "model_not_allowed" }>;

/** The most that each engine call of a stage uses, by the model that is asked. */
export interface StageUsage {
  readonly usages: (model: Model) => readonly Usage[];
  readonly ownTokens: (model: Model, at: number) => number;
}

/**
 * The engine calls of a stage, each held at the dearest of the models that may be asked for it: the
 * first, or one that it falls back to. The units are the first one's.
 */
export function planCalls(
  models: readonly [Model, ...Model[]],
  { usages, ownTokens }: StageUsage,
): Pick<PlannedStage, "task" | "rateClass" | "calls" | "units" | "bound"> {
  const [primary, ...others] = models;
  const asked = others.map((model) => ({ model, usages: usages(model) }));
  const calls = usages(primary).map((units, at): PlannedCall => {
    const instead = asked.map(({ model, usages: each }) => ({ model, units: each[at] ?? units }));
    const other = instead.filter((one) => !sameUsage(one.units, units));
    return {
      units,
      ownTokens: ownTokens(primary, at),
      bound: instead.reduce(
        (bound, one) => most(bound, priceOf(one.model, one.units)),
        priceOf(primary, units),
      ),
      ...(other.length > 0 && {
        otherUnits: Object.fromEntries(other.map((one) => [one.model.id, one.units])),
      }),
    };
  });
  return {
    task: primary.task,
    rateClass: rateClassOf(primary),
    calls,
    units: sumUsage(calls.map((call) => call.units)),
    bound: sum(calls.map((call) => call.bound)),
  };
}

const sameUsage = (a: Usage, b: Usage): boolean =>
  Object.keys(a).length === Object.keys(b).length &&
  Object.entries(a).every(([unit, count]) => b[unit as keyof Usage] === count);

export function sumUsage(usages: Iterable<Usage>): Usage {
  const total: Record<string, number> = {};
  for (const usage of usages) {
    for (const [unit, count] of Object.entries(usage)) total[unit] = (total[unit] ?? 0) + count;
  }
  return total;
}

/** What a call leaves behind beside its line: all of it takes room, and is told to endpoints. */
export interface CallItems {
  /** Verdicts, or pictures in the bucket. */
  readonly stored: number;
  /** Those of them that are test inputs. */
  readonly tests: number;
}

/** A call that stores no item of its own, or one. */
export const ONE_ITEM: CallItems = { stored: 1, tests: 0 };

/** One unit for each stored item, and one of its class for each planned engine call. */
export function rateUnits(
  stages: readonly PlannedStage[],
  { stored, tests }: CallItems = ONE_ITEM,
): RateUnits {
  const units: Record<RateClass, number> = { [REQUESTS]: Math.max(1, stored) };
  if (tests > 0) units[TEST_INPUTS] = tests;
  for (const { rateClass, calls } of stages) {
    units[rateClass] = (units[rateClass] ?? 0) + calls.length;
  }
  return units;
}
