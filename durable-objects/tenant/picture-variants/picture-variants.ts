import {
  claimVariant,
  MOST_VARIANTS,
  type VariantClaim,
  variantEnded,
} from "../../../src/domain/generation/picture-variant.ts";
import { type Day, dayOf } from "../../../src/domain/ledger/period.ts";
import type {
  AccessFailure,
  LookupFailure,
  RequestFailure,
} from "../../../src/domain/ledger/failure.ts";
import {
  endOfDay,
  expiry,
  PURGE_ROWS,
  type TenantContext,
  type TenantFeature,
} from "../feature.ts";
import { notFound } from "../page.ts";
import type { Caller } from "../protocol.ts";
import type { Tx } from "../transactions.ts";
import { PICTURE_VARIANTS } from "./variant-schema.ts";
import type { PictureOfCall, TransformationDay } from "./variant-store.ts";

// Variants of pictures: the object decides who makes one, so that it is made once, and counts them, since
// each is billed to the account. Their files go with the pictures, by the call that made these.

/** As rows of the reports. */
const DAYS_KEPT = 400;

export const PICTURE_VARIANTS_FEATURE: TenantFeature = {
  name: "picture_variants",
  tables: [PICTURE_VARIANTS],
  capability: ({ stores: { db, variants } }) => ({
    purge: ({ nowMs }) => variants.purge(dayOf(nowMs) - DAYS_KEPT, PURGE_ROWS),
    expiries: [expiry(db.of(PICTURE_VARIANTS), () => endOfDay(variants.oldestDay(), DAYS_KEPT))],
  }),
};

export type BeginVariant =
  | { readonly kind: Exclude<VariantClaim["kind"], "too_many" | "failed_before"> }
  | { readonly kind: "failed_before"; readonly untilMs: number }
  | Extract<RequestFailure, { kind: "over_limit" }>
  | Extract<AccessFailure, { kind: "tenant_suspended" }>
  | Extract<LookupFailure, { kind: "not_found" }>;

export interface NamedVariant extends PictureOfCall {
  readonly name: string;
}

const TOO_MANY = {
  kind: "over_limit",
  detail: `A picture has at most ${MOST_VARIANTS} variants: ask for one that was made, or for the picture itself.`,
} as const;

function begin({ profile, nowMs, stores }: Tx, { name, ...picture }: NamedVariant): BeginVariant {
  if (profile.settings.suspended) return { kind: "tenant_suspended" };
  const claim = claimVariant(name, stores.variants.of(picture), nowMs);
  if (claim.kind === "too_many") return TOO_MANY;
  if (claim.kind !== "claimed") return claim;
  stores.variants.write(picture, claim.claim);
  stores.variants.count(dayOf(nowMs), "begun");
  return { kind: "claimed" };
}

function end(
  { nowMs, stores: { variants } }: Tx,
  { name, isMade, ...picture }: NamedVariant & { readonly isMade: boolean },
): void {
  const known = variants.of(picture).find((one) => one.name === name);
  if (known?.state !== "making") return;
  variants.write(picture, variantEnded(known, isMade, nowMs));
  if (!isMade) variants.count(dayOf(nowMs), "failed");
}

export const PICTURE_VARIANT_OPERATIONS = {
  /** For a caller whose key or link was checked, of that generation. */
  beginVariant: (
    { ofGeneration }: TenantContext,
    generation: number,
    variant: NamedVariant,
  ): BeginVariant =>
    ofGeneration<BeginVariant>(generation, notFound("image"), (tx) => begin(tx, variant)),

  /** Of one that was claimed. A repeat changes nothing. */
  endVariant: (
    { ofGeneration }: TenantContext,
    generation: number,
    variant: Parameters<typeof end>[1],
  ): void => ofGeneration<void>(generation, undefined, (tx) => end(tx, variant)),

  listTransformations: (
    { ask }: TenantContext,
    caller: Caller,
    { from, to }: { readonly from: Day; readonly to: Day },
  ) =>
    ask(caller, ({ stores }) => ({
      kind: "transformations" as const,
      days: stores.variants.days(from, to) as readonly TransformationDay[],
    })),
};
