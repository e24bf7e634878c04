import { asEvidence, cascadeOf, isDecidedAlone } from "./cascade.ts";
import { CATEGORIES, type Category } from "./category.ts";
import { allInputs, type Evidence, STAGE_OF, stageFor, type TextFacts } from "./evidence.ts";
import { judge } from "./decision.ts";
import {
  asksOf,
  type InputKind,
  isPictureText,
  kindOf,
  lowestThreshold,
  type Policy,
} from "./policy.ts";
import type { InputName } from "./plan-moderation.ts";
import type { Decision, Reason, StageResult, Verdict } from "./verdict.ts";

// A proposed policy applied to stored verdicts: their scores are judged again, without an engine call and
// without cost. Anything that the scores do not show is counted, never guessed.

/** Parts of a policy that need the text itself or another model, so scores cannot show their effect. */
export const NOT_REPLAYED = ["terms", "spam_phrases", "models"] as const;
export type NotReplayed = (typeof NOT_REPLAYED)[number];

/** The most examples of verdicts that would change. */
const MOST_EXAMPLES = 50;

/** First the present decision, then the one under the proposal. */
export type DecisionMatrix = Readonly<Record<Decision, Readonly<Record<Decision, number>>>>;

export interface ReplayExample {
  readonly verdictId: string;
  readonly from: Decision;
  readonly to: Decision;
  /** The categories with a reason under one of the two policies only. */
  readonly categories: readonly Category[];
}

export interface PolicyReplay {
  /** The verdicts that were judged again. */
  readonly verdicts: number;
  readonly changed: number;
  readonly by: DecisionMatrix;
  readonly examples: readonly ReplayExample[];
  /** Of the verdicts that a person has decided: how often each policy decides the same. */
  readonly agreement: {
    readonly reviewed: number;
    readonly current: number;
    readonly proposed: number;
  };
  readonly unscorable: {
    readonly verdicts: number;
    readonly categories: Readonly<Partial<Record<Category, number>>>;
    /** The proposal's decisions on them, with the missing scores as not evaluated. */
    readonly decisions: Readonly<Record<Decision, number>>;
  };
  readonly notReplayed: readonly NotReplayed[];
}

const NO_DECISIONS: Readonly<Record<Decision, number>> = { allow: 0, flag: 0, block: 0 };

export const NOTHING_REPLAYED: PolicyReplay = {
  verdicts: 0,
  changed: 0,
  by: { allow: NO_DECISIONS, flag: NO_DECISIONS, block: NO_DECISIONS },
  examples: [],
  agreement: { reviewed: 0, current: 0, proposed: 0 },
  unscorable: { verdicts: 0, categories: {}, decisions: NO_DECISIONS },
  notReplayed: [],
};

/** Two policies, and the parts of their difference that scores do not show: the same for many verdicts. */
export interface Compared {
  /** The version that made the verdicts. */
  readonly judgedBy: Policy;
  readonly proposed: Policy;
  readonly notReplayed: readonly NotReplayed[];
}

export function compared(judgedBy: Policy, proposed: Policy): Compared {
  const { block, allow } = judgedBy.terms;
  const changed: Readonly<Record<NotReplayed, boolean>> = {
    terms: !same([block, allow], [proposed.terms.block, proposed.terms.allow]),
    spam_phrases: !same(judgedBy.spam_phrases, proposed.spam_phrases),
    models: !sameModels(judgedBy, proposed),
  };
  return { judgedBy, proposed, notReplayed: NOT_REPLAYED.filter((part) => changed[part]) };
}

