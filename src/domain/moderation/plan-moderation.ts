import type { Model, Usage } from "../catalogue/catalogue.ts";
import { JUDGED_CATEGORIES, LABEL_GROUPS } from "./category.ts";
import { JUDGE_MAX_TOKENS, JUDGE_PROMPT_BYTES, JUDGE_PROMPT_TOKENS } from "./judge.ts";
import {
  asks,
  onlyWhatMatters,
  PICTURE_SENTIMENT_WINDOWS,
  PICTURE_TEXT_WINDOWS,
  type PictureName,
  type PictureTextName,
  pictureTextOf,
  type Policy,
} from "./policy.ts";
import {
  type CallItems,
  CHECK_STAGES,
  type CheckStageName,
  type FindModel,
  type ModelFailure,
  planCalls,
  type PlannedStage,
  type StageUsage,
} from "./stage.ts";
import { chatInputBound, classifierInputBound, takesPictures } from "../generation/token-bound.ts";
import { VISION_MAX_TOKENS, VISION_PROMPT_TOKENS } from "./vision.ts";

// The paid stages of a moderation call, planned and priced at their upper bound before anything runs. Rules
// (terms, spam, injection) and the models inside the Worker are free and need no plan.

/** The most tokens of each window. */
export interface MeasuredText {
  readonly sentiment: readonly number[];
  readonly judge: readonly number[];
}

/** The measure of one content item, made before admission: never its text. */
export interface MeasuredContent {
  /** The most tokens of each window that a classifier or a judge will read; null: no text. */
  readonly text: MeasuredText | null;
  readonly pictures: number;
  /** A test input: nothing of it is checked. */
  readonly test?: true;
}

/** `"text"`, `"images/<index>"`, or the writing in that picture: the input that a stage looks at. */
export type InputName = "text" | PictureName | PictureTextName;

/** A stage of a moderation: a check of one input. */
export interface CheckStage extends PlannedStage {
  readonly name: CheckStageName;
  readonly input: InputName;
}

export const isCheck = (stage: PlannedStage): stage is CheckStage =>
  CHECK_STAGES.some((name) => name === stage.name);

/** Each content item becomes a verdict. */
export const moderationItems = (contents: readonly MeasuredContent[]): CallItems => ({
  stored: contents.length,
  tests: contents.filter(({ test }) => test === true).length,
});

export type Plan =
  | { readonly kind: "planned"; readonly stages: readonly CheckStage[] }
  | ModelFailure;

const SENTIMENT_MODEL = "@cf/huggingface/distilbert-sst-2-int8";
const LABELS_MODEL = "@cf/microsoft/resnet-50";

/** A stage before its models are looked up. */
interface Wanted extends StageUsage {
  readonly content: number;
  readonly name: CheckStageName;
  readonly input: InputName;
  readonly model: string;
  readonly fallbacks: readonly string[];
  /** Whether the model can make this check with a known bound on its use. */
  readonly fits: (model: Model) => boolean;
}

export function planModeration(
  policy: Policy,
  contents: readonly MeasuredContent[],
  find: FindModel,
): Plan {
  const stages: CheckStage[] = [];
  for (const wanted of contents.flatMap((content, at) => wantedStages(policy, content, at))) {
    const stage = planStage(wanted, find);
    if (stage.kind !== "planned") return stage;
    stages.push(stage.stage);
  }
  return { kind: "planned", stages };
}

/** Whether under this policy a text, or a picture, can be moderated without asking a paid model. */
export const mayCostNothing = (policy: Policy): boolean =>
  SMALLEST.some((content) => wantedStages(policy, content, 0).length === 0);

const SMALLEST: readonly MeasuredContent[] = [
  { text: { sentiment: [1], judge: [1] }, pictures: 0 },
  { text: null, pictures: 1 },
];

