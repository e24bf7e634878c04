import * as v from "valibot";
import type { TenantPlace } from "../domain/account/listed-tenant.ts";
import { shaped, invalid } from "../http/field-errors.ts";
import { ok } from "../http/reply.ts";
import { defineRoute } from "../http/route.ts";
import { list, listOf, pageQuery } from "../api/field.ts";
import {
  ListedTenantOutput,
  SharingTenantOutput,
  toListedTenant,
  toSharingTenant,
} from "../api/native/listed-tenant.ts";
import { readTenantCursor, tenantCursor, type TenantOrder } from "../api/native/tenant-cursor.ts";
import { readAccount } from "../edge/bindings.ts";

// Lists of tenants that the `Account` object answers alone: no tenant's object is woken for them.

const auth = { kind: "platform" } as const;

const sortQuery = v.optional(
  v.pipe(
    v.picklist(["id", "spent", "held", "leased"]),
    v.description(
      "By id, or by what tenants reported of today, the most first. By an amount, a page may be short, even empty, while `has_more` is true.",
    ),
  ),
  "id",
);

export const listTenants = defineRoute({
  method: "GET",
  path: "/admin/tenants",
  summary: "All tenants, as the account knows them",
  description:
    "With what matters to the account: `GET /admin/tenants/{tenant}` has all settings. What a tenant spent is as it reported last. Tenants whose deletion has begun are listed with `state=deleting` only.",
  surface: "native",
  auth,
  query: v.strictObject({
    ...pageQuery,
    prefix: v.optional(
      v.pipe(
        v.string(),
        v.regex(
          shaped(/^[a-z0-9-]{0,39}$/, "must be lower-case letters, digits and hyphens, at most 39"),
        ),
        v.description("What ids begin with: lower-case letters, digits, hyphens."),
      ),
      "",
    ),
    plan: v.optional(v.picklist(["free", "paid"])),
    state: v.optional(v.picklist(["active", "suspended", "deleting"])),
    sort: sortQuery,
  }),
  reply: { status: 200, schema: listOf(ListedTenantOutput) },
  failures: [],
  handle: async (call) => {
    const { limit, sort, prefix, plan = null, state = null } = call.query;
    const order = { list: "tenants", sort } as const;
    const after = placeIn(call.query.cursor, order);
    if (after === undefined) return NOT_OURS;
    const found = await readAccount(call.env, (account) =>
      account.listTenantRows({ sort, after, limit }, { prefix, plan, state }),
    );
    if ("kind" in found) return found;
    const next = nextOf(order, found);
    return ok(list(found.items.map(toListedTenant), next));
  },
});

export const listSharing = defineRoute({
  method: "GET",
  path: "/admin/account/tenants",
  summary: "What each tenant has of the day's pool",
  description: "Tenants that were deleted today are in it where they had something.",
  surface: "native",
  auth,
  query: v.strictObject({ ...pageQuery, sort: sortQuery }),
  reply: { status: 200, schema: listOf(SharingTenantOutput) },
  failures: [],
  handle: async (call) => {
    const { limit, sort } = call.query;
    const order = { list: "account_tenants", sort } as const;
    const after = placeIn(call.query.cursor, order);
    if (after === undefined) return NOT_OURS;
    const found = await readAccount(call.env, (account) =>
      account.listSharing({ sort, after, limit }),
    );
    if ("kind" in found) return found;
    const next = nextOf(order, found);
    return ok(list(found.items.map(toSharingTenant), next));
  },
});

const NOT_OURS = invalid(["cursor"], "is not a cursor of this list in this order");

/** Null: from the beginning; undefined: it is no cursor of this list. */
function placeIn(cursor: string | undefined, order: TenantOrder): TenantPlace | null | undefined {
  if (cursor === undefined) return null;
  return readTenantCursor(cursor, order) ?? undefined;
}

const nextOf = (
  order: TenantOrder,
  { next }: { readonly next: TenantPlace | null },
): string | null => (next === null ? null : tenantCursor(order, next));
