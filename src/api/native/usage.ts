import * as v from "valibot";
import { MICRO_PER_NEURON } from "../../domain/ledger/micro-neurons.ts";
import { type Elapsed, forecast, type Spent } from "../../domain/ledger/month.ts";
import { chargeUsd, costUsd } from "../../domain/ledger/money.ts";
import { formatDay, formatMonth, isoTime, type Month } from "../../domain/ledger/period.ts";
import { startOfHour } from "../../domain/usage/report-rows.ts";
import {
  type CallSums,
  chargePartsOf,
  drawnOf,
  failedCallsOf,
  type GroupKey,
  spentOf,
  successRate,
  tokensOf,
  type UsageGroup,
  type UsageTotals,
} from "../../domain/usage/usage-report.ts";
import { LatencyOutput, toLatency } from "./latency.ts";
import { stated } from "../../http/field-errors.ts";
import { count, microNeuronsOut, time } from "../field.ts";
import { toVerdictSums, VerdictSumsOutput } from "./verdict-sums.ts";

// The usage report on the wire: rows in the groups of the query, and on each page the totals over the whole
// range. Sums are exact: amounts are added as BigInt.

/** Refusals that a report names even when there was none. */
const REFUSED_KINDS = [
  "quota_exceeded",
  "overage_cap_exceeded",
  "account_quota_exceeded",
  "rate_limited",
  "concurrency_exceeded",
] as const;

const usd = v.pipe(v.string(), v.description("USD, an exact decimal."));
const nullableUsd = (description: string) =>
  v.nullable(v.pipe(v.string(), v.description(`USD, an exact decimal; ${description}`)));
const nullableCount = (description: string) => v.nullable(count(description));
const rate = v.nullable(
  v.pipe(v.number(), v.description("The share that did not fail, 0 to 1; null: there was none.")),
);

/** `day,model`: each key once, at most `most` of them, in the order in which rows are sorted. */
export const groupInput = (
  keys: readonly GroupKey[],
  { most, description }: { readonly most: number; readonly description: string },
) =>
  v.pipe(
    v.string(),
    v.maxLength(60),
    v.description(description),
    v.check(
      stated(`must be at most ${most} of ${keys.join(", ")}, each once`, (text: string) => {
        const names = text.split(",");
        if (names.length > most) return false;
        return names.every((name, at) => isOneOf(keys, name) && names.indexOf(name) === at);
      }),
    ),
    v.transform((text) => text.split(",").filter((name) => isOneOf(keys, name))),
  );

const isOneOf = (keys: readonly GroupKey[], name: string): name is GroupKey =>
  (keys as readonly string[]).includes(name);

const RowOutput = v.object({
  day: v.nullable(v.string()),
  hour: v.nullable(time("When the hour began.")),
  tenant: v.nullable(v.string()),
  model: v.nullable(v.string()),
  task: v.nullable(v.string()),
  engine: v.nullable(v.string()),
  priced_as: v.nullable(v.string()),
  user_id: v.nullable(
    v.pipe(
      v.string(),
      v.description("Also null for people without a row of their own, and for erased people."),
    ),
  ),
  key_id: v.nullable(
    v.pipe(v.string(), v.description("Null too where no key called, as for the platform's own.")),
  ),
  calls: nullableCount(
    "Admitted calls; null for models and tasks, of which a call may ask several.",
  ),
  engine_requests: nullableCount("What engines were asked; null for users alone."),
  failed: nullableCount("Stages that failed; null for users alone."),
  success_rate: rate,
  units: v.record(v.string(), v.number()),
  input_tokens: nullableCount("Tokens read, cached ones too."),
  output_tokens: nullableCount("Tokens written."),
  micro_neurons: microNeuronsOut("Charged for what ran, before adjustments."),
  neurons: v.number(),
  estimated_micro_neurons: v.nullable(microNeuronsOut("Of it, by a documented estimator.")),
  held_micro_neurons: v.nullable(microNeuronsOut("Of it, at the bound, since the use is unknown.")),
  cost_usd: usd,
  charge_usd: nullableUsd(
    "null for models, tasks, users and keys: overage is a call's, not a model's.",
  ),
  refused: v.nullable(v.pipe(v.record(v.string(), v.number()), v.description("By kind."))),
  verdicts: v.nullable(VerdictSumsOutput),
  latency: v.nullable(LatencyOutput),
});

