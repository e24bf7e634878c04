import * as v from "valibot";
import { isoTime } from "../../domain/ledger/period.ts";
import {
  PLATFORM_PRICE_BOOK,
  platformUsd,
  type ResourceLine,
} from "../../domain/catalogue/platform-prices.ts";
import { time } from "../field.ts";
import { MonthOutput, TotalsOutput, usageFields } from "./usage.ts";

// The report across tenants, with what the platform itself costs beside what models cost.

const IncludedOutput = v.object({
  amount: v.number(),
  every: v.picklist(["day", "month"]),
});

const ResourceOutput = v.object({
  resource: v.string(),
  unit: v.string(),
  count: v.nullable(v.number()),
  basis: v.pipe(
    v.picklist(["counted", "estimated", "unknown"]),
    v.description("`unknown`: nothing that is kept says how many there were."),
  ),
  how: v.pipe(v.string(), v.description("What was counted, or what it was estimated from.")),
  usd: v.nullable(
    v.pipe(v.string(), v.description("For `per` of the unit; null on the Workers free plan.")),
  ),
  per: v.number(),
  included: v.nullable(
    v.pipe(IncludedOutput, v.description("What the account's plan includes, all its Workers.")),
  ),
  cost_usd: v.nullable(
    v.pipe(v.string(), v.description("Before what the plan includes, exact; null: unknown.")),
  ),
});

const ONCE = "On the first page alone: null where `cursor` is given.";

export const AllUsageOutput = v.object({
  ...usageFields,
  totals: v.nullable(v.pipe(TotalsOutput, v.description(`Over the whole range. ${ONCE}`))),
  month: v.nullable(v.pipe(MonthOutput, v.description(ONCE))),
  tenant: v.nullable(v.string()),
  as_of: v.nullable(
    time("When rows were last written to the reports, null: never. What settled since is missing."),
  ),
  platform: v.nullable(
    v.pipe(
      v.array(ResourceOutput),
      v.description(`What Cloudflare charges beside the models, over the whole range. ${ONCE}`),
    ),
  ),
  platform_price_book: v.string(),
  platform_cost_usd: v.nullable(
    v.pipe(v.string(), v.description(`All lines of which something is known, exact. ${ONCE}`)),
  ),
  users_a_day: v.pipe(
    v.number(),
    v.description(
      "End users of a tenant who have a row of their own on a day; the others have one together, " +
        "without a `user_id`.",
    ),
  ),
  rows_read: v.pipe(v.number(), v.description("Rows that the database read for this reply.")),
});

export const platformFields = (lines: readonly ResourceLine[]) => ({
  platform: lines.map(({ costUsd, ...line }) => ({ ...line, cost_usd: costUsd })),
  platform_price_book: PLATFORM_PRICE_BOOK,
  platform_cost_usd: platformUsd(lines),
});

/** The fields that only the first page has, as later pages show them. */
export const NO_SUM_FIELDS = {
  totals: null,
  month: null,
  platform: null,
  platform_price_book: PLATFORM_PRICE_BOOK,
  platform_cost_usd: null,
} as const;

export const asOf = (writtenAtMs: number | null): string | null =>
  writtenAtMs === null ? null : isoTime(writtenAtMs);
