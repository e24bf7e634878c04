import * as v from "valibot";
import { listById, listOf, pageAfterId } from "../api/field.ts";
import { SuggestionOutput, toSuggestion } from "../api/native/suggestion.ts";
import { readTenant, TENANT_READ, writeTenant } from "../edge/bindings.ts";
import { ok } from "../http/reply.ts";
import { defineRoute } from "../http/route.ts";

export const listSuggestions = defineRoute({
  method: "GET",
  path: "/v1/suggestions",
  summary: "The labels that comments:suggestscore left, newest first",
  description:
    "Kept for `suggestion_retention_days`, and for calibrations alone. Only the tenant's own `manage` keys read them.",
  surface: "native",
  auth: { kind: "key", roles: [] },
  query: v.strictObject(pageAfterId("sug")),
  reply: { status: 200, schema: listOf(SuggestionOutput) },
  failures: TENANT_READ,
  handle: async (call) => {
    const { cursor = "~", limit } = call.query;
    const page = await readTenant(call, (tenant, caller) =>
      tenant.listSuggestions(caller, cursor, limit),
    );
    if (page.kind !== "page") return page;
    return ok(listById(page, toSuggestion));
  },
});

export const deleteSuggestion = defineRoute({
  method: "DELETE",
  path: "/v1/suggestions/:id",
  summary: "Delete a kept suggestion",
  description:
    "Its text may be of a person who asks for that. No later calibration reads it; the thresholds of earlier ones stay.",
  surface: "native",
  auth: { kind: "key", roles: [] },
  params: v.strictObject({
    id: v.pipe(v.string(), v.description("The suggestion's id, `sug_…`.")),
  }),
  reply: { status: 204, schema: v.null() },
  failures: TENANT_READ,
  handle: async (call) => {
    const { id } = call.params;
    const done = await writeTenant(call, (tenant, caller) => tenant.deleteSuggestion(caller, id));
    return done.kind === "deleted" ? ok(null) : done;
  },
});
