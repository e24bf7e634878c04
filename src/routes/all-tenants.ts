import * as v from "valibot";
import type { Caller as ObjectCaller } from "../../durable-objects/tenant/protocol.ts";
import { ok, type PlatformCaller } from "../http/call.ts";
import { TENANT_ID } from "../http/key-format.ts";
import { defineRoute } from "../http/route.ts";
import { list, listOf, pageQuery } from "../wire/field.ts";
import { InvariantsOutput, toInvariants } from "../wire/report.ts";
import { invalid } from "./shared.ts";
import { askAccount, askTenant, type TenantObject, UNAVAILABLE } from "./tenant-object.ts";

// What the platform asks of all tenants: the `Account` object names a page of them, and each one's
// own object answers.

const auth = { kind: "platform" } as const;

export const listInvariants = defineRoute({
  method: "GET",
  path: "/admin/invariants",
  summary: "Counts what must always be zero, for every tenant",
  description:
    "By tenant id. A tenant that does not answer fails the page: what was not counted must not look sound.",
  surface: "native",
  auth,
  query: v.strictObject(pageQuery),
  reply: { status: 200, schema: listOf(InvariantsOutput) },
  failures: [],
  handle: async (call) => {
    const { cursor = "", limit } = call.query;
    if (cursor !== "" && !TENANT_ID.test(cursor)) {
      return invalid(["cursor"], "is not a cursor of this list");
    }
    const page = await eachTenant(call, { cursor, limit, kind: "invariants" }, (tenant, caller) =>
      tenant.countInvariants(caller),
    );
    if (page.kind !== "page") return page;
    const counted = page.data.map((found) => toInvariants(found.tenant, found));
    return ok(list(counted, page.next));
  },
});

interface TenantPage<Answer> {
  readonly kind: "page";
  readonly data: readonly Answer[];
  readonly next: string | null;
}

/**
 * Asks the tenants of one page, all at once. One that does not answer fails the page; one that is
 * just being made or ended is not there yet, or no more.
 */
async function eachTenant<Answer extends { readonly kind: string }, Kind extends string>(
  call: { readonly env: Env; readonly caller: PlatformCaller },
  { cursor, limit, kind }: { cursor: string; limit: number; kind: Kind },
  ask: (tenant: TenantObject, caller: ObjectCaller) => Promise<Answer>,
): Promise<TenantPage<Extract<Answer, { kind: Kind }>> | typeof UNAVAILABLE> {
  const page = await askAccount(call.env, (account) => account.listTenants(cursor, limit));
  if ("kind" in page) return page;
  const { env, caller } = call;
  const answers = await Promise.all(
    page.ids.map((tenant) => askTenant({ env, caller: { ...caller, tenant } }, ask)),
  );
  if (answers.some((answer) => answer.kind === "unavailable")) return UNAVAILABLE;
  const data = answers.filter((answer) => answer.kind === kind) as Extract<
    Answer,
    { kind: Kind }
  >[];
  const next = page.more ? (page.ids.at(-1) ?? null) : null;
  return { kind: "page", data, next };
}
