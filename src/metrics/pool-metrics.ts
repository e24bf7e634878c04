import type { PoolFacts } from "../domain/account/account-facts.ts";
import type { Metric, Sample } from "./exposition.ts";
import { by, gauge, MICRO } from "./metric.ts";

// The account's pool, for Prometheus.

const unlabelled = (value: number): Sample[] => [{ labels: {}, value }];

/** Without a size there is no pool, so its metrics are left out. */
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
            `The amount that the day's pool may grant. ${MICRO}`,
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
    gauge(
      "pool_margin_micro_neurons",
      `The safety margin, which no tenant gets. ${MICRO}`,
      unlabelled(pool.margin),
    ),
    gauge("pool_floors_micro_neurons", `Floors of tenants. ${MICRO}`, unlabelled(pool.floors)),
    gauge(
      "pool_promised_micro_neurons",
      `Promised to tenants a day. ${MICRO}`,
      unlabelled(pool.promised),
    ),
    gauge(
      "account_closed",
      "Whether Workers AI reported that the day's allocation is used up.",
      unlabelled(pool.closure === null ? 0 : 1),
    ),
    gauge("account_rate_remaining", "Requests left of this minute's rates.", by("class", rates)),
  ];
}
