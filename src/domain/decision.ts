import { adviceOf, isUrgent } from "./advice.ts";
import { type Cascade, reasonOfBlock } from "./cascade.ts";
import { CATEGORIES, type Category, forEach, type LabelGroup } from "./category.ts";
import { crossing, ruleFor } from "./crossing.ts";
import { labelMessage } from "./image-labels.ts";
import { MAX_JUDGED_PIXELS } from "./picture-scores.ts";
import { dissents } from "./second-opinion.ts";
import { isSmallModel } from "./small-model.ts";
import { STAGE_OF, STAND_IN_OF } from "./category-stage.ts";
import type { InputName } from "./plan-moderation.ts";
import { effectOfUnmade, kindOf, type Policy } from "./policy.ts";
import type { BlockedTerm } from "./term-match.ts";
import {
  type Action,
  type CoverageStatus,
  type Decision,
  isUnmade,
  type Reason,
  type StageName,
  type StageResult,
  type UnmadeStatus,
  worst,
} from "./verdict.ts";

// Policy and evidence to decision. Two rules stand above all others: what a policy requires and
// nobody could check is never approved, and the judge is never the only opinion.

/** Everything that is known of one content item. */
export interface Evidence {
  readonly inputs: readonly InputName[];
  readonly stages: readonly StageResult[];
  /** The policy's block terms that matched the text. */
  readonly blockedTerms: readonly BlockedTerm[];
  readonly spamPhrases: number;
  /** The injection pattern that fired in the text, by its id. */
  readonly injection: string | null;
  /** The strongest label of each group by picture, for the reason. */
  readonly labels: readonly {
    readonly input: InputName;
    readonly category: LabelGroup;
    readonly label: string;
  }[];
  /** What the text model decided without a judge; absent or null: nothing. */
  readonly cascade?: Cascade | null;
  /** Pictures of more pixels than the picture model here decodes. */
  readonly tooManyPixels?: readonly InputName[];
}

export interface Judgement {
  readonly decision: Decision;
  readonly approved: boolean;
  readonly actions: readonly Action[];
  readonly reasons: readonly Reason[];
  readonly coverage: Readonly<Record<Category, CoverageStatus>>;
  /** A person should look: it was flagged, a required check could not be made, or it is urgent. */
  readonly opensReview: boolean;
}

/** A reason and what it does. */
interface Finding {
  readonly effect: "none" | "flag" | "block" | "ban";
  readonly reason: Reason;
}

const reasonOf = ({ reason }: Finding): Reason => reason;

const SEVERITY = { ban: 0, block: 0, flag: 1, none: 2 } as const;

const worstFirst = (a: Finding, b: Finding): number =>
  SEVERITY[a.effect] - SEVERITY[b.effect] || (b.reason.score ?? 0) - (a.reason.score ?? 0);

export function judge(policy: Policy, evidence: Evidence): Judgement {
  const coverage = coverageOf(policy, evidence);
  const findings = [
    ...termFindings(evidence),
    ...withCascade(scoreFindings(policy, evidence), evidence),
    ...dissents(policy, evidence.stages, (category) => stageFor(evidence, category, "text")).map(
      (reason) => ({ effect: "flag", reason }) as const,
    ),
    ...injectionFindings(evidence),
    ...unavailableFindings(policy, evidence),
    ...unreadFindings(policy, evidence),
  ].toSorted(worstFirst);
  /** In every input to which the policy applies it. */
  const isEvaluated = (category: Category): boolean =>
    inputsOf(policy, evidence, category).every((input) =>
      isSatisfied(statusOf(evidence, category, input)),
    );
  const effects = findings.map(({ effect }) => effect);
  const blocking = findings.filter(({ effect }) => effect === "block" || effect === "ban");
  const flagged = effects.includes("flag");
  const decision = blocking.length > 0 ? "block" : flagged ? "flag" : "allow";
  const reasons = findings.map(reasonOf);
  const required = CATEGORIES.filter((category) => policy.categories[category].required);
  return {
    decision,
    approved:
      decision === "allow" &&
      required.every(isEvaluated) &&
      evidence.inputs.every((input) => isRequiredOf(policy, required, input)),
    actions: adviceOf(decision, {
      reasons,
      blocking: blocking.map(reasonOf),
      ban: effects.includes("ban"),
    }),
    reasons,
    coverage,
    opensReview:
      decision === "flag" ||
      isUrgent(reasons) ||
      required.some((category) => isUnmade(coverage[category])),
  };
}

