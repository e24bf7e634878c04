import * as v from "valibot";
import { type LatencyHistogram, latencyQuantile } from "../../domain/usage/latency-histogram.ts";

const quantile = (share: string) =>
  v.nullable(
    v.pipe(
      v.number(),
      v.integer(),
      v.description(`Milliseconds that ${share} of the calls did not exceed, to a tenth.`),
    ),
  );

/** Of calls, from their admission to their settlement; all null when there was none. */
export const LatencyOutput = v.object({
  p50_ms: quantile("50 %"),
  p95_ms: quantile("95 %"),
  p99_ms: quantile("99 %"),
});

export const toLatency = (histogram: LatencyHistogram) => ({
  p50_ms: latencyQuantile(histogram, 0.5),
  p95_ms: latencyQuantile(histogram, 0.95),
  p99_ms: latencyQuantile(histogram, 0.99),
});
