import type { Promised } from "./account-terms.ts";
import type { Amounts } from "./day-pool.ts";

export type TenantSort = "id" | "spent" | "held" | "leased";

/** The last of the page before. By id, the amount is 0. */
export interface TenantPlace {
  readonly amount: number;
  readonly id: string;
}

/** `deleting`: its end has begun and is not over. */
export type TenantState = "active" | "suspended" | "deleting";

export interface ListedTenantRow {
  readonly id: string;
  readonly state: TenantState;
  /** Null: its end has begun. */
  readonly settings: (Promised & { readonly version: number }) | null;
  readonly today: Amounts;
}

export interface SharingTenant {
  readonly id: string;
  readonly today: Amounts;
  readonly floor: number;
  readonly promised: number;
}
