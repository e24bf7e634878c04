import * as v from "valibot";
import { shaped, invalid } from "../http/field-errors.ts";
import { elapsedOf } from "../domain/ledger/month.ts";
import { dayOf, formatDay, type Month, monthOf } from "../domain/ledger/period.ts";
import { platformLines } from "../domain/catalogue/platform-prices.ts";
import { HOURS_KEPT_DAYS } from "../domain/usage/report-retention.ts";
import {
  addCalls,
  type CallSums,
  GROUP_KEYS,
  type GroupKey,
} from "../domain/usage/usage-report.ts";
import { needsSplits } from "../domain/usage/usage-split.ts";
import { ok, raw } from "../http/reply.ts";
import { CSV, csvResponse } from "../http/csv.ts";
import { formatOf } from "../http/format.ts";
import { type LinePage, NDJSON, ndjson } from "../http/ndjson.ts";
import { defineRoute } from "../http/route.ts";
import { readFreshness } from "../reports/freshness-store.ts";
import { readLargest } from "../reports/largest-usage-store.ts";
import { isPlaceOf, type Place, type UsageScope } from "../reports/usage-columns.ts";
import { readDrawn, readGroups, readTotals, type UsageRead } from "../reports/usage-store.ts";
import { AllUsageOutput, asOf, platformFields, NO_SUM_FIELDS } from "../api/native/all-usage.ts";
import { dayInput, name, pageQuery, NOT_A_CURSOR } from "../api/field.ts";
import { placeCursor, readPlaceCursor } from "../api/native/place-cursor.ts";
import { groupInput, toUsageRow, usagePage, usageSums } from "../api/native/usage.ts";
import { toUsageCells, USAGE_COLUMNS } from "../api/native/usage-table.ts";
import { readReports } from "../edge/reports.ts";
import { type Range, rangeOf } from "./usage-range.ts";

/** A user's id of 256 characters, a model three times, and what JSON adds. */
const MAX_CURSOR = 4096;

/** Rows read in one step while streaming. */
const STREAM_PAGE = 1000;

/** Days of a report of the largest tenants: all of its rows are one page. */
const MAX_LARGEST_DAYS = { hour: 2, day: 31 } as const;

/** Keys of tenants, and the models of their users, are in the reports of each tenant alone. */
const KEYS = GROUP_KEYS.filter((key) => key !== "key");

/** Whole days, the last one included. */
const scopeOf = (from: number, to: number, tenant: string | null): UsageScope => ({
  from,
  to: to + 1,
  tenant,
});

