import * as v from "valibot";
import { entryId, type JournalEntry } from "../domain/ledger/adjustment.ts";
import { toJournalEntry } from "../domain/ledger/journal-object.ts";
import { ok, raw } from "../http/call.ts";
import { acceptsNdjson, type LinePage, NDJSON, ndjson } from "../http/ndjson.ts";
import { defineRoute } from "../http/route.ts";
import { list, listOf, pageQuery, timeInput } from "../api/field.ts";
import { JournalLineOutput } from "../api/native/journal-line.ts";
import { readTenant, type TenantRequest, TENANT_READ } from "../edge/bindings.ts";

/** Lines read in one step while streaming. */
const STREAM_PAGE = 200;

export const listLines = defineRoute({
  method: "GET",
  path: "/v1/ledger",
  mirror: "/admin/tenants/:tenant/ledger",
  summary: "The journal, newest first",
  description: `A page as JSON, or, with \`Accept: ${NDJSON}\`, all that match as one stream. Older days are at \`/v1/ledger/archives\`.`,
  surface: "native",
  auth: { kind: "key", roles: [] },
  query: v.strictObject({
    ...pageQuery,
    from: v.optional(timeInput("Admitted at or after.")),
    to: v.optional(timeInput("Admitted before.")),
    outcome: v.optional(v.picklist(["posted", "voided", "expired"])),
  }),
  reply: { status: 200, schema: listOf(JournalLineOutput) },
  failures: TENANT_READ,
  handle: async (call) => {
    const { from = null, to = null, outcome = null, cursor = null, limit } = call.query;
    const streamed = acceptsNdjson(call.request);
    const query: TenantRequest<"listLines"> = {
      before: cursor,
      fromMs: from,
      toMs: to,
      outcome,
      limit: streamed ? STREAM_PAGE : limit,
    };
    const read = (before: string | null) =>
      readTenant(call, (tenant, caller) => tenant.listLines(caller, { ...query, before }));
    const page = await read(cursor);
    if (page.kind !== "page") return page;
    if (!streamed) {
      return ok(list(page.data.map(toJournalEntry), page.more ? lastId(page.data) : null));
    }
    const linesOf = ({ data, more }: typeof page): LinePage => {
      const last = data.at(-1);
      return {
        lines: data.map(toJournalEntry),
        next:
          !more || last === undefined
            ? null
            : async () => {
                const next = await read(entryId(last));
                if (next.kind !== "page") throw new Error("the journal could not be read further");
                return linesOf(next);
              },
      };
    };
    return raw(ndjson(linesOf(page)));
  },
});

const lastId = (entries: readonly JournalEntry[]): string | null => {
  const last = entries.at(-1);
  return last === undefined ? null : entryId(last);
};