/** What nothing is required of was not checked: a picture beside a text is not approved by the text. */
const isRequiredOf = (policy: Policy, required: readonly Category[], input: InputName): boolean =>
  required.some((category) => policy.categories[category].inputs.includes(kindOf(input)));

const isSatisfied = (status: CoverageStatus): boolean =>
  status === "evaluated" || status === "calibrated";

function coverageOf(policy: Policy, evidence: Evidence): Record<Category, CoverageStatus> {
  return forEach(CATEGORIES, (category) =>
    worst(inputsOf(policy, evidence, category).map((input) => statusOf(evidence, category, input))),
  );
}

/** The inputs to which the policy applies a category. */
const inputsOf = (policy: Policy, evidence: Evidence, category: Category): InputName[] =>
  evidence.inputs.filter((input) => policy.categories[category].inputs.includes(kindOf(input)));

function statusOf(evidence: Evidence, category: Category, input: InputName): CoverageStatus {
  const stage = stageFor(evidence, category, input);
  const { cascade = null } = evidence;
  const isPassed = cascade?.kind === "allow" && input === "text";
  if (isPassed && cascade.calibrated.includes(category)) return "calibrated";
  if (stage === undefined) return "not_evaluated";
  // Spared with everything that was asked, unless the text passed without it.
  if (isPassed && stage.status === "not_required") return "not_evaluated";
  if (stage.status !== "evaluated") return stage.status;
  return stage.scores[category] === undefined ? "not_evaluated" : "evaluated";
}

export function stageFor(
  { stages }: Evidence,
  category: Category,
  input: InputName,
): StageResult | undefined {
  const kind = kindOf(input);
  const find = (name: StageName | undefined): StageResult | undefined =>
    stages.find((stage) => stage.input === input && stage.name === name);
  const first = find(STAGE_OF[kind][category]);
  if (first !== undefined && first.status !== "not_required") return first;
  return find(STAND_IN_OF[kind][category]) ?? first;
}

const termFindings = ({ blockedTerms }: Evidence): Finding[] =>
  blockedTerms.map(({ index, term, category, spans }) => ({
    effect: "block",
    reason: {
      kind: "term",
      category,
      input: "text",
      score: null,
      threshold: null,
      message: `Block term ${index} of this policy matched.`,
      term,
      ...(spans.length > 0 && { spans }),
    },
  }));

function scoreFindings(policy: Policy, evidence: Evidence): Finding[] {
  const findings: Finding[] = [];
  for (const input of evidence.inputs) {
    for (const category of CATEGORIES) {
      if (!policy.categories[category].inputs.includes(kindOf(input))) continue;
      const stage = stageFor(evidence, category, input);
      // What one window of a text showed counts, also when another could not be read.
      const score = stage?.scores[category];
      if (stage === undefined || score === undefined) continue;
      const crossed = crossing(ruleFor(policy, category), stage, score);
      if (crossed === null) continue;
      const { threshold, effect } = crossed;
      const label = evidence.labels.find((l) => l.input === input && l.category === category);
      const what =
        label === undefined
          ? `${category} is ${score}${detailOf(category, stage, evidence)}`
          : labelMessage(label.category, { name: label.label, score });
      const message = `${what}; this policy ${effect === "flag" ? "flags" : "blocks"} from ${threshold}.`;
      const kind = label === undefined ? "score" : "label";
      findings.push({ effect, reason: { kind, category, input, score, threshold, message } });
    }
  }
  return findings;
}

