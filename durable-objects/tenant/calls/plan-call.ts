import { resolveModel } from "../../../src/domain/catalogue/catalogue.ts";
import {
  answersOf,
  canTake,
  type ChatMeasured,
  type GenerationFailure,
  type GenerationTerms,
  isGeneration,
  type Measured,
  planGeneration,
  promptsOf,
} from "../../../src/domain/generation/plan-generation.ts";
import { PLAIN_FEATURES } from "../../../src/domain/generation/prompt-features.ts";
import { AUTO, pickModel, type Routed } from "../../../src/domain/generation/routing.ts";
import {
  type AdmissionState,
  fittingNow,
  neuronBalance,
  rateStatuses,
} from "../../../src/domain/ledger/admission.ts";
import type { Fitting } from "../../../src/domain/ledger/failure.ts";
import { type MicroNeurons, sum, ZERO } from "../../../src/domain/ledger/micro-neurons.ts";
import type { RateUnits } from "../../../src/domain/ledger/rate-limit.ts";
import {
  guardModes,
  isGuarded,
  MOST_WINDOWS,
  outputWindows,
  planGuard,
} from "../../../src/domain/moderation/guard.ts";
import { moderationItems, type Plan } from "../../../src/domain/moderation/plan-moderation.ts";
import { DEFAULT_POLICY_NAME, type PolicyVersion } from "../../../src/domain/moderation/policy.ts";
import type { CallItems, FindModel, PlannedStage } from "../../../src/domain/moderation/stage.ts";
import { modelsFor, type Settings } from "../../../src/domain/tenant/settings.ts";
import type { AdmitRequest, MeasuredGeneration, LimitStatus } from "../protocol.ts";
import type { Tx } from "../transactions.ts";

// What a call would ask of engines, by the tenant's settings: an admission reserves it, a quote
// only tells of it.

export type GenerationPlan =
  | {
      readonly kind: "planned";
      /** The generation's own, then its guard's. */
      readonly stages: readonly PlannedStage[];
      /** By which it is guarded; null: it is not. */
      readonly policy: PolicyVersion | null;
    }
  | GenerationFailure;

export function generationPlan(tx: Tx, call: MeasuredGeneration): GenerationPlan {
  const find = modelFinder(tx);
  const guard = guardFor(tx, call, find);
  if (guard.kind === "invalid_request") return guard;
  const planned = stagePlan(tx, call, {
    find,
    defaultMaxTokens: tx.profile.settings.default_max_tokens,
    fitTo: call.fit ? fittingNow(tx.stores.ledger.standing(tx.profile)) : null,
    besides: (maxTokens) => boundOf(guard.checks(maxTokens)),
  });
  if (planned.kind !== "planned") return planned;
  const { stage } = planned;
  if (guard.windows(stage.maxTokens ?? 0) > MOST_WINDOWS) return TOO_MANY_WINDOWS;
  const checks = guard.checks(stage.maxTokens ?? 0);
  if (checks.kind !== "planned") return checks;
  return { kind: "planned", stages: [stage, ...checks.stages], policy: guard.policy };
}

const boundOf = (plan: Plan): MicroNeurons =>
  plan.kind === "planned" ? sum(plan.stages.map(({ bound }) => bound)) : ZERO;

interface GuardPlan {
  readonly kind: "guard";
  readonly policy: PolicyVersion | null;
  readonly checks: (maxTokens: number) => Plan;
  /** Windows of answers that it would judge. */
  readonly windows: (maxTokens: number) => number;
}

const NO_GUARD: GuardPlan = {
  kind: "guard",
  policy: null,
  checks: () => ({ kind: "planned", stages: [] }),
  windows: () => 0,
};

const TOO_MANY_WINDOWS = {
  kind: "invalid_request",
  errors: [
    {
      path: ["max_tokens"],
      detail: `must be smaller, or the answers fewer: the policy's guard judges at most ${MOST_WINDOWS} windows of answers in a call`,
    },
  ],
} as const;

/** The guard that the policy and the caller want of this call. */
function guardFor(
  tx: Tx,
  { guard = null, measured }: MeasuredGeneration,
  find: FindModel,
): GuardPlan | typeof NO_SUCH_POLICY {
  if (guard === null || measured.kind !== "chat") return NO_GUARD;
  const policy = findPolicy(tx, guard.policy.name);
  if (policy === null) return NO_SUCH_POLICY;
  const modes = guardModes(policy.policy, guard.modes);
  if (!isGuarded(modes)) return NO_GUARD;
  const { prompt } = guard;
  const choices = answersOf(measured);
  const checks = (maxTokens: number) =>
    planGuard(policy.policy, { modes, prompt, choices, maxTokens }, find);
  const windows = (maxTokens: number): number =>
    modes.output === "off" ? 0 : choices * outputWindows(maxTokens);
  return { kind: "guard", policy, checks, windows };
}