/** Adds one verdict. A test input is ignored: nothing of it was checked. */
export function replay(sofar: PolicyReplay, verdict: Verdict, policies: Compared): PolicyReplay {
  if (verdict.test) return sofar;
  const { judgedBy, proposed } = policies;
  const evidence = evidenceOf(verdict, judgedBy);
  const proposedEvidence = evidenceUnder(proposed, evidence);
  const then = judge(proposed, proposedEvidence);
  const notReplayed = bothOf(sofar.notReplayed, policies.notReplayed);
  const missing = missingFrom(proposedEvidence, judgedBy, proposed);
  if (missing.length > 0) {
    return { ...sofar, notReplayed, unscorable: withUnscorable(sofar, missing, then.decision) };
  }
  const byPerson = verdict.decidedBy === "review";
  const now = byPerson ? judge(judgedBy, evidenceUnder(judgedBy, evidence)) : verdict;
  const changed = now.decision !== then.decision;
  const { reviewed, current, proposed: agreed } = sofar.agreement;
  const example = {
    verdictId: verdict.id,
    from: now.decision,
    to: then.decision,
    categories: differing(categoriesOf(now), categoriesOf(then)),
  };
  return {
    verdicts: sofar.verdicts + 1,
    changed: sofar.changed + (changed ? 1 : 0),
    by: withMove(sofar.by, now.decision, then.decision),
    examples:
      changed && sofar.examples.length < MOST_EXAMPLES
        ? [...sofar.examples, example]
        : sofar.examples,
    agreement: byPerson
      ? {
          reviewed: reviewed + 1,
          current: current + (now.decision === verdict.decision ? 1 : 0),
          proposed: agreed + (then.decision === verdict.decision ? 1 : 0),
        }
      : sofar.agreement,
    unscorable: sofar.unscorable,
    notReplayed,
  };
}

/** Joins two parts of one replay; the verdicts of the second follow those of the first. */
export const together = (a: PolicyReplay, b: PolicyReplay): PolicyReplay => ({
  verdicts: a.verdicts + b.verdicts,
  changed: a.changed + b.changed,
  by: {
    allow: sumOf(a.by.allow, b.by.allow),
    flag: sumOf(a.by.flag, b.by.flag),
    block: sumOf(a.by.block, b.by.block),
  },
  examples: [...a.examples, ...b.examples].slice(0, MOST_EXAMPLES),
  agreement: sumOf(a.agreement, b.agreement),
  unscorable: {
    verdicts: a.unscorable.verdicts + b.unscorable.verdicts,
    categories: sumOf(a.unscorable.categories, b.unscorable.categories),
    decisions: sumOf(a.unscorable.decisions, b.unscorable.decisions),
  },
  notReplayed: bothOf(a.notReplayed, b.notReplayed),
});

/**
 * The evidence that a verdict keeps. Matches of terms and injection patterns are facts of the text and keep
 * their effect; messages differ, decisions do not.
 */
function evidenceOf(verdict: Verdict, judgedBy: Policy): Evidence {
  const { stages, reasons } = verdict;
  const known = [...stages, ...reasons].map(({ input }) => input);
  const inputs = [...new Set([...known, ...inputsOfCoverage(verdict, judgedBy, known)])];
  return {
    inputs: inputs.filter((input) => !isPictureText(input)),
    stages: stages.map(asEvidence),
    ...factsIn(reasons, "text"),
    writing: inputs.filter(isPictureText).map((input) => ({ ...factsIn(reasons, input), input })),
    labels: [],
  };
}

function factsIn(reasons: readonly Reason[], of: InputName): TextFacts {
  const own = reasons.filter(({ input }) => input === of);
  const terms = own.filter(({ kind }) => kind === "term");
  return {
    blockedTerms: terms.map(({ category, term = "" }, index) => ({
      index,
      term,
      category,
      spans: [],
    })),
    spamPhrases: 0,
    injection: own.some(({ kind }) => kind === "injection") ? "stored" : null,
  };
}

/**
 * The evidence under a policy that may let the text model decide alone: the judge's result for the text is
 * then left out.
 */
function evidenceUnder(policy: Policy, evidence: Evidence): Evidence {
  const ofText = evidence.stages.filter(({ input }) => input === "text");
  const read = ofText.find(({ name }) => name === "tier0");
  const isJudged = ofText.some(({ name }) => name === "judge");
  const cascade = read === undefined || !isJudged ? null : cascadeOf(policy, read);
  if (cascade === null || evidence.blockedTerms.length > 0) return evidence;
  const stages = evidence.stages.map((stage) =>
    isSpared(stage) ? { ...stage, status: "not_required" as const, scores: {} } : stage,
  );
  const alone = { ...evidence, stages, cascade };
  const text = judge(policy, { ...alone, inputs: ["text"], writing: [] });
  return cascade.kind === "block" || text.approved ? alone : evidence;
}

