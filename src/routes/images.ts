import * as v from "valibot";
import { admittedModels } from "../domain/catalogue/catalogue.ts";
import { styledPrompt, styleWords } from "../domain/generation/picture-prompt.ts";
import type { Generation } from "../generation/generation-call.ts";
import { renderedJson } from "../generation/generation-call.ts";
import { readPictureRecord } from "../generation/read-picture-record.ts";
import type { KeyCaller, MirrorCaller } from "../http/call.ts";
import { ok, raw, type Raw } from "../http/reply.ts";
import { defineRoute } from "../http/route.ts";
import type { Config } from "../config.ts";
import {
  ImageOutput,
  ImagesInput,
  ImagesOutput,
  MAX_IMAGES_BODY_BYTES,
  toImage,
  toImages,
} from "../api/native/image.ts";
import {
  ImageMetadataQuery,
  ImageQuery,
  toWish,
  variantParameters,
} from "../api/native/picture-variant.ts";
import { isNegotiated } from "../domain/generation/picture-variant.ts";
import { pictureFile } from "../edge/picture-variants.ts";
import { callerOf, GENERATED, generationHeaders } from "../edge/generation-deps.ts";
import { pictureReply } from "./picture-reply.ts";
import { bucketOf, readTenant, TENANT_READ } from "../edge/bindings.ts";
import {
  type PictureRequestFields,
  DEFAULT_PICTURE_MODEL,
  drawsSeeds,
  fromBucket,
  linksTo,
  NO_BUCKET,
  type PictureCall,
  type PictureRouteCall,
  picturesCall,
  stored,
} from "../edge/picture-deps.ts";

export const createImages = defineRoute({
  method: "POST",
  path: "/v1/images",
  summary: "Make pictures",
  description:
    "What the model has no parameter for is put into the prompt where words can say it, and `applied` says so; else it is refused as `unsupported_parameter`. The pictures are stored with their prompt until the tenant is deleted.",
  surface: "native",
  admits: { kind: "generation", route: "POST /v1/images" },
  auth: { kind: "key", roles: ["call"] },
  body: { schema: ImagesInput, limitBytes: MAX_IMAGES_BODY_BYTES },
  reply: { status: 200, schema: ImagesOutput },
  failures: GENERATED,
  handle: async (call) => {
    const { body } = call;
    const bucket = bucketOf(call.env);
    if (bucket === null) return NO_BUCKET;
    const userId = body.user_id ?? null;
    const read = await callerOf(call, "POST /v1/images", userId);
    if (read.kind !== "read") return read;
    const style = body.style ?? null;
    const requestFields = {
      userId,
      metadata: body.metadata,
      prompt: body.prompt,
      style,
      negativePrompt: body.negative_prompt ?? null,
      variation: null,
    };
    const generation = await picturesCall(call, {
      who: read.who,
      model: body.model ?? DEFAULT_PICTURE_MODEL,
      order: {
        pictures: body.n,
        prompt: styledPrompt(body.prompt, style === null ? null : styleWords(style)),
        negativePrompt: body.negative_prompt,
        width: body.width,
        height: body.height,
        steps: body.steps,
        seed: body.seed,
        drawsSeeds: drawsSeeds(call.config),
      },
      stores: true,
      render: renderStored(call, bucket, { requestFields, requested: body.n }),
    });
    return generation.kind === "generated" ? imagesReply(generation, call.config) : generation;
  },
});

/** Into the bucket, then the native reply. */
export const renderStored =
  (
    call: PictureRouteCall,
    bucket: R2Bucket,
    {
      requestFields,
      requested,
    }: { readonly requestFields: PictureRequestFields; readonly requested: number },
  ): PictureCall["render"] =>
  async (made, sentOf) => {
    const kept = await stored(call, bucket, { made, sentOf, requestFields });
    if (kept.kind !== "kept") return kept;
    const { item } = made;
    const model = admittedModels(call.config.prices)(item.pricedAs);
    return renderedJson(toImages(kept.record, kept.links, { item, model, requested }));
  };

