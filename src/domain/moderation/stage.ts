import {
  type Model,
  rateClassOf,
  type ResolvedModel,
  priceOf,
  type Usage,
} from "../catalogue/catalogue.ts";
import type { DocumentTask } from "../documents/task.ts";
import type { ModelTask } from "../catalogue/model-task.ts";
import { estimateInputTokens } from "../generation/token-bound.ts";
import type { AccessFailure, LookupFailure, RequestFailure } from "../ledger/failure.ts";
import { BASES, type Basis, capped } from "../ledger/ledger.ts";
import { type MicroNeurons, most, sum, ZERO } from "../ledger/micro-neurons.ts";
import { type RateClass, type RateUnits, REQUESTS, TEST_INPUTS } from "../ledger/rate-limit.ts";

// A stage is one use of engines in a call: a check of one input, or the generation itself. It is planned and
// priced at its upper bound before anything runs, and becomes one item of the journal line.

export const CHECK_STAGES = ["sentiment", "judge", "labels", "vision"] as const;
export type CheckStageName = (typeof CHECK_STAGES)[number];
export type StageName = CheckStageName | "generate" | DocumentTask;

/** One engine call of a stage, with the most units that it can use. */
export interface PlannedCall {
  readonly units: Usage;
  /** Tokens of `units` that belong to our own prompt: known, not estimated. */
  readonly ownTokens: number;
  readonly bound: MicroNeurons;
  /** The units of fallback models that would use other units, by model id. */
  readonly otherUnits?: Readonly<Record<string, Usage>>;
}

/** The most units of the call with the model that answered. */
export const unitsWith = ({ units, otherUnits = {} }: PlannedCall, model: Model): Usage =>
  Object.hasOwn(otherUnits, model.id) ? (otherUnits[model.id] ?? units) : units;

export interface PlannedStage {
  /** The index of the content item in the call. */
  readonly content: number;
  readonly name: StageName;
  /** The input: `"text"`, `"images/0"`; a generation's is `"request"`, a document's `"document"`. */
  readonly input: string;
  /** The catalogue id of the model that is asked and charged. */
  readonly model: string;
  /** Asked in this order, each when the one before was refused before it ran. */
  readonly fallbacks: readonly string[];
  readonly task: ModelTask;
  readonly rateClass: RateClass;
  readonly calls: readonly PlannedCall[];
  /** The sums over `calls`. */
  readonly units: Usage;
  readonly bound: MicroNeurons;
}

/** Finds a model that may run for this tenant, or the reason why it may not. */
export type FindModel = (id: string) => ResolvedModel;

export type ModelFailure =
  | Extract<LookupFailure, { kind: "model_not_found" | "model_retired" }>
  | Extract<RequestFailure, { kind: "unpriced_model" | "unbounded_usage" }>
  | Extract<AccessFailure, { kind: "model_not_allowed" }>;

/** The most units of each engine call of a stage, by model. */
export interface StageUsage {
  readonly usages: (model: Model) => readonly Usage[];
  readonly ownTokens: (model: Model, at: number) => number;
}

/**
 * The engine calls of a stage. Each is held at the price of the most expensive of its models: the first, or a
 * fallback. The units are those of the first model.
 */
export function planCalls(
  models: readonly [Model, ...Model[]],
  { usages, ownTokens }: StageUsage,
): Pick<PlannedStage, "task" | "rateClass" | "calls" | "units" | "bound"> {
  const [primary, ...others] = models;
  const fallbacks = others.map((model) => ({ model, usages: usages(model) }));
  const calls = usages(primary).map((units, at): PlannedCall => {
    const instead = fallbacks.map(({ model, usages: each }) => ({
      model,
      units: each[at] ?? units,
    }));
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

/** The items of a call beside its line: each takes storage and is sent to endpoints. */
export interface CallItems {
  /** Verdicts, or pictures in the bucket. */
  readonly stored: number;
  /** Those of them that are test inputs. */
  readonly tests: number;
}

/** For a call that stores no item of its own, or one. */
export const ONE_ITEM: CallItems = { stored: 1, tests: 0 };

/** One unit for each stored item, and one unit of its class for each planned engine call. */
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

// The cost of one engine call, by how it ended.

/** How an engine call ended. */
export type CallEnd =
  /** Refused before it ran, never sent, or failed upstream without any use. */
  | { readonly kind: "not_run" }
  /** The engine answered; `usage` is null when its reply has no units. */
  | { readonly kind: "answered"; readonly usage: Usage | null; readonly simulated: boolean }
  /** A timeout, a lost connection, or an unusable answer: it may have used as much as its bound. */
  | { readonly kind: "unknown"; readonly usage: Usage | null };

/** Tokens of a judge's answer: a nonce of 32 hex digits and 14 scores with their names. */
export const ANSWER_TOKENS = 110;

export interface Charge {
  readonly microNeurons: MicroNeurons;
  readonly overrun: MicroNeurons;
  readonly units: Usage;
  readonly basis: Basis;
}

const NOTHING: Charge = { microNeurons: ZERO, overrun: ZERO, units: {}, basis: "measured" };

/** @param model the planned model, whose price applies */
export function chargeOf(
  end: CallEnd,
  planned: PlannedCall,
  { stage, model }: { readonly stage: CheckStageName; readonly model: Model },
): Charge {
  if (end.kind === "not_run") return NOTHING;
  if (end.usage !== null) return priced(model, planned, end.usage, basisOfReported(stage));
  if (end.kind === "answered") {
    if (stage === "labels") return priced(model, planned, planned.units, "counted");
    if (end.simulated || stage === "sentiment") {
      const charge = priced(model, planned, estimate(stage, planned), "estimated");
      // No usage was reported, so no overrun is known.
      return { ...charge, overrun: ZERO };
    }
  }
  return { microNeurons: planned.bound, overrun: ZERO, units: planned.units, basis: "held" };
}

function priced(model: Model, { bound }: PlannedCall, units: Usage, basis: Basis): Charge {
  return { ...capped(priceOf(model, units), bound), units, basis };
}

/** We count pictures; the engine reports tokens. */
const basisOfReported = (stage: CheckStageName): Basis =>
  stage === "labels" ? "counted" : "measured";

/**
 * Units of a reply without usage: classifiers never report any, and an engine that simulates a language model
 * has no tokens to report. Never above the bound.
 */
function estimate(stage: CheckStageName, { units, ownTokens }: PlannedCall): Usage {
  const input = ownTokens + estimateInputTokens((units.input_token ?? 0) - ownTokens);
  if (stage === "sentiment") return { input_token: input };
  return { input_token: input, output_token: Math.min(units.output_token ?? 0, ANSWER_TOKENS) };
}

/** The least certain of several bases: the one that their sum has. */
export const leastSure = (bases: readonly Basis[]): Basis =>
  BASES.findLast((basis) => bases.includes(basis)) ?? "measured";
