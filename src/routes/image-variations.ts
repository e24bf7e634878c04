import { CATALOGUE, type PriceOverrides } from "../domain/catalogue/catalogue.ts";
import { styledPrompt, styleWords } from "../domain/generation/picture-prompt.ts";
import { startersFrom } from "../domain/generation/picture-terms.ts";
import type { PictureTraits } from "../domain/generation/picture-traits.ts";
import {
  type PictureOwner,
  pictureKey,
  type PictureRecord,
} from "../domain/generation/stored-picture.ts";
import { type PictureOrder, START_STRENGTH } from "../generation/picture-request.ts";
import { readPictureRecord } from "../generation/read-picture-record.ts";
import { sha256Hex, utf8 } from "../http/call-labels.ts";
import { defineRoute } from "../http/route.ts";
import { type Picture, readPicture } from "../engines/picture.ts";
import { ImagesOutput, MAX_IMAGES_BODY_BYTES, VariationsInput } from "../api/native/image.ts";
import { callerOf, GENERATED } from "../edge/generation-deps.ts";
import { imagesReply, NO_IMAGE, ownerOf, PARAMS, renderStored } from "./images.ts";
import { bucketOf } from "../edge/bindings.ts";
import { drawsSeeds, fromBucket, NO_BUCKET, picturesCall } from "../edge/picture-deps.ts";

export const createVariations = defineRoute({
  method: "POST",
  path: "/v1/images/:id/variations",
  summary: "More pictures like one that is stored",
  description:
    "By the picture's own model, which starts from the picture if it can, and else is given the same prompt with another seed; `variation.by` says which. With `strength`, a model that takes it is needed.",
  surface: "native",
  admits: { kind: "generation", route: "POST /v1/images/{id}/variations" },
  auth: { kind: "key", roles: ["call"] },
  params: PARAMS,
  body: { schema: VariationsInput, limitBytes: MAX_IMAGES_BODY_BYTES },
  reply: { status: 200, schema: ImagesOutput },
  failures: [...GENERATED, "not_found"],
  handle: async (call) => {
    const { body, config } = call;
    const bucket = bucketOf(call.env);
    if (bucket === null) return NO_BUCKET;
    const owner = await ownerOf(call);
    if (owner.kind !== "owner") return owner;
    const found = await fromBucket(readPictureRecord(bucket, owner, call.params.id));
    if (found === null) return NO_IMAGE;
    if ("kind" in found) return found;
    const { record, picture: source } = found;
    const way = wayOf(record, { size: source, strength: body.strength ?? null, ...config });
    if (way === null) return NO_STRENGTH;
    const starts = way.by === "picture";
    const input = starts ? await fromBucket(bytesOf(bucket, owner, source.id)) : null;
    if (starts && input === null) return NO_IMAGE;
    if (input !== null && "kind" in input) return input;

    const userId = body.user_id ?? record.userId;
    // The picture belongs to what an idempotency key stands for, and is not in the body.
    // The picture is a part of what is asked, and stands in the path.
    const fingerprint = async () => sha256Hex(utf8(`${source.id} ${await call.fingerprint()}`));
    const named = { ...call, fingerprint };
    const read = await callerOf(named, "POST /v1/images/{id}/variations", userId);
    if (read.kind !== "read") return read;
    const prompt = body.prompt ?? record.prompt;
    const { style, negativePrompt } = record;
    const variation = { of: source.id, by: way.by };
    const requestFields = {
      userId,
      metadata: body.metadata,
      prompt,
      style,
      negativePrompt,
      variation,
    };
    const generation = await picturesCall(call, {
      who: read.who,
      model: way.model,
      order: {
        ...sameAs(record, prompt),
        // Another model has its own.
        ...(way.model !== record.model && { steps: undefined }),
        pictures: body.n,
        ...(input !== null && { inputs: [input] }),
        ...(way.strength !== null && { strength: way.strength }),
        drawsSeeds: drawsSeeds(config),
      },
      stores: true,
      render: renderStored(call, bucket, { requestFields, requested: body.n }),
    });
    return generation.kind === "generated" ? imagesReply(generation, config) : generation;
  },
});

const NO_STRENGTH = {
  kind: "unsupported_parameter",
  parameter: "strength",
  detail: "No model that is priced here takes a strength with this picture.",
} as const;

interface Way {
  readonly model: string;
  readonly by: "picture" | "seed" | "prompt";
  readonly strength: number | null;
}

/**
 * The picture's own model, so that price and manner are known; another one only for a strength that
 * it does not take. Null: there is none for that.
 */
function wayOf(
  { model: own }: PictureRecord,
  wanted: {
    readonly size: Pick<Picture, "width" | "height">;
    readonly strength: number | null;
    readonly inference: string;
    readonly workersPlan: "free" | "paid";
    readonly prices: PriceOverrides;
  },
): Way | null {
  const { size, strength } = wanted;
  // An OpenAI-compatible server has no such call.
  const starters = wanted.inference === "openai" ? [] : startersFrom([size], wanted, [own]);
  if (strength !== null) {
    const model = starters.find((id) => traitsOf(id)?.strength === true);
    return model === undefined ? null : { model, by: "picture", strength };
  }
  if (starters[0] === own) {
    const takesStrength = traitsOf(own)?.strength === true;
    return { model: own, by: "picture", strength: takesStrength ? START_STRENGTH : null };
  }
  return { model: own, by: traitsOf(own)?.seed === true ? "seed" : "prompt", strength: null };
}

const traitsOf = (id: string): PictureTraits | null => CATALOGUE.get(id)?.picture ?? null;

const sameAs = (
  record: PictureRecord,
  prompt: string,
): Pick<PictureOrder, "prompt" | "negativePrompt" | "width" | "height" | "steps"> => ({
  prompt: styledPrompt(prompt, record.style === null ? null : styleWords(record.style)),
  negativePrompt: record.negativePrompt ?? undefined,
  width: record.width,
  height: record.height,
  steps: record.steps,
});

async function bytesOf(bucket: R2Bucket, owner: PictureOwner, id: string): Promise<Picture | null> {
  const object = await bucket.get(pictureKey(owner, id));
  if (object === null) return null;
  const picture = readPicture(new Uint8Array(await object.arrayBuffer()), object.size);
  return "bytes" in picture ? picture : null;
}
