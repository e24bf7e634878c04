import {
  PICTURE_FORMATS,
  type PictureFormat,
  type PictureVariant,
  variantKey,
  variantName,
  variantOf,
  type VariantWish,
} from "../domain/generation/picture-variant.ts";
import { PICTURE_ID, type PictureOwner, pictureKey } from "../domain/generation/stored-picture.ts";
import type {
  AccessFailure,
  EngineFailure,
  LookupFailure,
  RateFailure,
  RequestFailure,
} from "../domain/ledger/failure.ts";
import { isoTime } from "../domain/ledger/period.ts";
import { twice, within } from "../io/bucket.ts";
import { Places } from "../io/places.ts";
import { readAtMost } from "../io/read-at-most.ts";
import type { KeyCaller, LinkCaller, MirrorCaller } from "../http/call.ts";
import { attempt, objectCaller, tenantObject, transformsOf, UNAVAILABLE } from "./bindings.ts";
import { toItsEnd } from "./moderation-deps.ts";

// Finds a picture at another size or in another format in the bucket, and makes it where it is not there
// yet. The tenant's object says who makes it, so that it is made, and billed, once: other requests look
// for its file until it is there.

/** Longer than any transformation of a picture of ours should take. */
const TRANSFORM_TIMEOUT_MS = 20_000;

/** A picture of 4,096 pixels a side as PNG may be as large as this; a larger one is refused. */
const MOST_VARIANT_BYTES = 24 * 1024 * 1024;

/** Each has a variant in memory while it is written; an isolate has 128 MB. */
const PLACES = new Places({
  most: 2,
  waitMs: 10_000,
  lookMs: 50,
  // A transformation, the reads and writes of the bucket and the calls of the object take less.
  goneMs: 60_000,
});

/** Between looks for a file that another request makes: 12 s, and 8 requests to the bucket, in all. */
const LOOKS_MS = [200, 300, 500, 1000, 2000, 2000, 3000, 3000];

type Unsupported = Extract<EngineFailure, { kind: "engine_unsupported" }>;

interface NotMade {
  readonly kind: "engine_failed";
  readonly charged: false;
  readonly detail: string;
}

const NO_TRANSFORMS: Unsupported = {
  kind: "engine_unsupported",
  detail:
    "This deployment gives pictures only as they were made: leave out width, height, fit, format and quality.",
};

const NOT_MADE: NotMade = {
  kind: "engine_failed",
  charged: false,
  detail: "The picture could not be transformed.",
};

const NO_TURN = { kind: "unavailable", reason: "pictures" } as const;

const NO_PICTURE = { kind: "not_found", what: "image" } as const;

export interface VariantCall {
  readonly env: Env;
  readonly requestId: string;
  readonly ctx: ExecutionContext;
}

export type VariantFailure =
  | Extract<LookupFailure, { kind: "not_found" }>
  | Extract<AccessFailure, { kind: "invalid_key" | "tenant_suspended" | "role_required" }>
  | RateFailure
  | Extract<RequestFailure, { kind: "over_limit" }>
  | Unsupported
  | NotMade
  | typeof UNAVAILABLE
  | typeof NO_TURN;

export type PictureReader = KeyCaller | MirrorCaller | LinkCaller;

/** Where the bytes lie: of the picture itself, or of a variant. */
export type PictureFile = { readonly kind: "file"; readonly key: string } | VariantFailure;

/** @throws when the bucket does not answer */
export async function pictureFile(
  call: VariantCall,
  bucket: R2Bucket,
  {
    caller,
    owner,
    id,
    wish,
    accept,
  }: {
    /** A variant that exists is given to every reader of the picture; a new one is made for some alone. */
    readonly caller: PictureReader;
    readonly owner: PictureOwner;
    readonly id: string;
    /** Null: the picture itself. */
    readonly wish: VariantWish | null;
    /** The header. */
    readonly accept: string | null;
  },
): Promise<PictureFile> {
  if (!PICTURE_ID.test(id)) return NO_PICTURE;
  const itself = pictureKey(owner, id);
  if (wish === null) return { kind: "file", key: itself };
  const stored = await bucket.head(itself);
  const callId = stored?.customMetadata?.["call"];
  const made = formatOf(stored?.httpMetadata?.contentType);
  if (callId === undefined || made === null) return NO_PICTURE;
  const variant = variantOf(wish, made, accept);
  if (variant === null) return { kind: "file", key: itself };
  const name = variantName(variant);
  const key = variantKey(owner, { callId, pictureId: id, name });
  if ((await bucket.head(key)) !== null) return { kind: "file", key };
  const transforms = transformsOf(call.env);
  if (transforms === null) return NO_TRANSFORMS;
  const named = { callId, pictureId: id, name };
  const { requestId } = call;
  const order = { caller, requestId, owner, named, key, itself, variant };
  return toItsEnd(call.ctx, makeOnce(call.env, { bucket, transforms }, order));
}

