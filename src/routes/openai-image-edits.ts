import { startersFrom } from "../domain/generation/picture-terms.ts";
import type { RequestFailure } from "../domain/ledger/failure.ts";
import {
  ImageEditInput,
  ImageVariationInput,
  MAX_EDIT_BYTES,
  mendedEdit,
  picturesOf,
  unsupportedEdit,
} from "../api/openai/image-edits.ts";
import { type ImagesWish, OpenAiImagesOutput } from "../api/openai/images.ts";
import type { Upload } from "../http/upload.ts";
import { defineRoute } from "../http/route.ts";
import { GENERATED } from "../edge/generation-deps.ts";
import type { PictureRouteCall } from "../edge/picture-deps.ts";
import { openAiPictures } from "./openai-images.ts";

// OpenAI's edits and variations: pictures that start from pictures, by the models of the catalogue that
// can. All else is as in a generation.

export const createImageEdit = defineRoute({
  method: "POST",
  path: "/v1/images/edits",
  summary: "OpenAI's image edits endpoint",
  description:
    "A form. Needs a priced model that starts from pictures; each limits their number and size. A mask is refused: no model here changes only a part.",
  surface: "openai",
  admits: { kind: "generation", route: "POST /v1/images/edits" },
  auth: { kind: "key", roles: ["call"] },
  body: {
    schema: ImageEditInput,
    limitBytes: MAX_EDIT_BYTES,
    as: "multipart",
    lists: ["image"],
    largest: "image",
    mend: mendedEdit,
  },
  reply: { status: 200, schema: OpenAiImagesOutput },
  failures: GENERATED,
  handle: async (call) => {
    const { image, prompt } = call.body;
    const unable = unsupportedEdit(call.body);
    if (unable !== null) return unable;
    return startedFrom(call, {
      route: "POST /v1/images/edits",
      files: image,
      prompt: { given: prompt, sent: prompt },
    });
  },
});

/** A variation has no prompt, and every model needs one. */
const SAME_AGAIN = "Another version of this picture";

export const createImageVariation = defineRoute({
  method: "POST",
  path: "/v1/images/variations",
  summary: "OpenAI's image variations endpoint",
  description:
    "A form. An edit with a prompt of our own, which `revised_prompt` shows. Of a stored picture: `/v1/images/{id}/variations`.",
  surface: "openai",
  admits: { kind: "generation", route: "POST /v1/images/variations" },
  auth: { kind: "key", roles: ["call"] },
  body: {
    schema: ImageVariationInput,
    limitBytes: MAX_EDIT_BYTES,
    as: "multipart",
    largest: "image",
    mend: mendedEdit,
  },
  reply: { status: 200, schema: OpenAiImagesOutput },
  failures: GENERATED,
  handle: (call) =>
    startedFrom(call, {
      route: "POST /v1/images/variations",
      files: [call.body.image],
      prompt: { given: null, sent: SAME_AGAIN },
    }),
});

/** The cheapest that starts from pictures and has a published price. */
const DEFAULT_EDIT_MODEL = "@cf/black-forest-labs/flux-2-klein-4b";

interface Started {
  readonly route: string;
  readonly files: readonly Upload[];
  readonly prompt: Parameters<typeof openAiPictures>[1]["prompt"];
}

async function startedFrom(
  call: PictureRouteCall & { readonly body: ImagesWish },
  { route, files, prompt }: Started,
) {
  const { config } = call;
  if (config.inference === "openai") return PROMPTS_ONLY;
  const read = picturesOf(files);
  if (read.kind !== "pictures") return read;
  const { pictures } = read;
  const starters = startersFrom(pictures, config, [DEFAULT_EDIT_MODEL]);
  const [model] = starters;
  if (model === undefined) return unableToStart(startersFrom([], config));
  const made = await openAiPictures(call, { route, prompt, from: { pictures, model } });
  const isUnable = made.kind === "unsupported_parameter" && made.parameter === "image";
  return isUnable ? { ...made, detail: `${made.detail} ${served(starters)}` } : made;
}

const PROMPTS_ONLY = {
  kind: "engine_unsupported",
  detail:
    "The engine of this deployment makes pictures from a prompt alone: see /v1/images/generations.",
} as const;

const served = (models: readonly string[]): string => `These take it: ${models.join(", ")}.`;

/** @param starters models that start from other pictures */
const unableToStart = (starters: readonly string[]) =>
  ({
    kind: "unsupported_parameter",
    parameter: "image",
    detail:
      starters.length === 0
        ? "No model that starts from a picture has a price here: see /v1/images/generations."
        : `No priced model starts from pictures of this size and number. These start from smaller or fewer ones: ${starters.join(", ")}.`,
  }) as const satisfies RequestFailure;
