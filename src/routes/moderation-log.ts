import * as v from "valibot";
import { CATEGORIES } from "../domain/moderation/category.ts";
import { DECISIONS } from "../domain/moderation/verdict.ts";
import { idForm } from "../http/ids.ts";
import { ok } from "../http/reply.ts";
import { defineRoute } from "../http/route.ts";
import { type LogPlace, readModerationLog } from "../reports/moderation-log-store.ts";
import { inOrder, list, listOf, name, pageQuery, timeInput, NOT_A_CURSOR } from "../api/field.ts";
import { LoggedVerdictOutput, toLoggedVerdict } from "../api/native/moderation-log.ts";
import { readReports } from "../edge/reports.ts";

export const listModerationLog = defineRoute({
  method: "GET",
  path: "/admin/moderation-log",
  summary: "Verdicts of all tenants that do not allow, newest first",
  description:
    "Kept for 30 days, without content. A page looks at a bounded number of verdicts: it may hold fewer than `limit`, so go on while `has_more`.",
  surface: "native",
  auth: { kind: "platform" },
  query: v.pipe(
    v.strictObject({
      ...pageQuery,
      tenant: v.optional(name("Of this tenant.")),
      decision: v.optional(v.picklist(DECISIONS)),
      category: v.optional(v.picklist(CATEGORIES)),
      user_id: v.optional(name("Of this person, as calls name them.")),
      from: v.optional(timeInput("Made at or after.")),
      to: v.optional(timeInput("Made before.")),
    }),
    inOrder(),
  ),
  reply: { status: 200, schema: listOf(LoggedVerdictOutput) },
  failures: ["not_found"],
  handle: async (call) => {
    const { query } = call;
    const after = placeOf(query.cursor);
    if (after === undefined) return NOT_A_CURSOR;
    return readReports(call.env, async (database) => {
      const { entries, next } = await readModerationLog(database, {
        after,
        tenant: query.tenant ?? null,
        decision: query.decision ?? null,
        category: query.category ?? null,
        userId: query.user_id ?? null,
        fromMs: query.from ?? null,
        toMs: query.to ?? null,
        limit: query.limit,
        nowMs: Date.now(),
      });
      const cursor = next === null ? null : `${next.generation}.${next.verdictId}`;
      return ok(list(entries.map(toLoggedVerdict), cursor));
    });
  },
});

const VERDICT_ID = idForm("vrd");

/** Null: from the newest; undefined: it is no cursor. */
function placeOf(cursor: string | undefined): LogPlace | null | undefined {
  if (cursor === undefined) return null;
  const [, generation, verdictId] = /^(\d{1,9})\.(.+)$/.exec(cursor) ?? [];
  return generation === undefined || verdictId === undefined || !VERDICT_ID.test(verdictId)
    ? undefined
    : { generation: Number(generation), verdictId };
}