/** With the block that the text model decided, unless its score blocks by the policy's own threshold. */
function withCascade(findings: readonly Finding[], { cascade }: Evidence): readonly Finding[] {
  if (cascade?.kind !== "block") return findings;
  const isOfIt = ({ reason }: Finding): boolean =>
    reason.category === cascade.category && reason.input === "text";
  if (findings.some((one) => isOfIt(one) && one.effect === "block")) return findings;
  const others = findings.filter((one) => !isOfIt(one));
  return [...others, { effect: "block", reason: reasonOfBlock(cascade) }];
}

function detailOf(category: Category, { model }: StageResult, { spamPhrases }: Evidence): string {
  if (category === "spam") {
    return ` (${spamPhrases} ${spamPhrases === 1 ? "phrase" : "phrases"} matched)`;
  }
  return isSmallModel(model) ? " (by a small model, which has false alarms)" : "";
}

function injectionFindings({ injection }: Evidence): Finding[] {
  if (injection === null) return [];
  const message = `The text matches the injection pattern ${injection}: a person should look.`;
  const reason = { kind: "injection", category: null, input: "text", score: null } as const;
  return [{ effect: "flag", reason: { ...reason, threshold: null, message } }];
}

/**
 * One for each check that was not made, however many of its categories are required: one judge that
 * failed is one thing to read. It names the first of them; the coverage has them all.
 */
function unavailableFindings(policy: Policy, evidence: Evidence): Finding[] {
  const findings = new Map<string, Finding>();
  for (const category of CATEGORIES) {
    if (!policy.categories[category].required) continue;
    for (const input of inputsOf(policy, evidence, category)) {
      const status = statusOf(evidence, category, input);
      if (!isUnmade(status)) continue;
      const effect = effectOfUnmade(policy, status);
      const verb = { flag: "flags", block: "blocks", none: "allows" }[effect];
      const isTooLarge = status === "not_evaluated" && evidence.tooManyPixels?.includes(input);
      const what = isTooLarge === true ? TOO_MANY_PIXELS : missing(category, input, status);
      const message = `${what}; this policy ${verb} what it could not check.`;
      const reason = { kind: "unavailable", category, input, score: null } as const;
      const check = [STAGE_OF[kindOf(input)][category] ?? category, input, status].join(" ");
      if (findings.has(check)) continue;
      findings.set(check, { effect, reason: { ...reason, threshold: null, message } });
    }
  }
  return [...findings.values()];
}

/**
 * An input of which nothing was required, and every check that was asked failed, was not read at
 * all: a damaged picture is not harmless. It is flagged, whatever may be allowed unchecked.
 */
function unreadFindings(policy: Policy, evidence: Evidence): Finding[] {
  const effect = policy.on_unavailable === "block" ? "block" : "flag";
  return evidence.inputs
    .filter((input) => isUnread(policy, evidence, input))
    .map((input) => {
      const message = `Nothing of this ${kindOf(input)} could be read; this policy ${effect}s it.`;
      const reason = { kind: "unavailable", category: null, input, score: null } as const;
      return { effect, reason: { ...reason, threshold: null, message } };
    });
}

function isUnread(policy: Policy, evidence: Evidence, input: InputName): boolean {
  const asked = CATEGORIES.map((category) => ({ ...policy.categories[category], category }))
    .filter(({ inputs }) => inputs.includes(kindOf(input)))
    .map((rule) => ({ ...rule, status: statusOf(evidence, rule.category, input) }));
  if (asked.some(({ required, status }) => isSatisfied(status) || (required && isUnmade(status)))) {
    return false;
  }
  return asked.some(({ status }) => status === "failed" || status === "timed_out");
}

const TOO_MANY_PIXELS = `This picture has more than ${MAX_JUDGED_PIXELS / 1_000_000} megapixels, the most that the picture model here looks at (send a smaller one)`;

function missing(category: Category, input: InputName, status: UnmadeStatus): string {
  const stage = STAGE_OF[kindOf(input)][category];
  const who = stage === "judge" ? "The judge" : `The check for ${category}`;
  if (status === "timed_out") return `${who} did not answer in time`;
  if (status === "failed") return `${who} failed`;
  return `Nothing here could judge ${category} in this ${kindOf(input)}`;
}
