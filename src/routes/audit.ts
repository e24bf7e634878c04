import * as v from "valibot";
import { ok } from "../http/reply.ts";
import { defineRoute } from "../http/route.ts";
import { list, listOf, name, pageAfterId } from "../api/field.ts";
import { AuditOutput, toAudit } from "../api/native/report.ts";
import { readAccount } from "../edge/bindings.ts";

export const listAudit = defineRoute({
  method: "GET",
  path: "/admin/audit",
  summary: "What was done with the admin token, newest first",
  surface: "native",
  auth: { kind: "platform" },
  query: v.strictObject({
    ...pageAfterId("evt"),
    tenant: v.optional(name("Acts on this tenant only.")),
  }),
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
