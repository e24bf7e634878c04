// What the account's object knows of the platform, for Prometheus.

/** How the day's pool stands, as tenants reported last. Null: nothing is shared out. */
export interface PoolFacts {
  readonly size: number | null;
  readonly margin: number;
  readonly spent: number | null;
  readonly held: number | null;
  readonly leased: number | null;
  readonly free: number | null;
  readonly floors: number;
  readonly promised: number;
  /** Null: Workers AI has not said that the day's allocation is gone. */
  readonly closure: object | null;
  readonly rates: readonly { readonly name: string; readonly remaining: number }[];
}

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