/** The reply of the native routes that make pictures. */
export const imagesReply = (generation: Generation, config: Config): Raw =>
  raw(
    new Response(generation.rendered.body, {
      headers: {
        "Content-Type": generation.rendered.contentType,
        ...generationHeaders(generation, config),
      },
    }),
  );

export const PARAMS = v.strictObject({
  id: v.pipe(v.string(), v.description("`img_` and a ULID.")),
});

export const NO_IMAGE = { kind: "not_found", what: "image" } as const;

export const getImage = defineRoute({
  method: "GET",
  path: "/v1/images/:id",
  summary: "A picture's bytes",
  description:
    "With the owner's key, or without one by the link that came with the picture, until it expires. `width`, `height`, `fit`, `format` and `quality` give it at another size or in another format; each such variant is made once, and kept. A key of role `review` reads the variants that exist. `ETag` with `If-None-Match`, and single ranges, are honoured.",
  surface: "native",
  auth: { kind: "key", roles: ["call", "review"], orLink: "image" },
  params: PARAMS,
  query: ImageQuery,
  reply: {
    status: 200,
    contentType: "image/*",
    schema: v.pipe(v.string(), v.description("PNG, JPEG, WebP or AVIF.")),
  },
  failures: [...TENANT_READ, "over_limit", "rate_limited", "engine_unsupported", "engine_failed"],
  handle: async (call) => {
    const { caller } = call;
    const bucket = bucketOf(call.env);
    if (bucket === null) return NO_IMAGE;
    const isLink = caller.kind === "link";
    const owner = isLink
      ? ({ ...caller, kind: "owner" } as const)
      : await ownerOf({ env: call.env, caller });
    if (owner.kind !== "owner") return owner;
    const keptS = isLink ? Math.max(0, Math.floor(caller.expiresAtS - Date.now() / 1000)) : YEAR_S;
    const { id } = call.params;
    const { request } = call;
    const wish = toWish(call.query);
    const accept = request.headers.get("accept");
    const file = await fromBucket(pictureFile(call, bucket, { caller, owner, id, wish, accept }));
    if (file.kind !== "file") return file;
    const order = { id, request, keptS, isNegotiated: wish !== null && isNegotiated(wish) };
    return (await fromBucket(pictureReply(bucket, file.key, order))) ?? NO_IMAGE;
  },
});

const asMaker = (caller: KeyCaller | MirrorCaller): KeyCaller | MirrorCaller =>
  caller.kind === "key" ? { ...caller, roles: ["call"] } : caller;

const YEAR_S = 31_536_000;

/** The tenant's present generation, if this key may read. */
export async function ownerOf(call: Parameters<typeof readTenant>[0]) {
  const read = await readTenant(call, (tenant, caller) => tenant.readProfile(caller));
  if (read.kind !== "profile") return read;
  const { id, generation } = read.profile;
  return { kind: "owner", tenant: id, generation } as const;
}

export const getImageMetadata = defineRoute({
  method: "GET",
  path: "/v1/images/:id/metadata",
  summary: "What a picture was made of, and a new link to it",
  description:
    "With `width`, `height`, `fit`, `format` or `quality` the link opens that variant of the picture, and no other. It is made when the link is first opened.",
  surface: "native",
  auth: { kind: "key", roles: ["call", "review"] },
  params: PARAMS,
  query: ImageMetadataQuery,
  reply: { status: 200, schema: ImageOutput },
  failures: TENANT_READ,
  handle: async (call) => {
    const bucket = bucketOf(call.env);
    if (bucket === null) return NO_IMAGE;
    const wish = toWish(call.query);
    // Who opens a link may make its variant: only a key that may make it itself signs one.
    const owner = await ownerOf(
      wish === null ? call : { env: call.env, caller: asMaker(call.caller) },
    );
    if (owner.kind !== "owner") return owner;
    const { id } = call.params;
    const parameters = variantParameters(wish);
    const found = await fromBucket(readPictureRecord(bucket, owner, id));
    if (found === null) return NO_IMAGE;
    if ("kind" in found) return found;
    return ok(toImage(found.record, found.picture, await linksTo(call, owner, [id], parameters)));
  },
});