function stagePlan(
  tx: Tx,
  { model, measured }: MeasuredGeneration,
  terms: GenerationTerms,
): ReturnType<typeof planGeneration> {
  const { settings } = tx.profile;
  const [id, ...fallbacks] = modelsFor(settings, model);
  if (measured.kind !== "chat") return planGeneration(measured, [id, ...fallbacks], terms);
  const { chat, compactedTokens } = compactedChat(measured, settings);
  const routed = id === AUTO ? routedCall(tx, chat, terms) : null;
  if (id === AUTO && routed === null) return { kind: "model_not_allowed", model: AUTO };
  const ids: readonly [string, ...string[]] =
    routed === null
      ? [id, ...fallbacks]
      : [
          routed.model,
          ...(fallbacks.length > 0 ? fallbacks : (settings.fallbacks[routed.model] ?? [])),
        ];
  const plan = planGeneration(chat, ids, terms);
  if (plan.kind !== "planned") return plan;
  const notes = {
    ...(routed !== null && { routed }),
    ...(compactedTokens !== null && { compactedTokens }),
  };
  return { ...plan, stage: { ...plan.stage, ...notes } };
}

/** Requests with `max_tokens`, which a caller can lower. */
const LIMITED: readonly Measured["kind"][] = ["chat", "caption"];

/** The `max_tokens` with which the same call would fit now; empty where none would. */
export function fitting(tx: Tx, call: MeasuredGeneration): Fitting {
  if (!LIMITED.includes(call.measured.kind)) return {};
  const plan = generationPlan(tx, { ...call, fit: true });
  const made = plan.kind === "planned" ? plan.stages.find(isGeneration) : undefined;
  if (made === undefined || !made.clamped || made.maxTokens === null) return {};
  return { fittingMaxTokens: made.maxTokens };
}

/** The prompt as it will be sent: with fewer blanks where the caller or its tenant wants that. */
function compactedChat(
  measured: ChatMeasured,
  { compact_prompts }: Settings,
): { readonly chat: ChatMeasured; readonly compactedTokens: number | null } {
  const { chat, others = [], compacted } = measured;
  if (compacted === undefined || !(compacted.asked || compact_prompts)) {
    return { chat: measured, compactedTokens: null };
  }
  const compactOthers = others.map((other, at) => ({
    ...other,
    textTokens: compacted.others?.[at] ?? other.textTokens,
  }));
  const sent: ChatMeasured = {
    ...measured,
    chat: { ...chat, textTokens: compacted.textTokens },
    others: compactOthers,
  };
  return { chat: sent, compactedTokens: textTokensOf(measured) - textTokensOf(sent) };
}

const textTokensOf = (measured: ChatMeasured): number =>
  promptsOf(measured).reduce((total, { textTokens }) => total + textTokens, 0);

/** The default policy's table, read for this request; null: no model of it may run. */
function routedCall(
  tx: Tx,
  measured: ChatMeasured,
  terms: Parameters<typeof canTake>[2],
): Routed | null {
  const found = findPolicy(tx, null);
  if (found === null) return null;
  const { name, version, policy } = found;
  const features = measured.features ?? PLAIN_FEATURES;
  const picked = pickModel(policy.routing, features, (id) => canTake(id, measured, terms));
  return picked === null ? null : { ...features, ...picked, policy: { name, version } };
}

/** A guard's verdicts are in the line and the reply: they are not stored. */
export function itemsOf(request: AdmitRequest): CallItems {
  switch (request.kind) {
    case "moderation":
      return moderationItems(request.contents);
    case "generation":
      return { stored: request.stores ?? 0, tests: 0 };
    case "document":
    case "scoring":
      return { stored: 0, tests: 0 };
  }
}

export const findPolicy = (tx: Tx, name: string | null): PolicyVersion | null =>
  tx.stores.policies.latest(name ?? DEFAULT_POLICY_NAME);

export const NO_SUCH_POLICY = {
  kind: "invalid_request",
  errors: [{ path: ["policy"], detail: "must name a policy of this tenant" }],
} as const;

/** The models that may run: those of the catalogue with a price that the tenant allows. */
export const modelFinder =
  ({ profile: { settings }, stores: { platform } }: Tx): FindModel =>
  (id) =>
    settings.models !== null && !settings.models.includes(id)
      ? { kind: "model_not_allowed", model: id }
      : resolveModel(id, platform);

/**
 * @param units the classes that the call takes units of, which its headers show
 * @param now as the limits stand, where the caller has looked
 */
export function limitStatus(
  tx: Tx,
  units: RateUnits,
  now: AdmissionState = tx.stores.ledger.standing(tx.profile),
): LimitStatus {
  return {
    neurons: neuronBalance(now, ZERO),
    rates: rateStatuses(now, units),
    nowMs: now.nowMs,
  };
}