/** A verdict of the sample would be drawn again, and the judge asked. */
const isSpared = ({ name, input, sample }: StageResult): boolean =>
  name === "judge" && input === "text" && sample === undefined;

/** Inputs that no stage and no reason names; the coverage shows that they existed. */
function inputsOfCoverage(
  { coverage }: Verdict,
  { categories }: Policy,
  known: readonly InputName[],
): InputName[] {
  const kinds = known.map(kindOf);
  const unexplained = CATEGORIES.filter(
    (category) =>
      coverage[category] !== "not_required" &&
      !categories[category].inputs.some((kind) => kinds.includes(kind)),
  );
  const missing = unexplained.flatMap((category) => categories[category].inputs);
  return missing.map((kind) => (kind === "text" ? "text" : "images/0"));
}

/** Categories that matter to the proposal and that no stage of the verdict scored. */
function missingFrom(evidence: Evidence, judgedBy: Policy, proposed: Policy): Category[] {
  // A block term decides, whatever else is found.
  const isBlocked = [evidence, ...(evidence.writing ?? [])].some(
    ({ blockedTerms }) => blockedTerms.length > 0,
  );
  if (isBlocked) return [];
  return CATEGORIES.filter((category) => {
    const rule = proposed.categories[category];
    if (!rule.required && lowestThreshold(rule) === null) return false;
    return allInputs(evidence).some(
      (input) =>
        asksOf(proposed, category, input) &&
        wouldAsk(proposed, category, kindOf(input)) &&
        (isUnjudged(evidence, category, input) ||
          (stageFor(evidence, category, input) === undefined &&
            !(wasWanted(judgedBy, category, input) && sameModels(judgedBy, proposed)))),
    );
  });
}

/** The text model decided alone and would not under the proposal: the judge's score is unknown. */
const isUnjudged = (evidence: Evidence, category: Category, input: InputName): boolean =>
  evidence.cascade === undefined &&
  input === "text" &&
  STAGE_OF.text[category] === "judge" &&
  isDecidedAlone(evidence.stages) &&
  stageFor(evidence, category, input)?.name !== "judge";

const wasWanted = (policy: Policy, category: Category, input: InputName): boolean =>
  asksOf(policy, category, input) && wouldAsk(policy, category, kindOf(input));

/** Whether a stage would run: without a model for it, the category is not evaluated today either. */
function wouldAsk({ models }: Policy, category: Category, kind: InputKind): boolean {
  const stage = STAGE_OF[kind][category];
  if (stage === "judge" || stage === "vision") return models[stage] !== null;
  return stage !== undefined;
}

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

const sameModels = (a: Policy, b: Policy): boolean =>
  a.models.judge === b.models.judge &&
  a.models.judge_fallback === b.models.judge_fallback &&
  a.models.vision === b.models.vision;

const bothOf = (a: readonly NotReplayed[], b: readonly NotReplayed[]): NotReplayed[] =>
  NOT_REPLAYED.filter((part) => a.includes(part) || b.includes(part));

const categoriesOf = ({ reasons }: Pick<Verdict, "reasons">): ReadonlySet<Category> =>
  new Set(reasons.flatMap(({ category }) => category ?? []));

const differing = (a: ReadonlySet<Category>, b: ReadonlySet<Category>): Category[] =>
  CATEGORIES.filter((category) => a.has(category) !== b.has(category));

const withMove = (by: DecisionMatrix, from: Decision, to: Decision): DecisionMatrix => ({
  ...by,
  [from]: { ...by[from], [to]: by[from][to] + 1 },
});

function withUnscorable(
  { unscorable }: PolicyReplay,
  missing: readonly Category[],
  decision: Decision,
): PolicyReplay["unscorable"] {
  const categories = { ...unscorable.categories };
  for (const category of missing) categories[category] = (categories[category] ?? 0) + 1;
  return {
    verdicts: unscorable.verdicts + 1,
    categories,
    decisions: { ...unscorable.decisions, [decision]: unscorable.decisions[decision] + 1 },
  };
}

function sumOf<Counts extends Readonly<Partial<Record<string, number>>>>(
  a: Counts,
  b: Counts,
): Counts {
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return Object.fromEntries(
    [...names].map((name) => [name, (a[name] ?? 0) + (b[name] ?? 0)]),
  ) as Counts;
}
