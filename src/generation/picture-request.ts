import type { Model } from "../domain/catalogue/catalogue.ts";
import { negativeBy, sentPrompt } from "../domain/generation/picture-prompt.ts";
import {
  PLAIN_PICTURE,
  type PictureMeasure,
  pictureTerms,
} from "../domain/generation/picture-terms.ts";
import { MAX_SEED } from "../domain/generation/picture-traits.ts";
import type { Measured } from "../domain/generation/plan-generation.ts";
import type { PictureInference } from "../engines/inference.ts";
import type { Picture } from "../engines/picture.ts";

// A route's request for pictures, measured for the admission and complete for the engine.

/** The most bytes of all pictures of a call, and of one: they are in memory at once. See `MAX_PIXELS`. */
const MAX_BYTES_A_CALL = 24 * 1024 * 1024;
const MAX_BYTES_A_PICTURE = 12 * 1024 * 1024;

/**
 * How far a picture may differ from the one that it starts from, where the caller does not say. A model's
 * own default is 1, which leaves nothing of the picture.
 */
export const START_STRENGTH = 0.7;

/** Fields that the caller left out are absent: then the model's own defaults are sent. */
export interface PictureOrder {
  readonly pictures: number;
  /** With the text of its style. */
  readonly prompt: string;
  readonly negativePrompt?: string | undefined;
  readonly width?: number | undefined;
  readonly height?: number | undefined;
  readonly steps?: number | undefined;
  readonly effort?: PictureMeasure["effort"] | undefined;
  readonly seed?: number | undefined;
  readonly guidance?: number | undefined;
  readonly strength?: number | undefined;
  /** Instead of it, where only the model that runs says whether it has one. */
  readonly startStrength?: number | undefined;
  readonly inputs?: readonly Picture[] | undefined;
  /** Draw a seed if none is given, so that the seed of each picture is known. */
  readonly drawsSeeds: boolean;
}

export interface PictureRequest {
  readonly measured: Extract<Measured, { kind: "picture" }>;
  /** The input for the picture at index `at`. */
  readonly inference: (model: Model, at: number) => PictureInference;
}

export function pictureRequest(order: PictureOrder): PictureRequest {
  const measure = measureOf(order);
  const firstSeed = order.seed ?? (order.drawsSeeds ? drawSeed() : null);
  const maxBytes = Math.min(MAX_BYTES_A_PICTURE, Math.floor(MAX_BYTES_A_CALL / order.pictures));
  const negativePrompt = order.negativePrompt ?? null;
  return {
    measured: { kind: "picture", picture: measure },
    inference(model, at) {
      const terms = pictureTerms(model, measure);
      if (terms.kind !== "terms" || model.picture === null) {
        throw new Error("the plan names a model that cannot make these pictures");
      }
      const by = negativeBy(negativePrompt !== null, model.picture);
      return {
        model: model.id,
        prompt: sentPrompt({ prompt: order.prompt, negativePrompt }, by),
        negativePrompt: by === "parameter" ? negativePrompt : null,
        size: terms.size,
        steps: terms.steps,
        seed: model.picture.seed && firstSeed !== null ? (firstSeed + at) % (MAX_SEED + 1) : null,
        guidance: order.guidance ?? null,
        strength: order.strength ?? (model.picture.strength ? order.startStrength : null) ?? null,
        inputs: order.inputs ?? [],
        maxBytes,
      };
    },
  };
}

const measureOf = (order: PictureOrder): PictureMeasure => ({
  ...PLAIN_PICTURE,
  pictures: order.pictures,
  width: order.width ?? null,
  height: order.height ?? null,
  steps: order.steps ?? null,
  effort: order.effort ?? "medium",
  seed: order.seed !== undefined,
  guidance: order.guidance ?? null,
  strength: order.strength ?? null,
  promptChars: order.prompt.length,
  negativeChars: order.negativePrompt?.length ?? null,
  inputs: (order.inputs ?? []).map(({ width, height }) => ({ width, height })),
});

const drawSeed = (): number => (crypto.getRandomValues(new Uint32Array(1))[0] ?? 0) & MAX_SEED;

/** The prompt that was sent, if it differs from the caller's, who may have given none; else null. */
export const sentDiffers = (prompt: string | null, sent: PictureInference): string | null =>
  sent.prompt === prompt ? null : sent.prompt;
