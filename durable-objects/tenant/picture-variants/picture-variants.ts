import {
  claimVariant,
  MOST_VARIANTS,
  variantEnded,
} from "../../../src/domain/generation/picture-variant.ts";
import { type Day, dayOf } from "../../../src/domain/ledger/period.ts";
import type {
  AccessFailure,
  LookupFailure,
  RateFailure,
  RequestFailure,
} from "../../../src/domain/ledger/failure.ts";
import {
  endOfDay,
  expiry,
  PURGE_ROWS,
  type TenantContext,
  type TenantFeature,
} from "../feature.ts";
import { takeRequest } from "../ledger/refusals.ts";
import { notFound } from "../page.ts";
import type { Caller } from "../protocol.ts";
import { authorise, type Tx } from "../transactions.ts";
import { countWork } from "../usage/fold-usage.ts";
import type { Role } from "../../../src/domain/tenant/role.ts";
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
  | { readonly kind: "claimed" }
  | { readonly kind: "being_made" }
  | { readonly kind: "failed_before"; readonly untilMs: number }
  | Extract<RequestFailure, { kind: "over_limit" }>
  | Extract<AccessFailure, { kind: "invalid_key" | "tenant_suspended" | "role_required" }>
  | RateFailure
  | Extract<LookupFailure, { kind: "not_found" }>;

export interface NamedVariant extends PictureOfCall {
  readonly name: string;
}

export interface NewVariant extends NamedVariant {
  /** Null: a signed link, which was checked. */
  readonly caller: Caller | null;
  readonly requestId: string;
}

const MAKERS: readonly Role[] = ["call"];

const LINK_OR_PLATFORM = { kind: "granted", keyId: null } as const;

const ROUTE = "GET /v1/images/{id}";

const TOO_MANY = {
  kind: "over_limit",
  detail: `A picture has at most ${MOST_VARIANTS} variants: ask for one that was made, or for the picture itself.`,
} as const;

/** A new variant is billed to the account: roles that only read begin none, and each is in the rate. */
function begin(tx: Tx, { name, caller, requestId, ...picture }: NewVariant): BeginVariant {
  const { profile, nowMs, stores } = tx;
  if (profile.settings.suspended) return { kind: "tenant_suspended" };
  const access =
    caller?.kind === "key" ? authorise(tx, { ...caller, roles: MAKERS }) : LINK_OR_PLATFORM;
  if (access.kind !== "granted") return access;
  const claim = claimVariant(name, stores.variants.of(picture), nowMs);
  if (claim.kind === "too_many") return TOO_MANY;
  if (claim.kind !== "claimed") return claim;
  const refused = takeRequest({ ...tx, keyId: access.keyId }, { route: ROUTE, requestId });
  if (refused !== null) return refused;
  stores.variants.write(picture, claim.claim);
  stores.variants.count(dayOf(nowMs), "begun");
  countWork(tx, { transformations: 1 });
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
  /** For a reader of the picture, of that generation. */
  beginVariant: (
    { writeOfGeneration }: TenantContext,
    generation: number,
    variant: NewVariant,
  ): Promise<BeginVariant> =>
    writeOfGeneration<BeginVariant>(generation, notFound("image"), (tx) => begin(tx, variant)),

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
