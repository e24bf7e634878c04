import { type AccountDay, JOURNAL_FIELDS, type ModelDrift } from "./drift.ts";
import { type Day, formatDay, isoTime } from "../ledger/period.ts";
import { addSums, emptySum } from "./usage-sum.ts";

// A day's reconciliation, as its GET returns it and as webhooks send it.

export interface ReconciledModel extends ModelDrift {
  /** Cloudflare's first figure: later ones may be higher, since it lags. */
  readonly firstUpstream: bigint | null;
}

export interface ReconciledDay {
  readonly day: Day;
  readonly state: "compared" | "no_data" | "unknown";
  readonly runs: number;
  readonly firstRunAtMs: number;
  readonly lastRunAtMs: number;
  readonly lastOutcome: "compared" | "no_data" | "failed" | "not_configured";
  readonly lastReason: string | null;
  readonly comparedAtMs: number | null;
  readonly money: AccountDay;
  readonly models: readonly ReconciledModel[];
}

const number = (amount: bigint | null): number | null => (amount === null ? null : Number(amount));

export const driftObject = (day: Day, { journal, upstream, ...drift }: ReconciledModel) => ({
  object: "reconciliation" as const,
  day: formatDay(day),
  model: drift.model,
  micro_neurons: Number(journal.microNeurons),
  upstream_micro_neurons: number(upstream?.microNeurons ?? null),
  first_upstream_micro_neurons: number(drift.firstUpstream),
  drift_micro_neurons: number(drift.drift),
  unexplained_micro_neurons: number(drift.unexplained),
  estimated_micro_neurons: Number(journal.estimated),
  held_micro_neurons: Number(journal.held),
  overrun_micro_neurons: Number(journal.overrun),
  settled_after_midnight_micro_neurons: Number(journal.settledAfterMidnight),
  settled_from_day_before_micro_neurons: Number(journal.settledFromDayBefore),
  engine_requests: journal.engineRequests,
  upstream_requests: upstream?.engineRequests ?? null,
  input_tokens: journal.inputTokens,
  upstream_input_tokens: upstream?.inputTokens ?? null,
  output_tokens: journal.outputTokens,
  upstream_output_tokens: upstream?.outputTokens ?? null,
});

export function reconciledDayObject(reconciled: ReconciledDay) {
  const { day, state, models, money, comparedAtMs } = reconciled;
  const journal = models.reduce(
    (sum, model) => addSums(JOURNAL_FIELDS, sum, model.journal),
    emptySum(JOURNAL_FIELDS, 0n),
  );
  const sum = (amountOf: (model: ReconciledModel) => bigint | undefined | null): bigint =>
    models.reduce((total, model) => total + (amountOf(model) ?? 0n), 0n);
  const isCompared = state === "compared";
  return {
    object: "reconciliation_day" as const,
    day: formatDay(day),
    state,
    runs: reconciled.runs,
    first_run_at: isoTime(reconciled.firstRunAtMs),
    last_run_at: isoTime(reconciled.lastRunAtMs),
    last_outcome: reconciled.lastOutcome,
    last_reason: reconciled.lastReason,
    compared_at: comparedAtMs === null ? null : isoTime(comparedAtMs),
    micro_neurons: Number(journal.microNeurons),
    upstream_micro_neurons: isCompared
      ? Number(sum(({ upstream }) => upstream?.microNeurons))
      : null,
    drift_micro_neurons: isCompared ? Number(sum(({ drift }) => drift)) : null,
    estimated_micro_neurons: Number(journal.estimated),
    held_micro_neurons: Number(journal.held),
    overrun_micro_neurons: Number(journal.overrun),
    settled_after_midnight_micro_neurons: Number(journal.settledAfterMidnight),
    cost_basis: isCompared ? ("upstream" as const) : ("journal" as const),
    cost_usd: money.costUsd,
    free_allocation_usd: money.freeAllocationUsd,
    expected_bill_usd: money.expectedBillUsd,
    charged_to_tenants_usd: money.chargedToTenantsUsd,
    carried_by_platform_usd: money.carriedByPlatformUsd,
    models: models.map((model) => driftObject(day, model)),
  };
}
