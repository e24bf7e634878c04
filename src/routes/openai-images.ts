import type { Config } from "../config.ts";
import type { Picture } from "../engines/picture.ts";
import { sentDiffers, START_STRENGTH } from "../generation/picture-request.ts";
import { styledPrompt } from "../domain/generation/picture-prompt.ts";
import type {
  Generation,
  GenerationCallFailure,
  Made,
  Rendered,
} from "../generation/generation-call.ts";
import { renderedJson } from "../generation/generation-call.ts";
import { defineRoute } from "../http/route.ts";
import { MAX_IMAGES_BODY_BYTES } from "../api/native/image.ts";
import {
  effortOf,
  imagesAsJson,
  type ImagesWish,
  OpenAiImagesInput,
  type OpenAiImagesMade,
  OpenAiImagesOutput,
  sizeOf,
  toOpenAiImages,
  unsupportedIn,
  wordsOf,
} from "../api/openai/images.ts";
import { personOf } from "../api/openai/drop-in.ts";
import { callerOf, GENERATED, openAiReply } from "../edge/generation-deps.ts";
import { bucketOf } from "../edge/bindings.ts";
import {
  DEFAULT_PICTURE_MODEL,
  drawsSeeds,
  NO_BUCKET,
  type PictureCall,
  type PictureRouteCall,
  picturesCall,
  stored,
} from "../edge/picture-deps.ts";
import { mended } from "../api/drop-in-body.ts";

export const createOpenAiImages = defineRoute({
  method: "POST",
  path: "/v1/images/generations",
  summary: "OpenAI's image generations endpoint",
  description:
    "With `url` the pictures are stored and their links last an hour; with `b64_json` nothing is stored. Without `usage`: no model here counts tokens, `neurogate` says what it cost.",
  surface: "openai",
  admits: { kind: "generation", route: "POST /v1/images/generations" },
  auth: { kind: "key", roles: ["call"] },
  body: { schema: OpenAiImagesInput, limitBytes: MAX_IMAGES_BODY_BYTES, mend: mended },
  reply: { status: 200, schema: OpenAiImagesOutput },
  failures: GENERATED,
  handle: (call) => {
    const { body } = call;
    const style = wordsOf(body);
    return openAiPictures(call, {
      route: "POST /v1/images/generations",
      prompt: { given: body.prompt, sent: styledPrompt(body.prompt, style) },
      from: null,
    });
  },
});

/** A call for pictures on one of OpenAI's routes, beside what its body says. */
interface OpenAiPictures {
  readonly route: string;
  readonly prompt: {
    /** As the caller wrote it; null where the route has none. */
    readonly given: string | null;
    readonly sent: string;
  };
  /** The pictures that they start from, and the model that takes these where the caller names none. */
  readonly from: { readonly pictures: readonly Picture[]; readonly model: string } | null;
}

export async function openAiPictures(
  call: PictureRouteCall & { readonly body: ImagesWish },
  { route, prompt, from }: OpenAiPictures,
) {
  const startedMs = Date.now();
  const { body, config } = call;
  const unsupported = unsupportedIn(body, formatOf(body, config, from !== null));
  if (unsupported !== null) return unsupported;
  const bucket = bucketOf(call.env);
  if (bucket === null && body.response_format === "url") return NO_BUCKET;
  const read = await callerOf(call, route, personOf(body));
  if (read.kind !== "read") return read;
  const target = body.response_format === "b64_json" ? null : bucket;
  const generation = await picturesCall(call, {
    who: read.who,
    model: body.model ?? from?.model ?? DEFAULT_PICTURE_MODEL,
    order: {
      pictures: body.n ?? 1,
      prompt: prompt.sent,
      effort: effortOf(body),
      ...sizeOf(body),
      ...(from !== null && { inputs: from.pictures, startStrength: START_STRENGTH }),
      drawsSeeds: drawsSeeds(config),
    },
    stores: target !== null,
    render: renderFor(call, prompt, target),
  });
  return generation.kind === "generated"
    ? openAiReply(generation, config, startedMs)
    : asSize(generation);
}

/**
 * The format of the pictures, where it is known beforehand. The embedded engine makes PNG, and the page of
 * flux-1-schnell says JPEG. An alias is not read here: only the tenant's object knows its model.
 */
function formatOf(
  { model }: ImagesWish,
  { inference }: Config,
  isEdit: boolean,
): "png" | "jpeg" | null {
  if (inference === "embedded") return "png";
  if (isEdit) return null;
  const isFlux = (model ?? DEFAULT_PICTURE_MODEL) === DEFAULT_PICTURE_MODEL;
  return inference === "workers-ai" && isFlux ? "jpeg" : null;
}

/** @param bucket null: nothing is stored, the pictures are in the reply */
const renderFor =
  (
    call: PictureRouteCall & { readonly body: ImagesWish },
    { given, sent }: OpenAiPictures["prompt"],
    bucket: R2Bucket | null,
  ): PictureCall["render"] =>
  async (made, sentOf) => {
    const { body, requestId } = call;
    const revisedPrompt = sentDiffers(given, sentOf(0));
    const facts = { item: made.item, requestId, requested: body.n ?? 1, revisedPrompt };
    if (bucket === null) return inTheReply(made, { createdAtMs: Date.now(), ...facts });
    const requestFields = {
      userId: personOf(body),
      metadata: {},
      prompt: given ?? sent,
      style: null,
      negativePrompt: null,
      variation: null,
    };
    const kept = await stored(call, bucket, { made, sentOf, requestFields });
    if (kept.kind !== "kept") return kept;
    const { record, links } = kept;
    const images = record.pictures.map(({ id }) => {
      const image = { url: links.urls.get(id) ?? "" };
      return { id, image };
    });
    const format = made.answers[0]?.output.format ?? null;
    const { createdAtMs } = record;
    return renderedJson(toOpenAiImages(images, format, { createdAtMs, ...facts }));
  };

const inTheReply = ({ answers }: Made<"picture">, made: OpenAiImagesMade): Rendered => ({
  contentType: "application/json",
  body: imagesAsJson(
    answers.map(({ output }) => output),
    made,
  ),
});

const isSide = (field: unknown): boolean => field === "width" || field === "height";

/** Width and height are one field here. */
function asSize<Failure extends Exclude<Generation | GenerationCallFailure, Generation>>(
  failure: Failure,
): Failure {
  if (failure.kind === "unsupported_parameter" && isSide(failure.parameter)) {
    return { ...failure, parameter: "size" };
  }
  if (failure.kind !== "invalid_request") return failure;
  const errors = failure.errors.map(({ path: [field, ...rest], detail }) => {
    if (!isSide(field)) return { path: field === undefined ? rest : [field, ...rest], detail };
    return { path: ["size", ...rest], detail: `has a ${field} that ${detail}` };
  });
  return { ...failure, errors };
}
