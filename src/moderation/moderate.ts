import { isUrgent } from "../domain/moderation/category.ts";
import { type Judgement, judge } from "../domain/moderation/decision.ts";
import {
  asEvidence,
  type Cascade,
  harmfulIn,
  isDrawnForJudge,
} from "../domain/moderation/cascade.ts";
import type { Evidence } from "../domain/moderation/evidence.ts";
import { explained, isOfTextModel } from "../domain/moderation/text-model.ts";
import { isSampled } from "../domain/text/hash.ts";
import { baseLanguage } from "../domain/text/languages.ts";
import { findInjection } from "../domain/moderation/injection.ts";
import {
  isPicture,
  isPictureText,
  pictureTextOf,
  type Policy,
  type PolicyVersion,
} from "../domain/moderation/policy.ts";
import type { CheckStage, InputName } from "../domain/moderation/plan-moderation.ts";
import { matchTerms, NO_MATCHES } from "../domain/terms/term-match.ts";
import { forcedJudgement } from "../domain/moderation/test-input.ts";
import {
  firstReview,
  type Reason,
  STAGE_NAMES,
  type StageResult,
  type Verdict,
} from "../domain/moderation/verdict.ts";
import type { Picture } from "../engines/picture.ts";
import { contentDigest, type PreparedContent } from "./content.ts";
import {
  decidedAlone,
  injectionIn,
  isSkipped,
  type JudgeText,
  readByModel,
  spamStages,
  type TextStage,
} from "./free-stages.ts";
import {
  type JudgePicture,
  type PictureStage,
  pictureStage,
  pictureWriting,
  skippedPicture,
  unseenPictures,
  type Writing,
} from "./picture-stages.ts";
import { placedText } from "./language.ts";
import { prepareStage, runStage, skipped, type StageRun } from "./run-stage.ts";
import type { RunContext } from "./ask-engine.ts";

// One content item, from an admitted plan to a verdict. Terms are matched first, since they may make the paid
// stages unnecessary; then all remaining checks run at once.

export interface ModerationContext extends RunContext {
  /** Fetches a picture by URL; null when that failed. */
  readonly fetchPicture: (url: URL) => Promise<Picture | null>;
  /** The text model inside the Worker, also when its engine uses it as the judge. */
  readonly judgeText: JudgeText;
  /** The picture model inside the Worker; null: it is not used. */
  readonly judgePicture: JudgePicture | null;
  /** Only then do reasons get the spans that caused them, and may the text be drawn for the judge. */
  readonly isStored: boolean;
}

export interface Moderated {
  /** Complete except for its time, which the tenant's object sets. */
  readonly verdict: Verdict;
  readonly runs: readonly StageRun[];
  /** Null: named by URL, and not fetched or not available. */
  readonly pictures: readonly (Picture | null)[];
}

/** One is enough to block: a stored verdict does not grow with the policy's list. */
const MAX_TERM_REASONS = 20;

const NOT_REQUIRED = { status: "not_required", failure: null } as const;

