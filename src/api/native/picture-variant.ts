import * as v from "valibot";
import {
  FITS,
  MOST_VARIANT_SIDE,
  PICTURE_FORMATS,
  type VariantWish,
  wishOf,
} from "../../domain/generation/picture-variant.ts";
import { formatDay } from "../../domain/ledger/period.ts";
import { shaped, stated } from "../../http/field-errors.ts";
import { count, dayInput } from "../field.ts";
import { strictObject } from "../object-input.ts";

// Sizes and formats of stored pictures, as a query.

const number = (max: number, description: string) =>
  v.optional(
    v.pipe(
      v.string(),
      v.regex(shaped(/^[1-9]\d{0,4}$/, `must be a whole number from 1 to ${max}`)),
      v.transform(Number),
      v.maxValue(max),
      v.description(`${description} 1 to ${max}.`),
    ),
  );

const VARIANT_FIELDS = {
  width: number(MOST_VARIANT_SIDE, "Pixels."),
  height: number(MOST_VARIANT_SIDE, "Pixels."),
  fit: v.optional(
    v.pipe(
      v.picklist(FITS),
      v.description(
        "How the picture is brought to `width` and `height`, as in Cloudflare Images; `scale-down` when absent.",
      ),
    ),
  ),
  format: v.optional(
    v.pipe(
      v.picklist([...PICTURE_FORMATS, "auto"]),
      v.description(
        "`auto`, as when absent: AVIF or WebP if `Accept` names it, else the format of the picture.",
      ),
    ),
  ),
  quality: number(100, "As in Cloudflare Images."),
};

interface SizeFields {
  readonly fit?: unknown;
  readonly width?: unknown;
  readonly height?: unknown;
}

const fits = <Query extends SizeFields>() =>
  v.check(
    stated(
      "needs a width or a height",
      ({ fit, width, height }: Query) =>
        fit === undefined || width !== undefined || height !== undefined,
    ),
  );

/** The signature of a link is read before. */
const LINK_FIELDS = {
  tenant: v.optional(v.pipe(v.string(), v.description("Of a link."))),
  life: v.optional(v.pipe(v.string(), v.description("Of a link."))),
  expires: v.optional(v.pipe(v.string(), v.description("Of a link."))),
  signature: v.optional(v.pipe(v.string(), v.description("Of a link."))),
};

const imageQuery = strictObject({ ...VARIANT_FIELDS, ...LINK_FIELDS });

const metadataQuery = strictObject(VARIANT_FIELDS);

type VariantQuery = v.InferOutput<typeof metadataQuery>;

export const ImageQuery = v.pipe(
  imageQuery,
  v.forward(fits<v.InferOutput<typeof imageQuery>>(), ["fit"]),
);

export const ImageMetadataQuery = v.pipe(metadataQuery, v.forward(fits<VariantQuery>(), ["fit"]));

/** Null: nothing was asked for. */
export const toWish = (query: VariantQuery): VariantWish | null =>
  wishOf({
    width: query.width ?? null,
    height: query.height ?? null,
    fit: query.fit ?? null,
    format: query.format ?? null,
    quality: query.quality ?? null,
  });

/** For a link. */
export const variantParameters = (wish: VariantWish | null): Record<string, string> =>
  Object.fromEntries(
    Object.entries(wish ?? {}).flatMap(([name, value]) =>
      value === null ? [] : [[name, String(value)]],
    ),
  );

export const TransformationsQuery = strictObject({
  from: v.optional(dayInput("The first day; today when absent.")),
  to: v.optional(dayInput("The last day, included; today when absent.")),
});

export const TransformationsOutput = v.object({
  object: v.literal("transformations"),
  data: v.array(
    v.object({
      day: v.string(),
      transformations: count("Each may be billed to the account; those that failed included."),
      failed: v.number(),
    }),
  ),
  transformations: count("In all these days."),
  failed: v.number(),
});

export function toTransformations(
  days: readonly { readonly day: number; readonly begun: number; readonly failed: number }[],
): v.InferOutput<typeof TransformationsOutput> {
  return {
    object: "transformations",
    data: days.map(({ day, begun, failed }) => ({
      day: formatDay(day),
      transformations: begun,
      failed,
    })),
    transformations: days.reduce((sum, { begun }) => sum + begun, 0),
    failed: days.reduce((sum, { failed }) => sum + failed, 0),
  };
}