export const getAllUsage = defineRoute({
  method: "GET",
  path: "/admin/usage",
  summary: "Usage and money of all tenants, from the reports",
  description:
    `A page as JSON, the first with totals; with \`format\`, or \`Accept: ${CSV}\` or \`${NDJSON}\`, ` +
    "all rows as one stream. With `largest`, the tenants that used most in the whole range, and all " +
    "others together as `_other`.",
  surface: "native",
  auth: { kind: "platform" },
  query: v.strictObject({
    limit: pageQuery.limit,
    cursor: v.optional(
      v.pipe(
        v.string(),
        v.maxLength(MAX_CURSOR),
        v.description(
          "`next_cursor` of the page before, of the same `group_by`; empty: the first.",
        ),
      ),
    ),
    from: v.optional(dayInput("The first day; today when absent.")),
    to: v.optional(dayInput("The last day, included; today when absent.")),
    group_by: v.optional(
      groupInput(KEYS, { most: KEYS.length, description: `A comma list of ${KEYS.join(", ")}.` }),
      "tenant",
    ),
    largest: v.optional(
      v.pipe(
        v.string(),
        v.description("So many tenants, 1 to 50, and the others as one; not paged."),
        v.regex(shaped(/^\d{1,2}$/, "must be a whole number from 1 to 50")),
        v.transform(Number),
        v.minValue(1),
        v.maxValue(50),
      ),
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
    const tenant = query.tenant ?? null;
    const wrong =
      usersOfAll(range, tenant) ?? hoursLongAgo(range, nowMs) ?? wrongLargest(range, query);
    if (wrong !== null) return wrong;
    const scope = scopeOf(range.from, range.to, tenant);
    const after = placeIn(query.cursor, range, scope);
    if (after === undefined) return NOT_A_CURSOR;
    const format = formatOf(request, query.format, ["json", "csv", "ndjson"]);
    return readReports(env, async (database) => {
      const read = reader(database, { scope, groupBy: range.groupBy, largest: query.largest });
      if (format !== "json") return raw(await streamed(read, { range, after, format }));
      const [page, sums, writtenAtMs] = await Promise.all([
        read(after, query.limit),
        after === null ? readSums(database, { range, scope, nowMs }) : null,
        readFreshness(database),
      ]);
      const next = page.next === null ? null : placeCursor(range.groupBy.join(","), page.next);
      const fields =
        sums === null ? NO_SUM_FIELDS : sumFields(sums, { nowMs, plan: config.workersPlan });
      return ok({
        ...usagePage(range, { groups: page.groups, next }),
        ...fields,
        tenant,
        as_of: asOf(writtenAtMs),
        users_a_day: config.reportUsersADay,
        rows_read: page.rowsRead + (sums?.rowsRead ?? 0),
      });
    });
  },
});

/** Null: from the beginning; undefined: it is no cursor of these rows. */
function placeIn(
  cursor: string | undefined,
  { groupBy }: Range,
  scope: UsageScope,
): Place | null | undefined {
  if (cursor === undefined) return null;
  const place = readPlaceCursor(cursor, groupBy.join(","));
  return place !== null && isPlaceOf(place, groupBy, scope) ? place : undefined;
}

/** A tenant has many users a day: of all tenants, one day at a time. */
function usersOfAll({ groupBy, from, to }: Range, tenant: string | null) {
  if (!groupBy.includes("user")) return null;
  if (needsSplits(groupBy)) {
    return invalid(
      ["group_by"],
      "has no models or tasks of users: the tenant's own report has them",
    );
  }
  if (tenant !== null) return null;
  return groupBy.includes("tenant") && from === to
    ? null
    : invalid(["group_by"], "has users of one tenant, or by tenant on one day");
}

/** Older days are kept as days. */
function hoursLongAgo({ groupBy, from }: Range, nowMs: number) {
  return groupBy.includes("hour") && from < dayOf(nowMs) - HOURS_KEPT_DAYS
    ? invalid(["from"], `must be at most ${HOURS_KEPT_DAYS} days ago: older days have no hours`)
    : null;
}

interface LargestQuery {
  readonly largest?: number | undefined;
  readonly cursor?: string | undefined;
  readonly tenant?: string | undefined;
}

function wrongLargest({ groupBy, from, to }: Range, { largest, cursor, tenant }: LargestQuery) {
  if (largest === undefined) return null;
  if (tenant !== undefined || cursor !== undefined) {
    return invalid(["largest"], "is of all tenants, and not paged");
  }
  const beside: readonly GroupKey[] = ["tenant", "day", "hour"];
  if (!groupBy.includes("tenant") || !groupBy.every((key) => beside.includes(key))) {
    return invalid(["group_by"], "must be tenant, beside day and hour at most, with largest");
  }
  const most = groupBy.includes("hour")
    ? MAX_LARGEST_DAYS.hour
    : groupBy.includes("day")
      ? MAX_LARGEST_DAYS.day
      : Infinity;
  return to - from >= most
    ? invalid(["from"], `must be at most ${most - 1} days before to, with largest by day or hour`)
    : null;
}

type Reader = (after: Place | null, limit: number) => Promise<UsageRead & { rowsRead: number }>;

interface Reading {
  readonly scope: UsageScope;
  readonly groupBy: readonly GroupKey[];
  readonly largest: number | undefined;
}

const reader =
  (database: D1Database, { scope, groupBy, largest }: Reading): Reader =>
  async (after, limit) =>
    largest === undefined
      ? readGroups(database, scope, { groupBy, after, limit })
      : { ...(await readLargest(database, scope, { groupBy, most: largest })), next: null };

interface Summing {
  readonly range: Range;
  readonly scope: UsageScope;
  readonly nowMs: number;
}

type Totals = Awaited<ReturnType<typeof readTotals>>;

interface Sums {
  readonly totals: Totals;
  readonly month: Month;
  readonly calls: CallSums;
  readonly rowsRead: number;
}

/** Totals of the range, and the month to date. Where the one is in the other it is read once. */
async function readSums(database: D1Database, { range, scope, nowMs }: Summing): Promise<Sums> {
  const today = dayOf(nowMs);
  const month = monthOf(today);
  const drawn = (from: number, to: number) =>
    readDrawn(database, { from, to, tenant: scope.tenant });
  const isPart = range.from >= month.first && range.to >= today && range.to < month.end;
  const [totals, before, behind] = await Promise.all([
    readTotals(database, scope),
    drawn(month.first, isPart ? range.from : month.end),
    // Days to come: nothing, unless clocks differ.
    isPart ? drawn(range.to + 1, month.end) : null,
  ]);
  const beside = behind === null ? before.calls : addCalls(before.calls, behind.calls);
  return {
    totals,
    month,
    calls: isPart ? addCalls(totals.calls, beside) : beside,
    rowsRead: totals.rowsRead + before.rowsRead + (behind?.rowsRead ?? 0),
  };
}

function sumFields(
  { totals, month, calls }: Sums,
  { nowMs, plan }: { readonly nowMs: number; readonly plan: "free" | "paid" },
) {
  const refused = Object.values(totals.calls.refused).reduce((sum, count) => sum + count, 0);
  const lines = platformLines(
    { ...totals.platform, calls: totals.calls.calls, refused, work: totals.calls.work },
    plan,
  );
  const toDate = { month, calls, elapsed: elapsedOf(month, nowMs) };
  return { ...usageSums({ totals, month: toDate }), ...platformFields(lines) };
}

interface Stream {
  readonly range: Range;
  readonly after: Place | null;
  readonly format: "csv" | "ndjson";
}

/** The first page is read before anything is sent: what fails then is still a problem. */
async function streamed(read: Reader, { range, after, format }: Stream) {
  const pageAfter = async <Line>(
    place: Place | null,
    toLine: (row: ReturnType<typeof toUsageRow>) => Line,
  ): Promise<LinePage<Line>> => {
    const { groups, next } = await read(place, STREAM_PAGE);
    const lines = groups.map((group) => toLine(toUsageRow(group)));
    return { lines, next: next === null ? null : () => pageAfter(next, toLine) };
  };
  if (format === "ndjson") return ndjson(await pageAfter(after, (row) => row));
  const fileName = `usage-${formatDay(range.from)}-${formatDay(range.to)}.csv`;
  return csvResponse(USAGE_COLUMNS, await pageAfter(after, toUsageCells), fileName);
}
