import { generationPrefix, type PictureOwner } from "./stored-picture.ts";

// A stored picture at another size or in another format. Each is made once and kept in the bucket, under
// the call that made the picture, so that whatever erases that call's pictures erases them too.

/** As Cloudflare Images names them. */
export const FITS = ["scale-down", "contain", "cover", "crop", "pad", "squeeze"] as const;

export const PICTURE_FORMATS = ["avif", "webp", "png", "jpeg"] as const;

export type PictureFormat = (typeof PICTURE_FORMATS)[number];

/** Pixels of a side. */
export const MOST_VARIANT_SIDE = 4096;

/** What a caller asks for; null: it says nothing of it. */
export interface VariantWish {
  readonly width: number | null;
  readonly height: number | null;
  readonly fit: (typeof FITS)[number] | null;
  /** `auto`: the best that the reader takes. */
  readonly format: PictureFormat | "auto" | null;
  /** 1 to 100. */
  readonly quality: number | null;
}

export interface PictureVariant extends VariantWish {
  readonly format: PictureFormat;
}

/** The choice of a format depends on the header `Accept`. */
export const isNegotiated = ({ format }: VariantWish): boolean =>
  format === null || format === "auto";

/** Null: nothing was asked for, so the picture is given as it was made. */
export const wishOf = (wish: VariantWish): VariantWish | null =>
  Object.values(wish).every((value) => value === null) ? null : wish;

/**
 * The variant of a wish; null: it is the picture itself.
 *
 * @param made the format of the picture
 * @param accept the header; null: there is none
 */
export function variantOf(
  wish: VariantWish,
  made: PictureFormat,
  accept: string | null,
): PictureVariant | null {
  const { format: wanted, width, height, quality } = wish;
  const format = wanted === null || wanted === "auto" ? bestFormat(made, accept) : wanted;
  const isSized = width !== null || height !== null;
  if (!isSized && quality === null && format === made) return null;
  return { ...wish, fit: isSized ? (wish.fit ?? "scale-down") : null, format };
}

/** AVIF or WebP only for a reader that names it: a wildcard is sent by readers that have neither. */
function bestFormat(made: PictureFormat, accept: string | null): PictureFormat {
  const taken = acceptedTypes(accept ?? "");
  const best = (["avif", "webp"] as const).find((format) => taken.has(`image/${format}`));
  return best ?? made;
}

/** The media types that a header names, but for those that it refuses (`q=0`). */
function acceptedTypes(accept: string): ReadonlySet<string> {
  const ranges = accept.split(",").map((range) => {
    const [type = "", ...parameters] = range.split(";").map((part) => part.trim().toLowerCase());
    return { type, isRefused: parameters.some((one) => /^q\s*=\s*0(?:\.0*)?$/.test(one)) };
  });
  return new Set(ranges.filter(({ isRefused }) => !isRefused).map(({ type }) => type));
}

/** `w320-h200-cover-q80.webp`: equal for equal variants only. */
export function variantName({ width, height, fit, quality, format }: PictureVariant): string {
  const parts = [
    ...(width === null ? [] : [`w${width}`]),
    ...(height === null ? [] : [`h${height}`]),
    ...(fit === null ? [] : [fit]),
    ...(quality === null ? [] : [`q${quality}`]),
  ];
  return `${parts.length === 0 ? "whole" : parts.join("-")}.${format}`;
}

/** All variants of a call's pictures. */
export const variantsPrefix = (owner: PictureOwner, callId: string): string =>
  `${generationPrefix(owner)}image-variants/${callId}/`;

export const variantKey = (
  owner: PictureOwner,
  {
    callId,
    pictureId,
    name,
  }: { readonly callId: string; readonly pictureId: string; readonly name: string },
): string => `${variantsPrefix(owner, callId)}${pictureId}/${name}`;

// Who makes a variant, and when it may be tried again.

/** Each is billed to the account. */
export const MOST_VARIANTS = 16;

/** A transformation and its writes take less: a variant that is not made by then may be begun anew. */
const LEASE_MS = 60_000;

const FIRST_RETRY_MS = 10_000;
const LAST_RETRY_MS = 86_400_000;

export interface VariantState {
  readonly name: string;
  readonly state: "making" | "made" | "failed";
  /** `making`: when it may be begun anew. `failed`: when it may be tried again. `made`: when it was. */
  readonly untilMs: number;
  /** In a row, since it was last made. */
  readonly failures: number;
}

export type VariantClaim =
  /** The caller makes it now. */
  | { readonly kind: "claimed"; readonly claim: VariantState }
  | { readonly kind: "being_made" }
  | { readonly kind: "failed_before"; readonly untilMs: number }
  | { readonly kind: "too_many" };

/** @param others all variants of the picture that were ever begun */
export function claimVariant(
  name: string,
  others: readonly VariantState[],
  nowMs: number,
): VariantClaim {
  const known = others.find((one) => one.name === name);
  if (known === undefined && others.length >= MOST_VARIANTS) return { kind: "too_many" };
  if (known !== undefined && known.untilMs > nowMs) {
    if (known.state === "making") return { kind: "being_made" };
    if (known.state === "failed") return { kind: "failed_before", untilMs: known.untilMs };
  }
  const failures = known?.failures ?? 0;
  return {
    kind: "claimed",
    claim: { name, state: "making", untilMs: nowMs + LEASE_MS, failures },
  };
}

/** Each failure in a row doubles the wait. */
export function variantEnded(
  { name, failures }: VariantState,
  isMade: boolean,
  nowMs: number,
): VariantState {
  if (isMade) return { name, state: "made", untilMs: nowMs, failures: 0 };
  const waitMs = Math.min(FIRST_RETRY_MS * 2 ** failures, LAST_RETRY_MS);
  return { name, state: "failed", untilMs: nowMs + waitMs, failures: failures + 1 };
}
