import type { Decision } from "./moderation-shapes.ts";
import type { Usage } from "./shapes.ts";

// Money and what it is worked out of, as the API answers: see `shapes.ts`.

export interface Resource {
  readonly resource: string;
  readonly unit: string;
  readonly count: number | null;
  readonly basis: "counted" | "estimated" | "unknown";
  readonly how: string;
  readonly included: { readonly amount: number; readonly every: "day" | "month" } | null;
  readonly cost_usd: string | null;
}

/** A page; only the first one has sums. */
export interface AllUsage extends Omit<Usage, "tenant" | "as_of" | "totals" | "month"> {
  readonly as_of: string | null;
  readonly totals: Usage["totals"] | null;
  readonly month: Usage["month"] | null;
  readonly platform: readonly Resource[] | null;
  readonly platform_cost_usd: string | null;
}

/** The tenant of a row of all that are not among the largest. */
export const OTHERS = "_other";

export interface Grant {
  readonly id: string;
  readonly state: "active" | "used" | "expired" | "ended";
  readonly micro_neurons: number;
  readonly drawn_micro_neurons: number;
  readonly remaining_micro_neurons: number;
  readonly reason: string;
  readonly created_at: string;
  readonly expires_at: string;
}

export interface StatementSums {
  readonly calls: number;
  readonly used_micro_neurons: number;
  readonly micro_neurons: number;
  readonly quota_micro_neurons: number;
  readonly granted_micro_neurons: number;
  readonly overage_micro_neurons: number;
  readonly adjusted_micro_neurons: number;
  readonly cost_usd: string;
  readonly charge_usd: string;
  readonly adds_up: boolean;
}

export interface Statement {
  readonly tenant: string;
  readonly month: string;
  readonly is_open: boolean;
  readonly as_of: string;
  readonly days: readonly (StatementSums & { readonly day: string })[];
  readonly models: readonly {
    readonly model: string;
    readonly engine: string;
    readonly task: string;
    readonly engine_requests: number;
    readonly micro_neurons: number;
    readonly cost_usd: string;
  }[];
  readonly totals: StatementSums & { readonly total_usd: string };
}

export interface ReconciledDay {
  readonly day: string;
  readonly state: "compared" | "no_data" | "unknown";
  readonly last_outcome: "compared" | "no_data" | "failed" | "not_configured";
  readonly last_reason: string | null;
  readonly micro_neurons: number;
  readonly upstream_micro_neurons: number | null;
  readonly drift_micro_neurons: number | null;
  readonly estimated_micro_neurons: number;
  readonly held_micro_neurons: number;
  readonly overrun_micro_neurons: number;
  readonly settled_after_midnight_micro_neurons: number;
  readonly expected_bill_usd: string;
  readonly charged_to_tenants_usd: string;
  readonly carried_by_platform_usd: string;
}

export interface LoggedVerdict {
  readonly tenant: string;
  readonly verdict_id: string;
  readonly created_at: string;
  readonly decision: Decision;
  readonly decided_by: "policy" | "review";
  readonly categories: readonly string[];
  readonly user_id: string | null;
  readonly content_id: string | null;
  readonly policy: { readonly name: string; readonly version: number };
}
