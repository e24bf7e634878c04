import { adviceOf, isUrgent, CATEGORIES, type Category, forEach } from "./category.ts";
import { reasonOfBlock } from "./cascade.ts";
import {
  allInputs,
  type Evidence,
  factsOf,
  inputsOf,
  isSatisfied,
  STAGE_OF,
  stageFor,
  statusOf,
} from "./evidence.ts";
import { labelMessage } from "./image-labels.ts";
import { isPictureModel, MAX_JUDGED_PIXELS } from "./picture-scores.ts";
import type { InputName } from "./plan-moderation.ts";
import {
  asksOf,
  type CategoryRule,
  effectOfUnchecked,
  isPictureText,
  kindOf,
  lowestThreshold,
  type PictureTextName,
  type Policy,
  ruleFor,
} from "./policy.ts";
import {
  type Action,
  type CoverageStatus,
  type Decision,
  isUnchecked,
  type Reason,
  type StageResult,
  type UncheckedStatus,
  worst,
} from "./verdict.ts";
import { isTextModel } from "./text-model.ts";

// From policy and evidence to a decision. Two rules are above all others: content is never approved when a
// required check was not made, and the judge is never the only opinion.

export interface Judgement {
  readonly decision: Decision;
  readonly approved: boolean;
  readonly actions: readonly Action[];
  readonly reasons: readonly Reason[];
  readonly coverage: Readonly<Record<Category, CoverageStatus>>;
  /** A person should look: it was flagged, a required check was not made, or it is urgent. */
  readonly opensReview: boolean;
}

/** A reason and its effect. */
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
    ...dissents(policy, evidence.stages, (category, input) =>
      stageFor(evidence, category, input),
    ).map((reason) => ({ effect: "flag", reason }) as const),
    ...injectionFindings(evidence),
    ...unavailableFindings(policy, evidence),
    ...unreadFindings(policy, evidence),
  ].toSorted(worstFirst);
  /** True when the category was evaluated in every input that the policy applies it to. */
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
      required.some((category) => isUnchecked(coverage[category])),
  };
}

/**
 * An input without a required check was not checked: a harmless text does not approve the picture beside it.
 */
const isRequiredOf = (policy: Policy, required: readonly Category[], input: InputName): boolean =>
  required.some((category) => policy.categories[category].inputs.includes(kindOf(input)));

function coverageOf(policy: Policy, evidence: Evidence): Record<Category, CoverageStatus> {
  return forEach(CATEGORIES, (category) =>
    worst(inputsOf(policy, evidence, category).map((input) => statusOf(evidence, category, input))),
  );
}

const termFindings = (evidence: Evidence): Finding[] =>
  factsOf(evidence).flatMap(({ blockedTerms, input }) =>
    blockedTerms.map(({ index, term, category, spans }) => ({
      effect: "block",
      reason: {
        kind: "term",
        category,
        input,
        score: null,
        threshold: null,
        message: `Block term ${index} of this policy matched.`,
        term,
        // Writing in a picture is a model's copy that nobody is shown, so its spans would mean nothing.
        ...(spans.length > 0 && input === "text" && { spans }),
      },
    })),
  );

