import * as v from "valibot";
import { type Day, dayOf, formatDay, isoTime } from "../domain/ledger/period.ts";
import {
  type CostDay,
  costDay,
  type DayFigures,
  NOTHING_UPSTREAM,
  unbegun,
  type UpstreamDay,
} from "../domain/usage/cost-day.ts";
import { tenantCostDays } from "../domain/usage/tenant-cost-days.ts";
import type { UsageGroup } from "../domain/usage/usage-report.ts";
import { ok, raw } from "../http/reply.ts";
import { CSV, csvResponse } from "../http/csv.ts";
import { invalid, type InvalidRequest } from "../http/field-errors.ts";
import { formatOf } from "../http/format.ts";
import { NDJSON, ndjson } from "../http/ndjson.ts";
import { defineRoute } from "../http/route.ts";
import { readCostDays } from "../reports/cost-days-store.ts";
import { readFreshness } from "../reports/freshness-store.ts";
import { ReconciliationStore } from "../reports/reconciliation-store.ts";
import { readResourceDays } from "../reports/resource-days-store.ts";
import { asOf } from "../api/native/all-usage.ts";
import {
  COST_COLUMNS,
  costsBody,
  CostsOutput,
  toCostCells,
  toCostDay,
} from "../api/native/costs.ts";
import { dayInput, name } from "../api/field.ts";
import { readAccount, readTenant, TENANT_READ } from "../edge/bindings.ts";
import { readReports } from "../edge/reports.ts";

// What days cost, by Cloudflare's services: of the account and of its tenants.

/** Days of one reply. */
const MAX_DAYS = 92;

/** Groups of a tenant's usage that are read at once. */
const PAGE = 1000;

const FORMATS = ["json", "csv", "ndjson"] as const;

const rangeQuery = {
  from: v.optional(dayInput("The first day; today when absent.")),
  to: v.optional(dayInput("The last day, included; today when absent.")),
  format: v.optional(v.picklist(FORMATS)),
};

interface Range {
  readonly kind: "range";
  readonly from: Day;
  /** Included. */
  readonly to: Day;
}

function rangeOf(
  query: { readonly from?: Day | undefined; readonly to?: Day | undefined },
  nowMs: number,
): Range | InvalidRequest {
  const today = dayOf(nowMs);
  const to = query.to ?? Math.max(today, query.from ?? today);
  const from = query.from ?? Math.min(today, to);
  return from > to || to - from >= MAX_DAYS
    ? invalid(["from"], `must be a day at most ${MAX_DAYS - 1} days before to`)
    : { kind: "range", from, to };
}

const DESCRIPTION =
  "One row a day, oldest first, before what the account's plan includes. Every count says where it is " +
  `from; what is unknown is null and named. With \`format\`, or \`Accept: ${CSV}\` or \`${NDJSON}\`, as a table ` +
  "or as lines.";

export const getCosts = defineRoute({
  method: "GET",
  path: "/admin/costs",
  summary: "What days cost, by Cloudflare's services",
  description: DESCRIPTION,
  surface: "native",
  auth: { kind: "platform" },
  query: v.strictObject({
    ...rangeQuery,
    tenant: v.optional(name("One tenant, also one that was deleted: from the reports.")),
  }),
  reply: { status: 200, schema: CostsOutput, otherTypes: [CSV, NDJSON] },
  failures: ["not_found"],
  handle: async ({ env, config, query, request }) => {
    const nowMs = Date.now();
    const range = rangeOf(query, nowMs);
    if (range.kind !== "range") return range;
    const { from, to } = range;
    const { tenant = null } = query;
    if (tenant !== null) {
      const listed = await readAccount(env, (account) => account.wasListed(tenant));
      if (listed === false) return { kind: "not_found", what: "tenant" };
      if (listed !== true) return listed;
    }
    const read = await readReports(env, async (database) => {
      const [figures, writtenAtMs, upstream] = await Promise.all([
        readCostDays(database, { from, to: to + 1, tenant }),
        readFreshness(database),
        // Cloudflare does not know the tenants.
        tenant === null ? readUpstream(database, range) : new Map<Day, UpstreamDay>(),
      ]);
      const days = figures.map((one) =>
        costOf(one, config.inference, upstream.get(one.day) ?? NOTHING_UPSTREAM, nowMs),
      );
      return { kind: "days" as const, days, asOf: asOf(writtenAtMs) };
    });
    if (read.kind !== "days") return read;
    const costs = { from, to, tenant, plan: config.workersPlan, asOf: read.asOf, days: read.days };
    return replied(formatOf(request, query.format, FORMATS), costs);
  },
});