export const TotalsOutput = v.object({
  calls: v.number(),
  success_rate: rate,
  refused: v.objectWithRest(
    Object.fromEntries(REFUSED_KINDS.map((kind) => [kind, v.number()])) as Record<
      (typeof REFUSED_KINDS)[number],
      v.NumberSchema<undefined>
    >,
    v.number(),
  ),
  input_tokens: count("Tokens read, cached ones too."),
  output_tokens: count("Tokens written."),
  micro_neurons: microNeuronsOut("Quota + grants + overage drawn, adjustments included."),
  neurons: v.number(),
  quota_micro_neurons: microNeuronsOut("Drawn on the days' quotas."),
  granted_micro_neurons: microNeuronsOut("Drawn on grants."),
  overage_micro_neurons: microNeuronsOut("Drawn beyond both."),
  adjusted_micro_neurons: microNeuronsOut("Of it, given back by adjustments: negative or 0."),
  estimated_micro_neurons: microNeuronsOut("Charged by a documented estimator."),
  held_micro_neurons: microNeuronsOut("Charged at the bound, since the use is unknown."),
  overrun_micro_neurons: microNeuronsOut("Used beyond what was held: the platform's, not charged."),
  cost_usd: v.pipe(v.string(), v.description("Of what ran, at Cloudflare's rate, exact.")),
  charge_usd: v.pipe(v.string(), v.description("What tenants owe under their plans, exact.")),
  verdicts: v.pipe(VerdictSumsOutput, v.description("Counted since Neurogate counts them.")),
  latency: LatencyOutput,
});

const SpentOutput = v.object({
  micro_neurons: microNeuronsOut("Of what ran."),
  neurons: v.number(),
  cost_usd: usd,
  charge_usd: usd,
});

export const MonthOutput = v.object({
  month: v.pipe(v.string(), v.description("The present month, `YYYY-MM`.")),
  elapsed: v.pipe(v.number(), v.description("The share of it that is over, 0 to 1.")),
  to_date: SpentOutput,
  forecast: v.nullable(
    v.pipe(
      SpentOutput,
      v.description("If it goes on in a straight line; null in the month's first hour."),
    ),
  ),
});

export const usageFields = {
  object: v.literal("usage"),
  from: v.string(),
  to: v.string(),
  group_by: v.array(v.string()),
  data: v.array(RowOutput),
  totals: TotalsOutput,
  month: MonthOutput,
  has_more: v.boolean(),
  next_cursor: v.nullable(v.string()),
};

export const UsageOutput = v.object({
  ...usageFields,
  tenant: v.string(),
  as_of: time("When it was read."),
  is_behind: v.pipe(
    v.boolean(),
    v.description(
      "Hours, users, latencies and how calls ended lack what settled in the last seconds, or what " +
        "is in an older journal. Amounts of days never do.",
    ),
  ),
});

export interface UsageRange {
  readonly from: number;
  readonly to: number;
  readonly groupBy: readonly GroupKey[];
}

export interface MonthToDate {
  readonly month: Month;
  readonly calls: CallSums;
  readonly elapsed: Elapsed;
}

/** A report of whatever page. */
export const usageBody = (
  range: UsageRange,
  page: UsagePageOut,
  sums: { readonly totals: UsageTotals; readonly month: MonthToDate },
) => ({ ...usagePage(range, page), ...usageSums(sums) });

interface UsagePageOut {
  readonly groups: readonly UsageGroup[];
  readonly next: string | null;
}

export const usagePage = ({ from, to, groupBy }: UsageRange, page: UsagePageOut) => ({
  object: "usage" as const,
  from: formatDay(from),
  to: formatDay(to),
  group_by: [...groupBy],
  data: page.groups.map(toUsageRow),
  has_more: page.next !== null,
  next_cursor: page.next,
});

