import type { Observe } from "../calls/governed-call.ts";
import { inferencePoints } from "../domain/usage/inference-point.ts";

/** An invocation may write so many points (Analytics Engine's limit); more would be errors. */
const MAX_POINTS = 250;

/**
 * Writes the points of one request's calls. What cannot be written is lost: the ledger counts, these
 * only measure. A deployment may do without the binding.
 */
export function recordInferences(env: Env, tenant: string): Observe {
  const dataset = (env as Partial<Env>).INFERENCES;
  if (dataset === undefined) return () => undefined;
  let left = MAX_POINTS;
  return (items) => {
    try {
      for (const point of inferencePoints(tenant, items).slice(0, left)) {
        dataset.writeDataPoint(point);
        left -= 1;
      }
    } catch {
      // Nothing that is paid for depends on it.
    }
  };
}
