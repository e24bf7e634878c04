import type { JournalModel } from "../domain/usage/drift.ts";
import type { ReconciledDay, ReconciledModel } from "../domain/usage/drift-object.ts";

// The rows of the reconciliation, and the domain values that they hold. Amounts are read and written as
// text: a sum over all tenants may be larger than a number holds exactly.

export interface JournalRow {
  readonly model: string;
  readonly micro_neurons: string;
  readonly requests: number;
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly estimated: string;
  readonly held: string;
  readonly overrun: string;
  readonly settled_after_midnight: string;
  readonly settled_from_day_before: string;
}

export interface ModelRow extends JournalRow {
  readonly day: number;
  readonly upstream_micro_neurons: string | null;
  readonly upstream_requests: number | null;
  readonly upstream_input_tokens: number | null;
  readonly upstream_output_tokens: number | null;
  readonly first_upstream_micro_neurons: string | null;
  readonly drift: string | null;
  readonly unexplained: string | null;
}

export interface DayRow {
  readonly day: number;
  readonly state: ReconciledDay["state"];
  readonly runs: number;
  readonly first_run_at_ms: number;
  readonly last_run_at_ms: number;
  readonly last_outcome: ReconciledDay["lastOutcome"];
  readonly last_reason: string | null;
  readonly compared_at_ms: number | null;
  readonly cost_usd: string;
  readonly free_allocation_usd: string;
  readonly expected_bill_usd: string;
  readonly charged_to_tenants_usd: string;
  readonly carried_by_platform_usd: string;
}

export const dayValues = ({ money, ...day }: ReconciledDay): (string | number | null)[] => [
  day.day,
  day.state,
  day.runs,
  day.firstRunAtMs,
  day.lastRunAtMs,
  day.lastOutcome,
  day.lastReason,
  day.comparedAtMs,
  money.costUsd,
  money.freeAllocationUsd,
  money.expectedBillUsd,
  money.chargedToTenantsUsd,
  money.carriedByPlatformUsd,
];

/** A STRICT integer column takes a whole number that is written as text. */
export const toValues = ({
  model,
  journal,
  upstream,
  firstUpstream,
  drift,
  unexplained,
}: ReconciledModel) => ({
  model,
  micro_neurons: String(journal.microNeurons),
  requests: journal.engineRequests,
  input_tokens: journal.inputTokens,
  output_tokens: journal.outputTokens,
  estimated: String(journal.estimated),
  held: String(journal.held),
  overrun: String(journal.overrun),
  settled_after_midnight: String(journal.settledAfterMidnight),
  settled_from_day_before: String(journal.settledFromDayBefore),
  upstream_micro_neurons: text(upstream?.microNeurons ?? null),
  upstream_requests: upstream?.engineRequests ?? null,
  upstream_input_tokens: upstream?.inputTokens ?? null,
  upstream_output_tokens: upstream?.outputTokens ?? null,
  first_upstream_micro_neurons: text(firstUpstream),
  drift: text(drift),
  unexplained: text(unexplained),
});

const text = (amount: bigint | null): string | null => (amount === null ? null : String(amount));

const amountIn = (column: string | null): bigint | null =>
  column === null ? null : BigInt(column);

export const toJournal = (row: JournalRow): JournalModel => ({
  model: row.model,
  microNeurons: BigInt(row.micro_neurons),
  engineRequests: row.requests,
  inputTokens: row.input_tokens,
  outputTokens: row.output_tokens,
  estimated: BigInt(row.estimated),
  held: BigInt(row.held),
  overrun: BigInt(row.overrun),
  settledAfterMidnight: BigInt(row.settled_after_midnight),
  settledFromDayBefore: BigInt(row.settled_from_day_before),
});

const toDrift = (row: ModelRow): ReconciledModel => ({
  model: row.model,
  journal: toJournal(row),
  upstream:
    row.upstream_micro_neurons === null
      ? null
      : {
          model: row.model,
          microNeurons: BigInt(row.upstream_micro_neurons),
          engineRequests: row.upstream_requests ?? 0,
          inputTokens: row.upstream_input_tokens ?? 0,
          outputTokens: row.upstream_output_tokens ?? 0,
        },
  firstUpstream: amountIn(row.first_upstream_micro_neurons),
  drift: amountIn(row.drift),
  unexplained: amountIn(row.unexplained),
});

export const toDay = (row: DayRow, models: readonly ModelRow[]): ReconciledDay => ({
  day: row.day,
  state: row.state,
  runs: row.runs,
  firstRunAtMs: row.first_run_at_ms,
  lastRunAtMs: row.last_run_at_ms,
  lastOutcome: row.last_outcome,
  lastReason: row.last_reason,
  comparedAtMs: row.compared_at_ms,
  money: {
    costUsd: row.cost_usd,
    freeAllocationUsd: row.free_allocation_usd,
    expectedBillUsd: row.expected_bill_usd,
    chargedToTenantsUsd: row.charged_to_tenants_usd,
    carriedByPlatformUsd: row.carried_by_platform_usd,
  },
  models: models.map(toDrift),
});
