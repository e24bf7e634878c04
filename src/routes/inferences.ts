import { isAdjustment } from "../domain/ledger/adjustment.ts";
import { toInferences } from "../domain/ledger/inference-log.ts";
import { ok } from "../http/reply.ts";
import { NDJSON } from "../http/ndjson.ts";
import { defineRoute } from "../http/route.ts";
import { list, listOf } from "../api/field.ts";
import { InferenceOutput } from "../api/native/inference.ts";
import { TENANT_READ } from "../edge/bindings.ts";
import { journalPages, journalQuery } from "./journal-pages.ts";

export const listInferences = defineRoute({
  method: "GET",
  path: "/v1/inferences",
  mirror: "/admin/tenants/:tenant/inferences",
  summary: "The log of inferences, newest call first",
  description: `One row for each stage of a call that asked an engine: model, tokens, cost, latency, success and the caller's label. Nothing of the content. \`limit\` counts calls, of which each may have several rows, or none. With \`Accept: ${NDJSON}\`, all that match as one stream. Calls of older days are in \`/v1/ledger/archives\`.`,
  surface: "native",
  auth: { kind: "key", roles: [] },
  query: journalQuery,
  reply: { status: 200, schema: listOf(InferenceOutput), otherTypes: [NDJSON] },
  failures: TENANT_READ,
  handle: async (call) => {
    const page = await journalPages(call, (entry) =>
      isAdjustment(entry) ? [] : toInferences(entry),
    );
    return page.kind === "rows" ? ok(list([...page.rows], page.next)) : page;
  },
});
