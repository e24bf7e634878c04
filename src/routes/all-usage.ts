import * as v from "valibot";
import { elapsedOf } from "../domain/month.ts";
import { dayOf, formatDay, monthOf } from "../domain/period.ts";
import { platformLines } from "../domain/platform-prices.ts";
import { firstHourOf } from "../domain/report-rows.ts";
import { GROUP_KEYS } from "../domain/usage-sums.ts";
import { ok, raw } from "../http/call.ts";
import { CSV, csvResponse } from "../http/csv.ts";
import { formatOf } from "../http/format.ts";
import { type LinePage, NDJSON, ndjson } from "../http/ndjson.ts";
import { defineRoute } from "../http/route.ts";
import { readFreshness } from "../reports/freshness-store.ts";
import { countPlatform, readGroups, readTotals, type UsageScope } from "../reports/usage-store.ts";
import { AllUsageOutput, asOf, platformFields } from "../wire/all-usage.ts";
import { dayInput, name, pageQuery } from "../wire/field.ts";
import { groupInput, toUsageRow, usageBody } from "../wire/usage.ts";
import { toUsageCells, USAGE_COLUMNS } from "../wire/usage-table.ts";
import { readReports } from "./reports.ts";
import { invalid, parseIndex } from "./shared.ts";
import { type Range, rangeOf } from "./usage-range.ts";

/** Rows read in one step while streaming. */
const STREAM_PAGE = 1000;

/** The hours of whole days, the last one included. */
const scopeOf = (from: number, to: number, tenant: string | null): UsageScope => ({
  fromHour: firstHourOf(from),
  toHour: firstHourOf(to + 1),
  tenant,
});

export const getAllUsage = defineRoute({
  method: "GET",
  path: "/admin/usage",
  summary: "Usage and money of all tenants, from the reports",
  description: `A page as JSON; with \`format\`, or \`Accept: ${CSV}\` or \`${NDJSON}\`, all rows as one stream.`,
  surface: "native",
  auth: { kind: "platform" },
  query: v.strictObject({
    ...pageQuery,
    from: v.optional(dayInput("The first day; today when absent.")),
    to: v.optional(dayInput("The last day, included; today when absent.")),
    group_by: v.optional(
      groupInput(GROUP_KEYS, `A comma list of ${GROUP_KEYS.join(", ")}.`),
      "tenant",
    ),
    tenant: v.optional(name("Of this tenant only.")),
    format: v.optional(v.picklist(["json", "csv", "ndjson"])),
  }),
  reply: { status: 200, schema: AllUsageOutput, otherTypes: [CSV, NDJSON] },
  failures: ["not_found"],
  handle: async (call) => {
    const { query, request, env, config } = call;
    const nowMs = Date.now();
    const range = rangeOf(query, nowMs);
    if (range.kind !== "range") return range;
    const skip = parseIndex(query.cursor);
    if (typeof skip !== "number") return skip;
    const tenant = query.tenant ?? null;
    const tooMany = usersOfAll(range, tenant);
    if (tooMany !== null) return tooMany;
    const scope = scopeOf(range.from, range.to, tenant);
    const format = formatOf(request, query.format, ["json", "csv", "ndjson"]);
    return readReports(env, async (database) => {
      const { groupBy } = range;
      if (format !== "json") {
        return raw(await streamed(database, { scope, range, skip, format }));
      }
      const month = monthOf(dayOf(nowMs));
      const [page, totals, spent, counts, writtenAtMs] = await Promise.all([
        readGroups(database, scope, { groupBy, skip, limit: query.limit }),
        readTotals(database, scope),
        readTotals(database, scopeOf(month.first, month.end - 1, tenant)),
        countPlatform(database, scope),
        readFreshness(database),
      ]);
      const next = page.more ? String(skip + query.limit) : null;
      const toDate = { month, calls: spent.calls, elapsed: elapsedOf(month, nowMs) };
      const refused = Object.values(totals.calls.refused).reduce((sum, count) => sum + count, 0);
      const lines = platformLines(
        { ...counts, calls: totals.calls.calls, refused },
        config.workersPlan,
      );
      return ok({
        ...usageBody(range, { groups: page.groups, next }, { totals, month: toDate }),
        ...platformFields(lines),
        tenant,
        as_of: asOf(writtenAtMs),
        rows_read: page.rowsRead + totals.rowsRead + spent.rowsRead + counts.rowsRead,
      });
    });
  },
});

/** A tenant has a thousand users a day: of all tenants, one day at a time. */
function usersOfAll({ groupBy, from, to }: Range, tenant: string | null) {
  if (!groupBy.includes("user") || tenant !== null) return null;
  return groupBy.includes("tenant") && from === to
    ? null
    : invalid(["group_by"], "has users of one tenant, or by tenant on one day");
}

interface Stream {
  readonly scope: UsageScope;
  readonly range: Range;
  readonly skip: number;
  readonly format: "csv" | "ndjson";
}

/** The first page is read before anything is sent: what fails then is still a problem. */
async function streamed(database: D1Database, { scope, range, skip, format }: Stream) {
  const pageAt = async <Line>(
    at: number,
    toLine: (row: ReturnType<typeof toUsageRow>) => Line,
  ): Promise<LinePage<Line>> => {
    const page = { groupBy: range.groupBy, skip: at, limit: STREAM_PAGE };
    const { groups, more } = await readGroups(database, scope, page);
    const lines = groups.map((group) => toLine(toUsageRow(group)));
    return { lines, next: more ? () => pageAt(at + STREAM_PAGE, toLine) : null };
  };
  if (format === "ndjson") return ndjson(await pageAt(skip, (row) => row));
  const fileName = `usage-${formatDay(range.from)}-${formatDay(range.to)}.csv`;
  return csvResponse(USAGE_COLUMNS, await pageAt(skip, toUsageCells), fileName);
}