export async function moderate(
  context: ModerationContext,
  content: PreparedContent,
  stages: readonly CheckStage[],
  version: PolicyVersion,
): Promise<Moderated> {
  const { text, test } = content;
  const { policy } = version;
  const placed = text === null ? null : placedText(text, content.language, policy);
  // For pictures alone the caller's language is kept as it is.
  const given = content.language === null ? null : baseLanguage(content.language);
  const language = placed === null ? given : placed.language;
  if (test !== null) {
    const judgement = forcedJudgement(policy, inputsOf(content), test);
    const judged = { judgement, language, results: [], pictures: [] };
    return { verdict: await verdictOf(context, content, version, judged), runs: [], pictures: [] };
  }
  const terms = text === null ? NO_MATCHES : matchTerms(text, policy);
  const { withoutAllowed } = terms;
  const isBlocked = terms.blocked.length > 0 && !policy.evaluate_all;
  const injection = text === null ? null : findInjection(text);
  const own = stages.filter(({ input }) => !isPictureText(input));
  const toRead = { text, stages: own, isDecided: isBlocked, language, withoutAllowed };
  // The stages wait for the text model only if it may decide alone.
  const early = policy.tier0 === undefined ? null : await readByModel(context, policy, toRead);
  const cascade = decidedAlone(policy, { read: early, stages: own, terms, injection });
  const isDecided = isBlocked || cascade?.kind === "block";
  const isDrawn = context.isStored && isDrawnForJudge(policy, content.verdictId);
  // Pictures are fetched only if a stage needs them.
  const unseen =
    context.judgePicture === null ? [] : unseenPictures(policy, inputsOf(content), stages);
  const looksAt = !isDecided && (unseen.length > 0 || stages.some(({ input }) => input !== "text"));
  const fetched = looksAt ? picturesOf(context, content) : [];
  const running = own.map(async (stage) => {
    // The hold of each call covers the judge, so the sample needs no admission of its own.
    const isSample = isDrawn && cascade !== null && isJudgeOfText(stage);
    if (!isSample && (isDecided || (cascade !== null && isSkipped(policy, stage)))) {
      return skipped(stage, context.engine, NOT_REQUIRED);
    }
    // Checks of a text do not wait for pictures that are still loading.
    const pictures = stage.input === "text" ? [] : await fetched;
    const ready = prepareStage(context.engine, stage, {
      content,
      pictures,
      placed,
      withoutAllowed,
    });
    return "status" in ready
      ? skipped(stage, context.engine, ready)
      : runStage(context, ready.stage, ready.checks, ready.complete);
  });
  const [ran, writings] = await Promise.all([
    Promise.all(running),
    writingsOf(context, { content, policy, own, running, stages }),
  ]);
  const isUnderThresholds =
    early?.result.status === "evaluated" && early.result.model === policy.tier0?.model;
  const runs =
    isDrawn && isUnderThresholds ? ran.map((run) => asSample(run, policy, cascade)) : ran;
  const pictures = await fetched;
  const seen = await seenByModel(context, { inputs: unseen, isDecided, pictures });
  const read = early ?? (await readByModel(context, policy, toRead));
  const results = [
    ...runs.map(({ result }) => result),
    ...writings.flatMap((writing) => writing.results),
    ...seen.map(({ result }) => result),
    ...(read === null ? [] : [read.result]),
    ...spamStages(policy, text === null ? null : terms),
  ].toSorted((a, b) => STAGE_NAMES.indexOf(a.name) - STAGE_NAMES.indexOf(b.name));
  const judgement = judge(policy, {
    inputs: inputsOf(content),
    stages: results.map(asEvidence),
    blockedTerms: terms.blocked.slice(0, MAX_TERM_REASONS),
    spamPhrases: terms.spamPhrases,
    injection: text === null ? null : (injection ?? injectionIn(read)),
    cascade,
    writing: writings.flatMap(({ found }) =>
      found === null
        ? []
        : [{ ...found, blockedTerms: found.blockedTerms.slice(0, MAX_TERM_REASONS) }],
    ),
    labels: labelsOf(runs),
    tooManyPixels: [...runs, ...seen].flatMap(({ result: { input }, tooManyPixels }) =>
      tooManyPixels ? [input] : [],
    ),
  });
  // The folded text with blanked places has other places than the original.
  const isPlain = policy.matching === "plain";
  const reasons =
    text === null || (withoutAllowed !== null && isPlain) || !context.isStored
      ? judgement.reasons
      : await withSpans(context, {
          reasons: judgement.reasons,
          results,
          read,
          text: withoutAllowed ?? text,
          language,
        });
  const judged = { judgement: { ...judgement, reasons }, language, results, pictures };
  return {
    verdict: await verdictOf(context, content, version, judged),
    runs: [...runs, ...writings.flatMap((writing) => writing.runs)],
    pictures,
  };
}

const isJudgeOfText = ({ name, input }: Pick<StageResult, "name" | "input">): boolean =>
  name === "judge" && input === "text";

/** The run of a judge of a text in the sample; any other run stays as it is. */
function asSample(run: StageRun, policy: Policy, cascade: Cascade | null): StageRun {
  const { result } = run;
  if (!isJudgeOfText(result) || result.status === "not_required") return run;
  const sample = {
    decided: cascade?.kind ?? null,
    ...(cascade?.kind === "block" && { blockedFor: cascade.category }),
    harmful: harmfulIn(policy, result.scores),
  };
  // The sample must not end the day for calls that need no judge: the next judge that is needed tells of it.
  const account = cascade === null ? run.account : null;
  return { ...run, account, result: { ...result, sample } };
}

