import type { Plan, Rate } from "./shapes.ts";

// The account that all tenants share, as the API answers: see `shapes.ts`.

export interface AccountSettings {
  readonly daily_cap_neurons: number | null;
  readonly monthly_cap_usd: string | null;
  readonly safety_margin_neurons: number;
  readonly max_hold_share: number;
  readonly max_unspent_share: number;
}

/** A tenant as the account knows it. */
export interface ListedTenant {
  readonly id: string;
  readonly state: "active" | "suspended" | "deleting";
  /** These four are null in one whose deletion has begun. */
  readonly plan: Plan | null;
  readonly daily_neurons: number | null;
  readonly reserved_neurons: number | null;
  readonly version: number | null;
  readonly spent_micro_neurons: number;
  /** Null: not today yet. */
  readonly reported_at: string | null;
}

export interface Share {
  readonly tenant: string;
  readonly granted_micro_neurons: number;
  readonly spent_micro_neurons: number;
  readonly held_micro_neurons: number;
  readonly leased_micro_neurons: number;
  readonly reserved_micro_neurons: number;
  readonly promised_micro_neurons: number;
}

export interface Account {
  readonly cloudflare_plan: Plan;
  readonly day: string;
  readonly resets_at: string;
  readonly allocation_micro_neurons: number;
  readonly pool: {
    /** Null: nothing is shared out, so that the four below are null too. */
    readonly size_micro_neurons: number | null;
    readonly margin_micro_neurons: number;
    readonly spent_micro_neurons: number | null;
    readonly held_micro_neurons: number | null;
    readonly leased_micro_neurons: number | null;
    readonly free_micro_neurons: number | null;
  };
  readonly floors_micro_neurons: number;
  readonly promised_micro_neurons: number;
  readonly closure: { readonly closed_at: string; readonly probe_at: string } | null;
  readonly rates: readonly Rate[];
  readonly tenant_count: number;
  readonly warnings: readonly { readonly kind: string; readonly detail: string }[];
  readonly settings: AccountSettings;
}
