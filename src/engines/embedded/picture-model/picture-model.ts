import {
  hasTooManyPixels,
  PICTURE_CLASSES,
  type PictureScores,
  pictureScores,
  worseScores,
} from "../../../domain/moderation/picture-scores.ts";
import { type Assets, type ModelAsset, modelLoader } from "../../../io/model-asset.ts";
import type { Picture } from "../../picture.ts";
import type { Pixels } from "../pixels.ts";
import { withPixels } from "../with-pixels.ts";
import KERNELS from "./kernels.wasm";
import { createMobilenet, type Mobilenet, SIDE } from "./mobilenet.ts";
import { readWeights } from "./read-weights.ts";
import { type Background, isTransparent, shrinkInto } from "./shrink.ts";

// The picture model inside the Worker: small, free and often wrong (docs/picture-model.md). Its scores
// may flag or block a picture; beside a vision model they are no reason to approve one.

/** The shipped weights; `npm run picture-model:build` prints these figures. */
export const PICTURE_WEIGHTS: ModelAsset = {
  file: "nsfw-1.bin",
  bytes: 2_640_953,
  sha256: "e5331a57f77228f44873bc1460218a8ac62d328ae0063af03087f82a781de541",
};

const WEIGHTS_ARE = { model: "nsfw-mobilenet-v2", version: 1 } as const;

/** The result for a picture. */
export type JudgedPicture =
  | { readonly kind: "judged"; readonly scores: PictureScores }
  /** More than `MAX_JUDGED_PIXELS`: nothing was decoded. */
  | { readonly kind: "too_many_pixels" }
  /** The bytes are not the picture that its header claims. */
  | { readonly kind: "undecodable" }
  /** The model's file cannot be loaded or is not the one that this source names, or it gave no scores. */
  | { readonly kind: "unavailable" };

/** Gives the model; null while it cannot be loaded. Never rejects. */
export type LoadPictureModel = () => Promise<Mobilenet | null>;

const LOADER = modelLoader(PICTURE_WEIGHTS, readPictureModel);

/** Loads the model once per isolate; the first picture waits for it. */
export const pictureModelOf =
  (assets: Assets): LoadPictureModel =>
  () =>
    LOADER.load(assets);

/** Judges a picture, one at a time. Never rejects because of the picture. */
export async function judgePicture(
  picture: Picture,
  loadModel: LoadPictureModel,
): Promise<JudgedPicture> {
  if (hasTooManyPixels(picture)) return { kind: "too_many_pixels" };
  const model = await loadModel();
  if (model === null) return { kind: "unavailable" };
  const found = await withPixels(picture, (pixels) => ({ scores: scoresOf(model, pixels) }));
  if (found === null) return { kind: "undecodable" };
  const { scores } = found;
  return scores === null ? { kind: "unavailable" } : { kind: "judged", scores };
}

/** The network in a file of weights, or null if there is none of this version in it. */
export function readPictureModel(file: ArrayBuffer): Mobilenet | null {
  const weights = readWeights(file, WEIGHTS_ARE);
  return weights === null ? null : createMobilenet(KERNELS, weights, PICTURE_CLASSES.length);
}

/**
 * A transparent picture looks different on a dark page and on a light one, and can be made to look
 * harmless on one of them: so it is judged on both. Null: the model gave no scores.
 */
export function scoresOf(model: Mobilenet, pixels: Pixels): PictureScores | null {
  const seenOn = (background: Background): PictureScores | null => {
    shrinkInto(model.input, pixels, { side: SIDE, background });
    return scoresIn(model.run());
  };
  const onWhite = seenOn("white");
  if (onWhite === null || !isTransparent(pixels)) return onWhite;
  const onBlack = seenOn("black");
  return onBlack === null ? null : worseScores(onWhite, onBlack);
}

function scoresIn(probabilities: Float32Array): PictureScores | null {
  // NaN never reaches a threshold, so it would pass as harmless.
  if (!probabilities.every(Number.isFinite)) return null;
  const [drawing = 1, hentai = 1, neutral = 1, porn = 1, sexy = 1] = probabilities;
  return pictureScores({ drawing, hentai, neutral, porn, sexy });
}
