import type { Query } from "./client.ts";
import { api } from "./session.ts";
import type { UsageRow } from "./shapes.ts";

/** Pages of 200 rows. With more, the totals still hold and `has_more` says that rows are missing. */
const MOST_PAGES = 10;

/** The tenant of the row of all tenants that are not among the largest. */
export const OTHERS = "_other";

interface Report {
  readonly data: readonly UsageRow[];
  readonly has_more: boolean;
  readonly next_cursor: string | null;
}

/** Reads a usage report with the rows of all its pages. */
export async function readUsage<R extends Report>(
  path: string,
  query: Query,
  signal: AbortSignal,
): Promise<R> {
  let rows: readonly UsageRow[] = [];
  let report = await api.get<R>(path, { ...query, limit: 200 }, { signal });
  for (let page = 1; page < MOST_PAGES && report.next_cursor !== null; page += 1) {
    rows = [...rows, ...report.data];
    const cursor = report.next_cursor;
    // oxlint-disable-next-line no-await-in-loop -- a page has the cursor of the next
    report = await api.get<R>(path, { ...query, limit: 200, cursor }, { signal });
  }
  return { ...report, data: [...rows, ...report.data] };
}
