import * as v from "valibot";
import type { AccountPatch } from "../domain/account/account-terms.ts";
import { acted, ok } from "../http/reply.ts";
import { defineRoute } from "../http/route.ts";
import { AccountOutput, AccountPatchInput, toAccount } from "../api/native/account.ts";
import { given } from "../api/native/settings.ts";
import { readAccount, writeAccount } from "../edge/bindings.ts";

// The Cloudflare account that all tenants share, by the platform.

const auth = { kind: "platform" } as const;

const LIMIT_BYTES = 65_536;

export const getAccount = defineRoute({
  method: "GET",
  path: "/admin/account",
  summary: "The account that all tenants share: its pool, rates and promises",
  surface: "native",
  auth,
  reply: { status: 200, schema: AccountOutput },
  failures: [],
  handle: async (call) => {
    const found = await readAccount(call.env, (account) => account.readPool());
    return "kind" in found ? found : ok(toAccount(found));
  },
});

export const patchAccount = defineRoute({
  method: "PATCH",
  path: "/admin/account",
  summary: "Change caps, rates, margin, thresholds and shares of the account",
  description: "RFC 7396: null means the default; `rpm` merges by key.",
  surface: "native",
  auth,
  body: { schema: AccountPatchInput, limitBytes: LIMIT_BYTES },
  reply: { status: 200, schema: AccountOutput },
  failures: [],
  audit: "act",
  handle: async (call) => {
    const patch: AccountPatch = given(call.body);
    const found = await writeAccount(call.env, (account) => account.patchPool(patch));
    if ("kind" in found) return found;
    const detail = { fields: Object.keys(call.body) };
    return acted(detail, ok(toAccount(found)));
  },
});

export const reopenAccount = defineRoute({
  method: "POST",
  path: "/admin/account/reopen",
  summary: "Lift the closure of the day after an upstream 3036 or 4006",
  description:
    "`tenants`: how many know of the closure. They are notified after the reply, some at a time; a tenant that does not know of the closure is open already.",
  surface: "native",
  auth,
  reply: { status: 200, schema: v.object({ object: v.literal("reopened"), tenants: v.number() }) },
  failures: [],
  audit: "act",
  handle: async (call) => {
    const tenants = await writeAccount(call.env, (account) => account.reopen());
    if (typeof tenants !== "number") return tenants;
    return acted({ tenants }, ok({ object: "reopened", tenants }));
  },
});
