import { toJournalEntry } from "../domain/ledger/journal-object.ts";
import { ok } from "../http/reply.ts";
import { NDJSON } from "../http/ndjson.ts";
import { defineRoute } from "../http/route.ts";
import { list, listOf } from "../api/field.ts";
import { JournalLineOutput } from "../api/native/journal-line.ts";
import { TENANT_READ } from "../edge/bindings.ts";
import { journalPages, journalQuery } from "./journal-pages.ts";

export const listLines = defineRoute({
  method: "GET",
  path: "/v1/ledger",
  mirror: "/admin/tenants/:tenant/ledger",
  summary: "The journal, newest first",
  description: `A page as JSON, or, with \`Accept: ${NDJSON}\`, all that match as one stream. Older days are at \`/v1/ledger/archives\`.`,
  surface: "native",
  auth: { kind: "key", roles: [] },
  query: journalQuery,
  reply: { status: 200, schema: listOf(JournalLineOutput) },
  failures: TENANT_READ,
  handle: async (call) => {
    const page = await journalPages(call, (entry) => [toJournalEntry(entry)]);
    return page.kind === "rows" ? ok(list([...page.rows], page.next)) : page;
  },
});
