import type { AccountFacts } from "../domain/account/account-facts.ts";
import type { ReconciledDay } from "../domain/usage/drift-object.ts";
import type { Metric, Sample } from "./exposition.ts";
import { by, counter, gauge, MICRO } from "./metric.ts";
import { poolMetrics } from "./pool-metrics.ts";
import {
  bucketUpperMs,
  latencyBucket,
  latencyCount,
  type LatencyHistogram,
  totalMs,
} from "../domain/usage/latency-histogram.ts";
import { disagreedCategory } from "../domain/ledger/day-totals.ts";
import { startOf } from "../domain/ledger/period.ts";
import type { CheckSums } from "../domain/tenant/tenant-check.ts";

// The platform's metrics for Prometheus, from its objects and reports. The number of series is limited for
// any number of tenants and models: the largest have their own series, the rest share `_other`.

/** The most tenants, and models, with series of their own: those with the largest charges. */
export const MOST_NAMED = 20;

export interface TenantToday {
  readonly tenant: string;
  readonly posted: number;
  readonly voided: number;
  readonly expired: number;
  readonly quota: number;
  readonly granted: number;
  readonly overage: number;
}

export interface ModelToday {
  readonly model: string;
  readonly requests: number;
  readonly failed: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly microNeurons: number;
}

/**
 * Today's figures from the reports, without those that are still on their way to them. It has the largest
 * tenants and models, and `OTHERS`.
 */
export interface Today {
  readonly tenants: readonly TenantToday[];
  readonly refused: Readonly<Record<string, number>>;
  readonly latency: LatencyHistogram;
  /** Counts of verdicts by name (`day-totals.ts`). */
  readonly verdicts: Readonly<Record<string, number>>;
  readonly models: readonly ModelToday[];
}

/** The counts of the tenants' objects in the latest pass over all of them. */
export interface TenantChecks extends CheckSums {
  readonly endedAtMs: number;
}

export interface Facts {
  readonly version: string;
  /** Null: the `Account` object did not answer. */
  readonly account: AccountFacts | null;
  /** Null: there are no reports, or they did not answer. */
  readonly today: Today | null;
  /** The last day that was checked, and the last that could be compared. */
  readonly latest: ReconciledDay | null;
  readonly compared: ReconciledDay | null;
  /** Null: it was not requested, or there was no pass. */
  readonly checks: TenantChecks | null;
}

export const metrics = (facts: Facts): Metric[] => [
  gauge("build_info", "The version that answers; always 1.", [
    { labels: { version: facts.version }, value: 1 },
  ]),
  gauge("source_up", "Whether the source of other metrics answered.", [
    { labels: { source: "account" }, value: facts.account === null ? 0 : 1 },
    { labels: { source: "reports" }, value: facts.today === null ? 0 : 1 },
  ]),
  ...(facts.account === null ? [] : accountMetrics(facts.account)),
  ...(facts.today === null ? [] : todayMetrics(facts.today)),
  ...reconciliationMetrics(facts),
  ...(facts.checks === null ? [] : checkMetrics(facts.checks)),
];

const accountMetrics = ({ tenants, endpoints, deliveries, pool }: AccountFacts): Metric[] => [
  gauge("tenants", "Tenants by state.", by("state", tenants)),
  gauge("platform_endpoints", "The platform's webhook endpoints by state.", by("state", endpoints)),
  gauge(
    "platform_deliveries",
    "Deliveries to the platform's endpoints that wait for another try, or failed for good.",
    by("state", { ...deliveries }),
  ),
  ...poolMetrics(pool),
];

const calls = ({ posted, voided, expired }: TenantToday): number => posted + voided + expired;
const drawn = ({ quota, granted, overage }: TenantToday): number => quota + granted + overage;

function todayMetrics({ tenants, refused, latency, verdicts, models }: Today): Metric[] {
  const sum = (amount: (tenant: TenantToday) => number): number =>
    tenants.reduce((total, tenant) => total + amount(tenant), 0);
  const tenant = (amount: (tenant: TenantToday) => number): Sample[] =>
    tenants.map((one) => ({ labels: { tenant: one.tenant }, value: amount(one) }));
  return [
    counter(
      "calls_total",
      "Governed calls since 00:00 UTC, by how their line ended.",
      by("outcome", {
        posted: sum(({ posted }) => posted),
        voided: sum(({ voided }) => voided),
        expired: sum(({ expired }) => expired),
      }),
    ),
    counter("refusals_total", "Refused calls since 00:00 UTC, by kind.", by("kind", refused)),
    gauge(
      "micro_neurons_today",
      `Charged since 00:00 UTC, by source: quota, grants or overage. ${MICRO}`,
      by("drawn", {
        quota: sum(({ quota }) => quota),
        granted: sum(({ granted }) => granted),
        overage: sum(({ overage }) => overage),
      }),
    ),
    gauge("tenant_calls_today", "Governed calls of a tenant since 00:00 UTC.", tenant(calls)),
    gauge(
      "tenant_micro_neurons_today",
      `Charged to a tenant since 00:00 UTC. ${MICRO}`,
      tenant(drawn),
    ),
    histogram(latency),
    ...comparedMetrics(verdicts),
    ...modelMetrics(models),
  ];
}

function comparedMetrics(verdicts: Today["verdicts"]): Metric[] {
  const disagreed = Object.entries(verdicts).flatMap(([name, count]) => {
    const category = disagreedCategory(name);
    return category === null ? [] : [[category, count] as const];
  });
  return [
    counter(
      "tier0_compared_total",
      "Texts since 00:00 UTC that the text model decided and the judge read too, as a sample.",
      [{ value: verdicts["compared"] ?? 0 }],
    ),
    counter(
      "tier0_disagreed_total",
      "Of these, the texts whose judge contradicts the decision, by category.",
      by("category", Object.fromEntries(disagreed)),
    ),
  ];
}

