import type { PoolOverview } from "./pool-overview.ts";

// What the account's object knows of the platform, for Prometheus.

type Rate = Pick<PoolOverview["rates"][number], "name" | "remaining">;

/** How the day's pool stands, as tenants reported last. Null: nothing is shared out. */
export type PoolFacts = Pick<
  PoolOverview,
  "size" | "margin" | "spent" | "held" | "leased" | "free" | "floors" | "promised" | "closure"
> & { readonly rates: readonly Rate[] };

/** Deliveries to endpoints that wait for another try, or failed for good. */
export interface DeliveryFacts {
  readonly waiting: number;
  readonly failed: number;
}

export interface AccountFacts {
  readonly pool: PoolFacts;
  /** How many there are, by state. */
  readonly tenants: Readonly<Record<string, number>>;
  /** Of the platform. */
  readonly endpoints: { readonly enabled: number; readonly disabled: number };
  readonly deliveries: DeliveryFacts;
}
