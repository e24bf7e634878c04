import * as v from "valibot";
import type { AuditEntry } from "../../durable-objects/account/tenants/tenant-store.ts";
import type { Caller, MirrorCaller, PlatformCaller } from "../http/call.ts";
import { ok } from "../http/call.ts";
import { newId } from "../http/ids.ts";
import { defineRoute } from "../http/route.ts";
import { list, listOf, name, pageQuery } from "../api/field.ts";
import { AuditOutput, toAudit } from "../api/native/report.ts";
import { readAccount, writeAccount } from "./tenant-object.ts";

interface Acting {
  readonly requestId: string;
  readonly caller: Caller;
}

/** What is recorded of an act, on the tenant that the caller names. */
export function newEntry(
  { caller, requestId }: Acting & { readonly caller: PlatformCaller | MirrorCaller },
  action: string,
  detail: AuditEntry["detail"],
): Omit<AuditEntry, "atMs"> {
  const tenant = "tenant" in caller ? caller.tenant : null;
  return { id: newId("evt"), actor: caller.actor, action, tenant, requestId, detail };
}

/**
 * Records an act of the platform; what a tenant does with its own key is not one.
 *
 * @returns false when it could not be recorded: the reply must then not be a success
 */
export async function recordAct(
  call: Acting & { readonly env: Env },
  action: string,
  detail: AuditEntry["detail"],
): Promise<boolean> {
  const { caller } = call;
  if (caller.kind !== "platform") return true;
  const entry = newEntry({ ...call, caller }, action, detail);
  const recorded = await writeAccount(call.env, (account) => account.record(entry));
  return recorded === undefined;
}

export const listAudit = defineRoute({
  method: "GET",
  path: "/admin/audit",
  summary: "What was done with the admin token, newest first",
  surface: "native",
  auth: { kind: "platform" },
  query: v.strictObject({ ...pageQuery, tenant: v.optional(name("Acts on this tenant only.")) }),
  reply: { status: 200, schema: listOf(AuditOutput) },
  failures: [],
  handle: async (call) => {
    const { cursor = "~", tenant = null, limit } = call.query;
    const page = await readAccount(call.env, (account) => account.listAudit(cursor, tenant, limit));
    if ("kind" in page) return page;
    const next = page.more ? (page.entries.at(-1)?.id ?? null) : null;
    return ok(list(page.entries.map(toAudit), next));
  },
});
