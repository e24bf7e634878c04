import * as v from "valibot";
import { elapsedOf } from "../domain/ledger/month.ts";
import { formatDay, isoTime } from "../domain/ledger/period.ts";
import { GROUP_KEYS } from "../domain/usage/usage-report.ts";
import { ok, raw } from "../http/reply.ts";
import { CSV, csvResponse } from "../http/csv.ts";
import { formatOf } from "../http/format.ts";
import { type LinePage, NDJSON, ndjson } from "../http/ndjson.ts";
import { defineRoute } from "../http/route.ts";
import { dayInput, pageQuery, parseIndex } from "../api/field.ts";
import { groupInput, toUsageRow, usageBody, UsageOutput } from "../api/native/usage.ts";
import { toUsageCells, USAGE_COLUMNS } from "../api/native/usage-table.ts";
import { readTenant, type TenantAnswer, TENANT_READ } from "../edge/bindings.ts";
import { rangeOf } from "./usage-range.ts";

/** Rows read in one step while streaming. */
const STREAM_PAGE = 1000;

/** A report has a row for each combination of its keys: with more of them it sums up little. */
const MAX_GROUP_KEYS = 3;

/** A tenant's own report is of one tenant. */
const KEYS = GROUP_KEYS.filter((key) => key !== "tenant");

export const getUsage = defineRoute({
  method: "GET",
  path: "/v1/usage",
  mirror: "/admin/tenants/:tenant/usage",
  summary: "Usage by day, hour, model, task, user or key, with exact totals",
  description: `A page as JSON; with \`format\`, or \`Accept: ${CSV}\` or \`${NDJSON}\`, all rows as one stream.`,
  surface: "native",
  auth: { kind: "key", roles: ["call"] },
  query: v.strictObject({
    ...pageQuery,
    from: v.optional(dayInput("The first day; today when absent.")),
    to: v.optional(dayInput("The last day, included; today when absent.")),
    group_by: v.optional(
      groupInput(KEYS, {
        most: MAX_GROUP_KEYS,
        description: `A comma list of at most ${MAX_GROUP_KEYS} of ${KEYS.join(", ")}.`,
      }),
      "day,model",
    ),
    format: v.optional(v.picklist(["json", "csv", "ndjson"])),
  }),
  reply: { status: 200, schema: UsageOutput, otherTypes: [CSV, NDJSON] },
  failures: TENANT_READ,
  handle: async (call) => {
    const { query, request } = call;
    const range = rangeOf(query, Date.now());
    if (range.kind !== "range") return range;
    const skip = parseIndex(query.cursor);
    if (typeof skip !== "number") return skip;
    const { from, to, groupBy } = range;
    const read = (at: number, limit: number) =>
      readTenant(call, (tenant, caller) =>
        tenant.readUsage(caller, { from, to, groupBy, skip: at, limit }),
      );
    const format = formatOf(request, query.format, ["json", "csv", "ndjson"]);
    const limit = format === "json" ? query.limit : STREAM_PAGE;
    const report = await read(skip, limit);
    if (report.kind !== "usage") return report;
    if (format !== "json") {
      const fileName = `usage-${report.tenant}-${formatDay(from)}-${formatDay(to)}.csv`;
      return raw(streamed(report, { skip, read: (at) => read(at, limit), format, fileName }));
    }
    const next = report.more ? String(skip + limit) : null;
    const month = { ...report.month, elapsed: elapsedOf(report.month.month, report.nowMs) };
    return ok({
      ...usageBody(range, { groups: report.groups, next }, { totals: report.totals, month }),
      tenant: report.tenant,
      as_of: isoTime(report.nowMs),
      is_behind: report.isBehind,
    });
  },
});

interface Stream {
  readonly skip: number;
  readonly read: (skip: number) => Promise<UsageReport | { readonly kind: string }>;
  readonly format: "csv" | "ndjson";
  readonly fileName: string;
}

type UsageReport = TenantAnswer<"readUsage", "usage">;

function streamed(first: UsageReport, { skip, read, format, fileName }: Stream): Response {
  const pageOf = <Line>(
    report: UsageReport,
    at: number,
    toLine: (row: ReturnType<typeof toUsageRow>) => Line,
  ): LinePage<Line> => ({
    lines: report.groups.map((group) => toLine(toUsageRow(group))),
    next: !report.more
      ? null
      : async () => {
          const next = await read(at + STREAM_PAGE);
          if (!("groups" in next)) throw new Error("usage could not be read further");
          return pageOf(next, at + STREAM_PAGE, toLine);
        },
  });
  if (format === "ndjson") return ndjson(pageOf(first, skip, (row) => row));
  return csvResponse(USAGE_COLUMNS, pageOf(first, skip, toUsageCells), fileName);
}