export const getTenantCosts = defineRoute({
  method: "GET",
  path: "/v1/costs",
  mirror: "/admin/tenants/:tenant/costs",
  summary: "What a tenant's days cost the platform, by Cloudflare's services",
  description: `${DESCRIPTION} Shares of services that all tenants use are estimated by the tenant's own calls.`,
  surface: "native",
  auth: { kind: "key", roles: [] },
  query: v.strictObject(rangeQuery),
  reply: { status: 200, schema: CostsOutput, otherTypes: [CSV, NDJSON] },
  failures: TENANT_READ,
  handle: async (call) => {
    const { config, query, request } = call;
    const nowMs = Date.now();
    const range = rangeOf(query, nowMs);
    if (range.kind !== "range") return range;
    const { from, to } = range;
    const groupsBy = async (groupBy: readonly ("day" | "model")[]) => {
      const groups: UsageGroup[] = [];
      for (let skip = 0; ; skip += PAGE) {
        const at = skip;
        // oxlint-disable-next-line no-await-in-loop -- one page after the other
        const read = await readTenant(call, (tenant, caller) =>
          tenant.readUsage(caller, { from, to, groupBy, skip: at, limit: PAGE }),
        );
        if (read.kind !== "usage") return read;
        groups.push(...read.groups);
        if (!read.more) return { kind: "groups" as const, groups, tenant: read.tenant };
      }
    };
    const models = await groupsBy(["day", "model"]);
    if (models.kind !== "groups") return models;
    const calls = await groupsBy(["day"]);
    if (calls.kind !== "groups") return calls;
    const figures: readonly DayFigures[] = tenantCostDays(range, models.groups, calls.groups);
    return replied(formatOf(request, query.format, FORMATS), {
      from,
      to,
      tenant: models.tenant,
      plan: config.workersPlan,
      asOf: isoTime(nowMs),
      days: figures.map((one) => costOf(one, config.inference, NOTHING_UPSTREAM, nowMs)),
    });
  },
});

function costOf(
  figures: DayFigures,
  inference: Parameters<typeof costDay>[1],
  upstream: UpstreamDay,
  nowMs: number,
): CostDay {
  const day = costDay(figures, inference, upstream);
  return figures.day > dayOf(nowMs) ? unbegun(day) : day;
}

type Costs = Parameters<typeof costsBody>[0];

function replied(format: (typeof FORMATS)[number], costs: Costs) {
  const { from, to, tenant, days } = costs;
  if (format === "ndjson") return raw(ndjson({ lines: days.map(toCostDay), next: null }));
  if (format === "json") return ok(costsBody(costs));
  const prefix = tenant === null ? "" : `${tenant}-`;
  const fileName = `costs-${prefix}${formatDay(from)}-${formatDay(to)}.csv`;
  return raw(csvResponse(COST_COLUMNS, { lines: days.map(toCostCells), next: null }, fileName));
}

/** What Cloudflare counted: neurons of the days that were compared, resources of those that it has. */
async function readUpstream(
  database: D1Database,
  range: Range,
): Promise<ReadonlyMap<Day, UpstreamDay>> {
  const [compared, resources] = await Promise.all([
    new ReconciliationStore(database).readDays(range.from, range.to),
    readResourceDays(database, range),
  ]);
  const neurons = new Map(
    compared
      .filter(({ state }) => state === "compared")
      .map(({ day, models }) => [
        day,
        models.reduce((sum, { upstream }) => sum + (upstream?.microNeurons ?? 0n), 0n),
      ]),
  );
  return new Map(
    [...new Set([...neurons.keys(), ...resources.keys()])].map((day): [Day, UpstreamDay] => [
      day,
      {
        microNeurons: neurons.get(day) ?? null,
        resources: resources.get(day) ?? NOTHING_UPSTREAM.resources,
      },
    ]),
  );
}