function wantedStages(policy: Policy, content: MeasuredContent, at: number): Wanted[] {
  if (content.test === true) return [];
  const { vision } = policy.models;
  const wanted: Wanted[] =
    content.text === null ? [] : textStages(policy, content.text, { content: at, input: "text" });
  for (let picture = 0; picture < content.pictures; picture += 1) {
    const common = { content: at, input: `images/${picture}` as const, fallbacks: [] };
    if (asks(policy, "image", LABEL_GROUPS)) {
      const one = { name: "labels", model: LABELS_MODEL } as const;
      wanted.push({ ...common, ...one, ...ANY_MODEL, usages: () => [{ image: 1 }] });
    }
    if (vision !== null && asks(policy, "image", ["nsfw"])) {
      const usages = (model: Model): Usage[] => [visionUsage(model)];
      const own = { fits: canSee, ownTokens: () => VISION_PROMPT_TOKENS };
      wanted.push({ ...common, name: "vision", model: vision, ...own, usages });
      // The model copies the writing in the picture, which is then judged, up to a limit.
      const written = { content: at, input: pictureTextOf(common.input) };
      wanted.push(...textStages(onlyWhatMatters(policy), PICTURE_TEXT, written));
    }
  }
  return wanted;
}

const PICTURE_TEXT: MeasuredText = {
  sentiment: Array.from(
    { length: PICTURE_SENTIMENT_WINDOWS.windows },
    () => PICTURE_SENTIMENT_WINDOWS.tokens,
  ),
  judge: Array.from({ length: PICTURE_TEXT_WINDOWS.windows }, () => PICTURE_TEXT_WINDOWS.tokens),
};

/** The paid checks of a text, or of the writing in a picture. */
function textStages(
  policy: Policy,
  text: MeasuredText,
  at: { readonly content: number; readonly input: InputName },
): Wanted[] {
  const wanted: Wanted[] = [];
  if (asks(policy, "text", ["negativity"])) {
    const usages = (model: Model): Usage[] =>
      text.sentiment.map((tokens) => ({ input_token: classifierInputBound(model, tokens) }));
    const one = { name: "sentiment", model: SENTIMENT_MODEL, fallbacks: [] } as const;
    wanted.push({ ...at, ...one, ...ANY_MODEL, usages });
  }
  const { judge, judge_fallback: fallback } = policy.models;
  if (judge !== null && asks(policy, "text", JUDGED_CATEGORIES)) {
    const fallbacks = fallback === null ? [] : [fallback];
    const usages = (model: Model): Usage[] => text.judge.map((tokens) => judgeUsage(model, tokens));
    const own = { fits: canChat, ownTokens: judgeOwnTokens };
    wanted.push({ ...at, name: "judge", model: judge, fallbacks, ...own, usages });
  }
  return wanted;
}

const canChat = ({ task }: Model): boolean => task === "text_generation";

const canSee = (model: Model): boolean => canChat(model) && takesPictures(model);

const ANY_MODEL = { fits: () => true, ownTokens: () => 0 } as const;

const judgeInput = (model: Model, textTokens: number): number =>
  chatInputBound(model, {
    textTokens: textTokens + judgePromptTokens(model),
    messages: 2,
    images: 0,
  });

const judgeOwnTokens = (model: Model): number => judgeInput(model, 0);

const judgeUsage = (model: Model, textTokens: number): Usage => ({
  input_token: judgeInput(model, textTokens),
  output_token: JUDGE_MAX_TOKENS,
});

/** The prompt was measured for the Llama 3 family; for other models its bytes are the bound. */
const judgePromptTokens = ({ id }: Model): number =>
  /^@cf\/meta\/llama-3(\.\d)?-/.test(id) ? JUDGE_PROMPT_TOKENS : JUDGE_PROMPT_BYTES;

const visionUsage = (model: Model): Usage => ({
  input_token: chatInputBound(model, { textTokens: VISION_PROMPT_TOKENS, messages: 2, images: 1 }),
  output_token: VISION_MAX_TOKENS,
});

function planStage(
  { usages, fits, ownTokens, ...wanted }: Wanted,
  find: FindModel,
): { readonly kind: "planned"; readonly stage: CheckStage } | ModelFailure {
  const primary = find(wanted.model);
  if (primary.kind !== "found") return primary;
  const models: [Model, ...Model[]] = [primary.model];
  for (const id of wanted.fallbacks) {
    const fallback = find(id);
    if (fallback.kind !== "found") return fallback;
    models.push(fallback.model);
  }
  const unfit = models.find((model) => !fits(model));
  if (unfit !== undefined) {
    const detail = `${unfit.id} cannot be asked for a ${wanted.name} check with a known bound.`;
    return { kind: "unbounded_usage", detail };
  }
  return { kind: "planned", stage: { ...wanted, ...planCalls(models, { usages, ownTokens }) } };
}