function modelMetrics(models: readonly ModelToday[]): Metric[] {
  const model = (amount: (model: ModelToday) => number): Sample[] =>
    models.map((one) => ({ labels: { model: one.model }, value: amount(one) }));
  return [
    gauge(
      "model_micro_neurons_today",
      `Charged for a model since 00:00 UTC. ${MICRO}`,
      model(({ microNeurons }) => microNeurons),
    ),
    gauge(
      "model_requests_today",
      "Engine calls of a model since 00:00 UTC.",
      model(({ requests }) => requests),
    ),
    gauge(
      "model_failures_today",
      "Stages of a model that failed since 00:00 UTC.",
      model(({ failed }) => failed),
    ),
    gauge(
      "model_input_tokens_today",
      "Tokens that a model read since 00:00 UTC.",
      model(({ inputTokens }) => inputTokens),
    ),
    gauge(
      "model_output_tokens_today",
      "Tokens that a model wrote since 00:00 UTC.",
      model(({ outputTokens }) => outputTokens),
    ),
  ];
}

/** Approximate bounds in milliseconds; each is moved up to the end of its latency bucket. */
const BOUNDS_MS = [5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000];

const MS_PER_S = 1000;

function histogram(latency: LatencyHistogram): Metric {
  const count = latencyCount(latency);
  const upTo = (bucket: number): number =>
    Object.entries(latency).reduce((sum, [at, n]) => sum + (Number(at) <= bucket ? n : 0), 0);
  const buckets = [...new Set(BOUNDS_MS.map(latencyBucket))];
  return {
    name: "neurogate_call_duration_seconds",
    help: "Governed calls since 00:00 UTC, from admission to settlement; the sum is within a tenth.",
    type: "histogram",
    samples: [
      ...buckets.map((bucket): Sample => ({
        suffix: "_bucket",
        labels: { le: String(bucketUpperMs(bucket) / MS_PER_S) },
        value: upTo(bucket),
      })),
      { suffix: "_bucket", labels: { le: "+Inf" }, value: count },
      { suffix: "_sum", value: totalMs(latency) / MS_PER_S },
      { suffix: "_count", value: count },
    ],
  };
}

function reconciliationMetrics({ latest, compared }: Facts): Metric[] {
  if (latest === null) return [];
  const run = [
    gauge("reconciliation_last_run_timestamp_seconds", "When a day was last checked.", [
      { value: latest.lastRunAtMs / MS_PER_S },
    ]),
    gauge("reconciliation_last_run_compared", "Whether the latest day could be compared.", [
      { value: latest.lastOutcome === "compared" ? 1 : 0 },
    ]),
  ];
  if (compared === null) return run;
  const amounts = (amount: (model: ReconciledDay["models"][number]) => bigint | null): Sample[] =>
    compared.models
      .toSorted((a, b) => Number(size(b.drift) - size(a.drift)))
      .slice(0, MOST_NAMED)
      .map((one) => ({ labels: { model: one.model }, value: Number(amount(one) ?? 0n) }));
  return [
    ...run,
    gauge(
      "reconciliation_day_timestamp_seconds",
      "The beginning of the last compared day, to which the drift belongs.",
      [{ value: startOf(compared.day) / MS_PER_S }],
    ),
    gauge(
      "reconciliation_drift_micro_neurons",
      `The count of Cloudflare minus the charge. ${MICRO}`,
      amounts(({ drift }) => drift),
    ),
    gauge(
      "reconciliation_unexplained_micro_neurons",
      `The part of the drift without a known cause. ${MICRO}`,
      amounts(({ unexplained }) => unexplained),
    ),
    gauge("reconciliation_expected_bill_usd", "Cloudflare's expected bill for that day.", [
      { value: Number(compared.money.expectedBillUsd) },
    ]),
    gauge("reconciliation_carried_by_platform_usd", "The part of that bill that no tenant owes.", [
      { value: Number(compared.money.carriedByPlatformUsd) },
    ]),
  ];
}

const size = (amount: bigint | null): bigint => {
  const known = amount ?? 0n;
  return known < 0n ? -known : known;
};

const checkMetrics = ({
  checked,
  found,
  counts,
  deliveries,
  endedAtMs,
}: TenantChecks): Metric[] => [
  gauge("tenants_check_timestamp_seconds", "When the latest pass over all tenants ended.", [
    { value: endedAtMs / 1000 },
  ]),
  gauge("tenants_checked", "Tenants of that pass.", [{ value: checked }]),
  gauge("tenants_unanswered", "Tenants of that pass that did not answer.", [
    { value: found.unanswered },
  ]),
  gauge(
    "tenants_unfinished",
    "Tenants of that pass that were checked in part, without a violation.",
    [{ value: found.unfinished }],
  ),
  gauge("tenants_broken", "Tenants of that pass with a violated invariant.", [
    { value: found.broken },
  ]),
  gauge(
    "invariant_violations",
    "Violations of each invariant, over all tenants of that pass; must be zero.",
    by("invariant", Object.fromEntries(counts.map(({ name, violations }) => [name, violations]))),
  ),
  gauge(
    "tenant_deliveries",
    "Deliveries to tenants' endpoints that wait for another try, or failed for good.",
    by("state", { ...deliveries }),
  ),
];