/** The writing in each picture that a vision model sees. The engine inside the Worker reads no writing. */
function writingsOf(
  context: ModerationContext,
  about: {
    readonly content: PreparedContent;
    readonly policy: Policy;
    /** The stages of the item itself, and by the same index their runs. */
    readonly own: readonly CheckStage[];
    readonly running: readonly Promise<StageRun>[];
    readonly stages: readonly CheckStage[];
  },
): Promise<Writing[]> {
  const { content, policy, own, running, stages } = about;
  if (context.engine.name === "embedded") return Promise.resolve([]);
  return Promise.all(
    running.flatMap((vision, at) => {
      const stage = own[at];
      if (stage?.name !== "vision" || !isPicture(stage.input)) return [];
      const input = pictureTextOf(stage.input);
      const planned = stages.filter((one) => one.input === input);
      const { language } = content;
      return [pictureWriting(context, { input, stages: planned, policy, language }, vision)];
    }),
  );
}

/** If the text model was the engine's judge, it reads the text once more for the spans. */
async function withSpans(
  { judgeText }: ModerationContext,
  about: {
    readonly reasons: readonly Reason[];
    readonly results: readonly StageResult[];
    readonly read: TextStage | null;
    readonly text: string;
    readonly language: string | null;
  },
): Promise<readonly Reason[]> {
  const { reasons, results, read, text, language } = about;
  if (!reasons.some((reason) => isOfTextModel(reason, results))) return reasons;
  if (read !== null) {
    return read.spansOf === null ? reasons : explained(reasons, results, read.spansOf);
  }
  const again = await judgeText({ text, language });
  const spansOf = again.kind === "unavailable" ? undefined : again.spansOf;
  return spansOf === undefined ? reasons : explained(reasons, results, spansOf);
}

/** The picture model's results for these pictures. */
function seenByModel(
  context: ModerationContext,
  about: {
    readonly inputs: readonly InputName[];
    readonly isDecided: boolean;
    readonly pictures: readonly (Picture | null)[];
  },
): Promise<PictureStage[]> {
  const { judgePicture } = context;
  return Promise.all(
    about.inputs.map(async (input) => {
      if (about.isDecided || judgePicture === null) return skippedPicture(input);
      const picture = about.pictures[Number(input.slice("images/".length))] ?? null;
      return pictureStage(context, judgePicture, { input, picture });
    }),
  );
}

async function verdictOf(
  context: ModerationContext,
  content: PreparedContent,
  { name, version, policy }: PolicyVersion,
  judged: {
    readonly judgement: Judgement;
    readonly language: string | null;
    readonly results: readonly StageResult[];
    readonly pictures: readonly (Picture | null)[];
  },
): Promise<Verdict> {
  const { judgement, language, results, pictures } = judged;
  const { opensReview, ...decided } = judgement;
  const priority = isUrgent(decided.reasons) ? "urgent" : "normal";
  const isDrawn = decided.approved && isSampled(content.verdictId, policy.sample_allowed ?? 0);
  return {
    ...decided,
    id: content.verdictId,
    contentId: content.contentId,
    userId: content.userId,
    metadata: content.metadata,
    language,
    decidedBy: "policy",
    revision: 1,
    stages: results,
    microNeurons: results.reduce((total, stage) => total + stage.micro_neurons, 0),
    policy: { name, version },
    review: firstReview({ opensReview, isDrawn, priority }),
    batchId: content.batchId,
    test: content.test !== null,
    contentHash: await contentDigest(content, pictures),
    createdAtMs: context.nowMs(),
  };
}

const inputsOf = ({ text, pictures }: PreparedContent): InputName[] => [
  ...(text === null ? [] : (["text"] as const)),
  ...pictures.map((_, index) => `images/${index}` as const),
];

const picturesOf = (
  context: ModerationContext,
  { pictures }: PreparedContent,
): Promise<(Picture | null)[]> =>
  Promise.all(
    pictures.map(async (source) =>
      source.kind === "picture" ? source.picture : context.fetchPicture(source.url),
    ),
  );

const labelsOf = (runs: readonly StageRun[]): Evidence["labels"] =>
  runs.flatMap(({ result: { input }, labels }) => labels.map((label) => ({ ...label, input })));
