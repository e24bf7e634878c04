import {
  CATALOGUE,
  type Model,
  type PriceOverrides,
  resolveModel,
  type Size,
} from "../catalogue/catalogue.ts";
import type { RequestFailure } from "../ledger/failure.ts";
import { type NegativeBy, negativeBy, sentPromptChars } from "./picture-prompt.ts";
import type { PictureTraits, Range } from "./picture-traits.ts";

// The terms of a call for pictures with one model: the size and the steps that are sent, which decide the
// cost; or the part of the request that the model cannot do.

/** The router's measures of a call for pictures: never content. Null: not given. */
export interface PictureMeasure {
  /** The number of pictures, each made in an inference of its own. */
  readonly pictures: number;
  readonly width: number | null;
  readonly height: number | null;
  readonly steps: number | null;
  /** Where no steps are given: half of the model's default, its default, or its most. */
  readonly effort: "low" | "medium" | "high";
  /** Whether the caller gave one. */
  readonly seed: boolean;
  readonly guidance: number | null;
  readonly strength: number | null;
  /** UTF-16 units of the prompt with its style. */
  readonly promptChars: number;
  readonly negativeChars: number | null;
  /** The pictures that each inference starts from. */
  readonly inputs: readonly Size[];
}

export const PLAIN_PICTURE: PictureMeasure = {
  pictures: 1,
  width: null,
  height: null,
  steps: null,
  effort: "medium",
  seed: false,
  guidance: null,
  strength: null,
  promptChars: 0,
  negativeChars: null,
  inputs: [],
};

export interface PictureTerms {
  readonly kind: "terms";
  readonly size: Size;
  readonly steps: number;
  readonly negative: NegativeBy;
}

export type PictureFailure = Extract<
  RequestFailure,
  { kind: "invalid_request" | "unsupported_parameter" | "unbounded_usage" }
>;

/**
 * All pictures of a call together: they are in memory at once, at about a byte a pixel, and an isolate
 * has 128 MB. Eight of 1,024 x 1,024 are a third of it.
 */
export const MAX_PIXELS = 24 * 1024 * 1024;

export function pictureTerms(model: Model, measure: PictureMeasure): PictureTerms | PictureFailure {
  const { picture } = model;
  if (picture === null) {
    const detail = `What ${model.id} makes of a prompt alone has no known bound.`;
    return { kind: "unbounded_usage", detail };
  }
  const width = measure.width ?? picture.width.byDefault;
  const height = measure.height ?? picture.height.byDefault;
  const steps = measure.steps ?? effortSteps(measure.effort, picture);
  const negative = negativeBy(measure.negativeChars !== null, picture);
  return (
    unsupported(model.id, measure, picture) ??
    outside("width", width, picture.width) ??
    outside("height", height, picture.height) ??
    outside("steps", steps, picture.steps) ??
    tooLong(measure, negative, picture) ??
    tooMany(measure, width * height) ?? { kind: "terms", size: { width, height }, steps, negative }
  );
}

function effortSteps(effort: PictureMeasure["effort"], { steps }: PictureTraits): number {
  if (effort === "high") return steps.max;
  return effort === "low" ? Math.max(steps.min, Math.ceil(steps.byDefault / 2)) : steps.byDefault;
}

/** The failure for a value that the model has no parameter for, and that words cannot express; or null. */
function unsupported(
  id: string,
  measure: PictureMeasure,
  picture: PictureTraits,
): PictureFailure | null {
  const unable = (parameter: string, can = `takes no ${parameter}`): PictureFailure => ({
    kind: "unsupported_parameter",
    parameter,
    detail: `The model ${id} ${can}.`,
  });
  if (measure.seed && !picture.seed) return unable("seed");
  if (measure.guidance !== null) {
    if (picture.guidance === null) return unable("guidance");
    const wrong = outside("guidance", measure.guidance, picture.guidance);
    if (wrong !== null) return wrong;
  }
  if (measure.strength !== null && !picture.strength) return unable("strength");
  if (takesInputs(picture, measure.inputs)) return null;
  return picture.inputs === 0 ? unable("image") : unable("image", inputsOf(picture));
}

/** "starts from at most 4 pictures of at most 511 pixels a side" */
function inputsOf({ inputs, inputSide }: PictureTraits): string {
  const many = inputs === 1 ? "one picture" : `at most ${inputs} pictures`;
  return `starts from ${many}${inputSide === null ? "" : ` of at most ${inputSide} pixels a side`}`;
}

export const takesInputs = (picture: PictureTraits, inputs: readonly Size[]): boolean =>
  inputs.length <= picture.inputs &&
  inputs.every(({ width, height }) => Math.max(width, height) <= (picture.inputSide ?? Infinity));

/** The models that may run and can start from these pictures: `first`, then those of the catalogue. */
export function startersFrom(
  inputs: readonly Size[],
  terms: { readonly workersPlan: "free" | "paid"; readonly prices: PriceOverrides },
  first: readonly string[] = [],
): readonly string[] {
  return [...new Set([...first, ...CATALOGUE.keys()])].filter((id) => {
    const found = resolveModel(id, terms);
    const picture = found.kind === "found" ? found.model.picture : null;
    return picture !== null && picture.inputs > 0 && takesInputs(picture, inputs);
  });
}

function outside(field: string, value: number, { min, max }: Range): PictureFailure | null {
  if (value >= min && value <= max) return null;
  if (min !== max) return wrong(field, `must be from ${min} to ${max} for this model`);
  return {
    kind: "unsupported_parameter",
    parameter: field,
    detail: `This model has a fixed ${field} of ${min}.`,
  };
}

function tooLong(
  { promptChars, negativeChars }: PictureMeasure,
  by: NegativeBy,
  { promptChars: most }: PictureTraits,
): PictureFailure | null {
  const chars = sentPromptChars({ promptChars, negativeChars: negativeChars ?? 0 }, by);
  if (most === null || chars <= most) return null;
  const all = by === "prompt" ? ", style and negative prompt included," : "";
  return wrong("prompt", `must be at most ${most} characters${all} for this model`);
}

function tooMany({ pictures }: PictureMeasure, pixels: number): PictureFailure | null {
  const most = Math.floor(MAX_PIXELS / pixels);
  return pictures <= most ? null : wrong("n", `must be at most ${most} for pictures of that size`);
}

const wrong = (field: string, detail: string): PictureFailure => ({
  kind: "invalid_request",
  errors: [{ path: [field], detail }],
});
