import * as v from "valibot";
import { inOrder, pageAfterId, timeInput } from "../api/field.ts";
import { entryId, type JournalEntry } from "../domain/ledger/adjustment.ts";
import { raw } from "../http/reply.ts";
import { acceptsNdjson, isPage, linesFrom, ndjson } from "../http/ndjson.ts";
import { readTenant, type TenantAnswer } from "../edge/bindings.ts";

// Rows made from the journal, newest first: a page of them, or all that match as one stream.

/** Entries read in one step while streaming. */
const STREAM_PAGE = 200;

export const journalQuery = v.pipe(
  v.strictObject({
    ...pageAfterId("jnl"),
    from: v.optional(timeInput("Admitted at or after.")),
    to: v.optional(timeInput("Admitted before.")),
    outcome: v.optional(v.picklist(["posted", "voided", "expired"])),
  }),
  inOrder(),
);

type Page = TenantAnswer<"listLines", "page">;

/**
 * A page of rows with the cursor of the next one, or the stream.
 *
 * @param rowsOf the rows that an entry of the journal gives: any number of them
 */
export async function journalPages<Row>(
  call: Parameters<typeof readTenant>[0] & {
    readonly request: Request;
    readonly query: v.InferOutput<typeof journalQuery>;
  },
  rowsOf: (entry: JournalEntry) => readonly Row[],
) {
  const { from = null, to = null, outcome = null, cursor = null, limit } = call.query;
  const streamed = acceptsNdjson(call.request);
  const query = { fromMs: from, toMs: to, outcome, limit: streamed ? STREAM_PAGE : limit };
  const read = async (before: string | null) => {
    const page = await readTenant(call, (tenant, caller) =>
      tenant.listLines(caller, { ...query, before }),
    );
    if (page.kind !== "page") return page;
    return { lines: page.data.flatMap(rowsOf), next: nextOf(page) };
  };
  const page = await read(cursor);
  if (!isPage(page)) return page;
  if (!streamed) return { kind: "rows" as const, rows: page.lines, next: page.next };
  return raw(ndjson(linesFrom(page, read)));
}

function nextOf({ data, more }: Page): string | null {
  const last = data.at(-1);
  return !more || last === undefined ? null : entryId(last);
}
