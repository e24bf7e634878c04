import type { Metric, Sample } from "./exposition.ts";
import { by, gauge, MICRO } from "./metric.ts";

// How the account's pool stands, for Prometheus.

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

const unlabelled = (value: number): Sample[] => [{ labels: {}, value }];

/** Without a size there is no pool, and nothing of it that could run out. */
export function poolMetrics(pool: PoolFacts): Metric[] {
  const { size, spent, held, leased, free } = pool;
  const parts = { spent: spent ?? 0, held: held ?? 0, leased: leased ?? 0, free: free ?? 0 };
  const rates = Object.fromEntries(pool.rates.map(({ name, remaining }) => [name, remaining]));
  const shared =
    size === null
      ? []
      : [
          gauge(
            "pool_size_micro_neurons",
            `What the day's pool may grant. ${MICRO}`,
            unlabelled(size),
          ),
          gauge(
            "pool_micro_neurons",
            `The day's pool, as tenants reported last. ${MICRO}`,
            by("part", parts),
          ),
        ];
  return [
    ...shared,
    gauge("pool_margin_micro_neurons", `Granted to nobody. ${MICRO}`, unlabelled(pool.margin)),
    gauge("pool_floors_micro_neurons", `Kept for tenants. ${MICRO}`, unlabelled(pool.floors)),
    gauge(
      "pool_promised_micro_neurons",
      `Promised to tenants a day. ${MICRO}`,
      unlabelled(pool.promised),
    ),
    gauge(
      "account_closed",
      "Whether Workers AI said that the day's allocation is gone.",
      unlabelled(pool.closure === null ? 0 : 1),
    ),
    gauge("account_rate_remaining", "Left of this minute's rates.", by("class", rates)),
  ];
}