function scoreFindings(policy: Policy, evidence: Evidence): Finding[] {
  const findings: Finding[] = [];
  for (const input of allInputs(evidence)) {
    for (const category of CATEGORIES) {
      if (!asksOf(policy, category, input)) continue;
      const stage = stageFor(evidence, category, input);
      // A score of one window counts even when another window was not read.
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

/** Adds the block of the text model, unless its score blocks by the policy's own threshold. */
function withCascade(findings: readonly Finding[], { cascade }: Evidence): readonly Finding[] {
  if (cascade?.kind !== "block") return findings;
  const isOfIt = ({ reason }: Finding): boolean =>
    reason.category === cascade.category && reason.input === "text";
  if (findings.some((one) => isOfIt(one) && one.effect === "block")) return findings;
  const others = findings.filter((one) => !isOfIt(one));
  return [...others, { effect: "block", reason: reasonOfBlock(cascade) }];
}

function detailOf(category: Category, { model, input }: StageResult, evidence: Evidence): string {
  if (category === "spam") {
    const spamPhrases = factsOf(evidence).find((one) => one.input === input)?.spamPhrases ?? 0;
    return ` (${spamPhrases} ${spamPhrases === 1 ? "phrase" : "phrases"} matched)`;
  }
  return isSmallModel(model) ? " (by a small model, which has false alarms)" : "";
}

const injectionFindings = (evidence: Evidence): Finding[] =>
  factsOf(evidence).flatMap(({ injection, input }) => {
    if (injection === null) return [];
    const message = `${nameOf(input)} matches the injection pattern ${injection}: a person should look.`;
    const reason = { kind: "injection", category: null, input, score: null } as const;
    return [{ effect: "flag", reason: { ...reason, threshold: null, message } }];
  });

const nameOf = (input: "text" | PictureTextName): string =>
  input === "text" ? "The text" : "The writing in a picture";

/**
 * One finding for each check that was not made, even if the policy requires several of its categories: a
 * judge that failed is one thing to read. It names the first category; the coverage has them all.
 */
function unavailableFindings(policy: Policy, evidence: Evidence): Finding[] {
  const findings = new Map<string, Finding>();
  for (const category of CATEGORIES) {
    if (!policy.categories[category].required) continue;
    for (const input of inputsOf(policy, evidence, category)) {
      const status = statusOf(evidence, category, input);
      if (!isUnchecked(status)) continue;
      const effect = effectOfUnchecked(policy, status);
      const verb = { flag: "flags", block: "blocks", none: "allows" }[effect];
      const isTooLarge = status === "not_evaluated" && evidence.tooManyPixels?.includes(input);
      const what = isTooLarge === true ? TOO_MANY_PIXELS : missing(category, input, status);
      const message = `${what}; this policy ${verb} what it could not check.`;
      const reason = { kind: "unavailable", category, input, score: null } as const;
      // All missing checks of a picture's writing share one reason.
      const checkName = isPictureText(input) ? "" : (STAGE_OF[kindOf(input)][category] ?? category);
      const check = [checkName, input, status].join(" ");
      if (findings.has(check)) continue;
      findings.set(check, { effect, reason: { ...reason, threshold: null, message } });
    }
  }
  return [...findings.values()];
}

/**
 * An input of which nothing was required and every check failed was not read at all: a damaged picture is not
 * harmless. It is flagged, even if the policy allows what was not checked.
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
  const applied = CATEGORIES.map((category) => ({ ...policy.categories[category], category }))
    .filter(({ inputs }) => inputs.includes(kindOf(input)))
    .map((rule) => ({ ...rule, status: statusOf(evidence, rule.category, input) }));
  if (
    applied.some(({ required, status }) => isSatisfied(status) || (required && isUnchecked(status)))
  ) {
    return false;
  }
  return applied.some(({ status }) => status === "failed" || status === "timed_out");
}

const TOO_MANY_PIXELS = `This picture has more than ${MAX_JUDGED_PIXELS / 1_000_000} megapixels, the most that the picture model here looks at (send a smaller one)`;

function missing(category: Category, input: InputName, status: UncheckedStatus): string {
  if (isPictureText(input)) {
    if (status === "timed_out") return "The writing in a picture was not judged in time";
    if (status === "failed") return "The check of the writing in a picture failed";
    return "Nothing here could judge all the writing in a picture";
  }
  const stage = STAGE_OF[kindOf(input)][category];
  const checkName = stage === "judge" ? "The judge" : `The check for ${category}`;
  if (status === "timed_out") return `${checkName} did not answer in time`;
  if (status === "failed") return `${checkName} failed`;
  return `Nothing here could judge ${category} in this ${kindOf(input)}`;
}

// Which threshold of a rule a score reaches, and the effect of that.

/**
 * The returned threshold is the one at which the decision changed: a ban also blocks. A ban is advised only
 * by a judge: the small models inside the Worker can be certain about harmless texts and pictures too, and
 * two phrases of a list are no proof.
 */
export function crossing(
  { flag, block, ban }: CategoryRule,
  stage: StageResult,
  score: number,
): { readonly effect: "flag" | "block" | "ban"; readonly threshold: number } | null {
  const reaches = (threshold: number | null): threshold is number =>
    threshold !== null && score >= threshold;
  if (reaches(ban)) {
    const effect = isJudge(stage) ? "ban" : "block";
    return { effect, threshold: block === null ? ban : Math.min(block, ban) };
  }
  if (reaches(block)) return { effect: "block", threshold: block };
  return reaches(flag) ? { effect: "flag", threshold: flag } : null;
}

const isJudge = ({ name, model }: StageResult): boolean =>
  (name === "judge" || name === "vision") && !isSmallModel(model);

// The judge is never the only opinion on a text. A judge that was manipulated, or could not read the text, is
// contradicted by a rule or model of ours that takes no instructions. Its opinion raises a flag, and is no
// score.

const SECOND_OPINIONS = { lexicon: "word lists score", tier0: "small text model scores" } as const;

/**
 * The objections of second opinions to a text that the judge lets pass, or did not score.
 *
 * @param firstOf the stage that answers for a category. It may be the second opinion itself, where no
 *   judge was planned: then its score counts like any other
 */
const dissents = (
  policy: Policy,
  stages: readonly StageResult[],
  firstOf: (category: Category, input: InputName) => StageResult | undefined,
): Reason[] =>
  stages.flatMap((stage) => {
    const { name, input, scores } = stage;
    if (name !== "lexicon" && name !== "tier0") return [];
    return CATEGORIES.flatMap((category) => {
      const rule = policy.categories[category];
      const [threshold, score] = [lowestThreshold(rule), scores[category]];
      const first = firstOf(category, input);
      if (first === stage || threshold === null || score === undefined) return [];
      if (score < threshold || !asksOf(policy, category, input)) return [];
      const judged = first?.scores[category];
      if (judged !== undefined && judged >= threshold) return [];
      const other = judged === undefined ? "the judge gave no score" : `the judge scores ${judged}`;
      const message = `The ${SECOND_OPINIONS[name]} ${category} ${score} and ${other}: a person should look.`;
      return [{ kind: "score", category, input, score, threshold, message } as const];
    });
  });

/** One of the models inside the Worker: free, with more false alarms than a judge. */
const isSmallModel = (model: string | null): boolean => isPictureModel(model) || isTextModel(model);