/** Of the whole range, and of the month. */
export const usageSums = (sums: { readonly totals: UsageTotals; readonly month: MonthToDate }) => ({
  totals: toTotals(sums.totals),
  month: toMonth(sums.month),
});

export function toUsageRow({ key, engines, calls, user, latency }: UsageGroup) {
  const amount = engines?.microNeurons ?? user?.microNeurons ?? 0n;
  const tokens = engines === null ? null : tokensOf(engines.units);
  const [all, failed] =
    calls === null
      ? [engines?.engineRequests ?? 0, engines?.failed ?? 0]
      : [calls.calls, failedCallsOf(calls)];
  return {
    day: key.day === null ? null : formatDay(key.day),
    hour: key.hour === null ? null : isoTime(startOfHour(key.hour)),
    tenant: key.tenant,
    model: key.model,
    task: key.task,
    engine_requests: engines?.engineRequests ?? null,
    failed: engines?.failed ?? null,
    units: engines?.units ?? {},
    micro_neurons: Number(amount),
    neurons: Number(amount) / MICRO_PER_NEURON,
    estimated_micro_neurons: engines === null ? null : Number(engines.estimated),
    held_micro_neurons: engines === null ? null : Number(engines.held),
    cost_usd: costUsd(amount),
    charge_usd: calls === null ? null : chargeUsd(chargePartsOf(calls)),
    engine: key.engine,
    priced_as: key.pricedAs,
    user_id: key.user,
    key_id: key.keyId,
    calls: calls?.calls ?? user?.calls ?? null,
    success_rate: successRate(all, failed),
    input_tokens: tokens?.input ?? null,
    output_tokens: tokens?.output ?? null,
    refused: calls?.refused ?? null,
    verdicts: calls === null ? null : toVerdictSums(calls),
    latency: latency === null ? null : toLatency(latency),
  };
}

function toTotals({ engines, calls, latency }: UsageTotals) {
  const drawn = drawnOf(calls);
  const tokens = tokensOf(engines.units);
  return {
    calls: calls.calls,
    refused: {
      ...calls.refused,
      ...(Object.fromEntries(
        REFUSED_KINDS.map((kind) => [kind, calls.refused[kind] ?? 0]),
      ) as Record<(typeof REFUSED_KINDS)[number], number>),
    },
    micro_neurons: Number(drawn),
    neurons: Number(drawn) / MICRO_PER_NEURON,
    quota_micro_neurons: Number(calls.quota),
    granted_micro_neurons: Number(calls.granted),
    overage_micro_neurons: Number(calls.overage),
    cost_usd: costUsd(spentOf(calls)),
    charge_usd: chargeUsd(chargePartsOf(calls)),
    success_rate: successRate(calls.calls, failedCallsOf(calls)),
    input_tokens: tokens.input,
    output_tokens: tokens.output,
    adjusted_micro_neurons: Number(calls.adjusted),
    estimated_micro_neurons: Number(engines.estimated),
    held_micro_neurons: Number(engines.held),
    overrun_micro_neurons: Number(engines.overrun),
    verdicts: toVerdictSums(calls),
    latency: toLatency(latency),
  };
}

function toMonth({ month, calls, elapsed }: MonthToDate) {
  const spent: Spent = {
    microNeurons: spentOf(calls),
    costUsd: costUsd(spentOf(calls)),
    chargeUsd: chargeUsd(chargePartsOf(calls)),
  };
  const line = forecast(spent, elapsed);
  return {
    month: formatMonth(month),
    elapsed: Math.round((elapsed.elapsedMs / elapsed.wholeMs) * 1e6) / 1e6,
    to_date: toSpent(spent),
    forecast: line === null ? null : toSpent(line),
  };
}

const toSpent = ({ microNeurons, costUsd: cost, chargeUsd: charge }: Spent) => ({
  micro_neurons: Number(microNeurons),
  neurons: Number(microNeurons) / MICRO_PER_NEURON,
  cost_usd: cost,
  charge_usd: charge,
});
