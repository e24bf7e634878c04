import type { Config } from "../config.ts";
import { admittedModels } from "../domain/catalogue/catalogue.ts";
import type { EngineFailure } from "../domain/ledger/failure.ts";
import type { PictureOwner, PictureRecord } from "../domain/generation/stored-picture.ts";
import {
  type Generation,
  type GenerationCallFailure,
  type GenerationCaller,
  type Made,
  type Rendered,
} from "../generation/generation-call.ts";
import { keepPictures, type MadePicture } from "../generation/keep-pictures.ts";
import { type PictureOrder, pictureRequest } from "../generation/picture-request.ts";
import { newId } from "../http/ids.ts";
import { LINK_LIFETIME_S, signedLink } from "../http/signed-link.ts";
import type { Links } from "../api/native/image.ts";
import { generate, type GenerationRouteCall } from "./generation-deps.ts";
import { UNAVAILABLE } from "./bindings.ts";

// Shared by the routes of pictures. A call makes pictures, stores them if the route wants that, and renders
// the reply; each route has its own rendering.

/** The cheapest that is priced: 57.6 neurons a picture of 1,024 x 1,024. */
export const DEFAULT_PICTURE_MODEL = "@cf/black-forest-labs/flux-1-schnell";

export interface PictureRouteCall extends GenerationRouteCall {
  readonly ctx: ExecutionContext;
}

/** What the bucket says; one that does not answer is `unavailable`: nothing was charged by then. */
export const fromBucket = <Result>(read: Promise<Result>): Promise<Result | typeof UNAVAILABLE> =>
  read.catch(() => UNAVAILABLE);

export const NO_BUCKET: EngineFailure = {
  kind: "engine_unsupported",
  detail: "This deployment stores no pictures: ask /v1/images/generations for b64_json.",
};

/** An OpenAI-compatible server gets a seed only if the caller gave one. */
export const drawsSeeds = ({ inference }: Config): boolean => inference !== "openai";

export interface PictureCall {
  readonly who: GenerationCaller & { readonly fit: boolean };
  /** As the caller named it. */
  readonly model: string;
  readonly order: PictureOrder;
  /** Whether `render` puts them into the bucket: each then takes a unit of `requests`. */
  readonly stores: boolean;
  readonly render: (
    made: Made<"picture">,
    sentOf: (at: number) => ReturnType<ReturnType<typeof pictureRequest>["inference"]>,
  ) => Rendered | EngineFailure | Promise<Rendered | EngineFailure>;
}

export function picturesCall(
  call: PictureRouteCall,
  { who, model, order, stores, render }: PictureCall,
): Promise<Generation | GenerationCallFailure> {
  const modelOf = admittedModels(call.config.prices);
  const { measured, inference } = pictureRequest(order);
  return generate(call, {
    ...who,
    kind: "picture",
    model,
    measured,
    ...(stores && { stores: order.pictures }),
    inference: (id, _stage, at) => inference(modelOf(id), at),
    render: (made) => render(made, (at) => inference(modelOf(made.item.pricedAs), at)),
  });
}

/** What the caller asked, for the record. */
export type PictureRequestFields = Pick<
  PictureRecord,
  "userId" | "metadata" | "prompt" | "style" | "negativePrompt" | "variation"
>;

/** Into the bucket, with links to what lies there. */
export async function stored(
  call: PictureRouteCall,
  bucket: R2Bucket,
  {
    made: { answers, at, item, hold, generation },
    sentOf,
    requestFields,
  }: {
    readonly made: Made<"picture">;
    readonly sentOf: Parameters<PictureCall["render"]>[1];
    readonly requestFields: PictureRequestFields;
  },
): Promise<
  { readonly kind: "kept"; readonly record: PictureRecord; readonly links: Links } | EngineFailure
> {
  const owner: PictureOwner = { tenant: call.caller.tenant, generation };
  const first = sentOf(0);
  const record = {
    version: 1,
    callId: hold.callId,
    requestId: call.requestId,
    createdAtMs: Date.now(),
    model: item.pricedAs,
    ran: item.model,
    engine: item.engine,
    width: first.size.width,
    height: first.size.height,
    steps: first.steps,
    ...requestFields,
  } as const;
  const pictures = answers.map(({ output }, index): MadePicture => ({
    id: newId("img"),
    seed: sentOf(at[index] ?? index).seed,
    picture: output,
  }));
  const kept = await keepPictures(bucket, owner, { record, made: pictures });
  if (kept.kind !== "kept") return kept;
  const ids = kept.record.pictures.map(({ id }) => id);
  return { kind: "kept", record: kept.record, links: await linksTo(call, owner, ids) };
}

export const imagePath = (id: string): string => `/v1/images/${id}`;

/**
 * Links that open these pictures without a key, all until the same moment.
 *
 * @param query of the variant that they open; empty: the picture itself
 */
export async function linksTo(
  { request, config }: Pick<PictureRouteCall, "request" | "config">,
  { tenant, generation }: PictureOwner,
  ids: readonly string[],
  query: Readonly<Record<string, string>> = {},
): Promise<Links> {
  const expiresAtS = Math.floor(Date.now() / 1000) + LINK_LIFETIME_S;
  const { origin } = new URL(request.url);
  const urls = await Promise.all(
    ids.map(async (id) => {
      const claim = { tenant, generation, path: imagePath(id), query, expiresAtS };
      return [id, await signedLink(origin, claim, config.keySecrets)] as const;
    }),
  );
  return { urls: new Map(urls), expiresAtMs: expiresAtS * 1000 };
}