function formatOf(contentType: string | undefined): PictureFormat | null {
  return PICTURE_FORMATS.find((format) => contentType === `image/${format}`) ?? null;
}

interface Order {
  readonly caller: PictureReader;
  readonly requestId: string;
  readonly owner: PictureOwner;
  readonly named: { readonly callId: string; readonly pictureId: string; readonly name: string };
  readonly key: string;
  /** The key of the picture. */
  readonly itself: string;
  readonly variant: PictureVariant;
}

interface Means {
  readonly bucket: R2Bucket;
  readonly transforms: ImagesBinding;
}

async function makeOnce(env: Env, means: Means, order: Order): Promise<PictureFile> {
  const leave = await PLACES.take();
  if (leave === null) return NO_TURN;
  try {
    // Another request may have made it during the wait.
    if ((await means.bucket.head(order.key)) !== null) return { kind: "file", key: order.key };
    const claim = await claimed(env, order);
    if (claim.kind === "claimed") return await makeClaimed(env, means, order);
    leave();
    return await unclaimed(means, order, claim);
  } finally {
    leave();
  }
}

type Claim = Awaited<ReturnType<typeof claimed>>;

/** Repeated where the object was lost before it answered: a claim that it then has kept ends by itself. */
const claimed = (env: Env, { caller, requestId, owner, named }: Order) =>
  attempt(
    () =>
      tenantObject(env, owner.tenant).beginVariant(owner.generation, {
        ...named,
        requestId,
        caller: caller.kind === "link" ? null : objectCaller(caller),
      }),
    { repeats: true },
  );

function unclaimed(
  means: Means,
  { key }: Order,
  claim: Exclude<Claim, { kind: "claimed" }>,
): PictureFile | Promise<PictureFile> {
  switch (claim.kind) {
    case "being_made":
      return waitFor(means.bucket, key);
    case "failed_before":
      return {
        ...NOT_MADE,
        detail: `The picture could not be transformed. It is not tried again before ${isoTime(claim.untilMs)}.`,
      };
    default:
      return claim;
  }
}

async function makeClaimed(env: Env, means: Means, order: Order): Promise<PictureFile> {
  const { owner, named } = order;
  const made = await make(means, order).catch(() => NOT_MADE);
  const isMade = made.kind === "file";
  // If the object does not hear of it, the claim ends by itself.
  await attempt(
    () => tenantObject(env, owner.tenant).endVariant(owner.generation, { ...named, isMade }),
    { repeats: true },
  ).catch(() => undefined);
  return made;
}

async function waitFor(bucket: R2Bucket, key: string): Promise<PictureFile> {
  for (const ms of LOOKS_MS) {
    // oxlint-disable-next-line no-await-in-loop -- one look after the other
    await scheduler.wait(ms);
    // oxlint-disable-next-line no-await-in-loop
    if ((await bucket.head(key)) !== null) return { kind: "file", key };
  }
  return UNAVAILABLE;
}

async function make(
  { bucket, transforms }: Means,
  { itself, key, variant: { width, height, fit, quality, format } }: Order,
): Promise<PictureFile> {
  const picture = await within(bucket.get(itself));
  if (picture === null) return NO_PICTURE;
  const late = AbortSignal.timeout(TRANSFORM_TIMEOUT_MS);
  const output = transforms
    .input(picture.body)
    .transform({
      ...(width !== null && { width }),
      ...(height !== null && { height }),
      ...(fit !== null && { fit }),
    })
    .output({ format: `image/${format}`, ...(quality !== null && { quality }) });
  const result = await Promise.race([output, rejected(late)]);
  const contentType = result.contentType();
  if (formatOf(contentType) === null) return NOT_MADE;
  const bytes = await readAtMost(
    result.image() as ReadableStream<Uint8Array<ArrayBuffer>>,
    MOST_VARIANT_BYTES,
    { signal: late },
  );
  if (bytes === null || bytes.byteLength === 0) return NOT_MADE;
  const isKept = await twice(() => bucket.put(key, bytes, { httpMetadata: { contentType } }));
  return isKept ? { kind: "file", key } : NOT_MADE;
}

const rejected = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(new Error("too late")), { once: true });
  });
