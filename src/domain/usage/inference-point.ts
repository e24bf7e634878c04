import type { Item } from "../ledger/ledger.ts";

// What is measured of an inference: one point for each stage of a call that asked an engine, or
// failed to. No content, no user; what the columns mean is in docs/observability.md, and queries
// name them by their position, so that new ones are only ever added at the end.

export interface InferencePoint {
  readonly indexes: [tenant: string];
  readonly blobs: string[];
  readonly doubles: number[];
}

/** A point holds 16 KB of blobs; a model that a deployment names itself may have any name. */
const MAX_NAME_LENGTH = 256;

const named = (name: string): string => name.slice(0, MAX_NAME_LENGTH);

/** `not_run`: nothing was used, since the engine refused or what it should look at did not come. */
const outcomeOf = ({ failed, calls }: Item): "answered" | "failed" | "not_run" => {
  if (!failed) return "answered";
  return calls === 0 ? "not_run" : "failed";
};

/** What was neither asked nor failed (skipped, answered from the cache) is no inference. */
export const inferencePoints = (tenant: string, items: readonly Item[]): InferencePoint[] =>
  items
    .filter(({ calls, failed }) => calls > 0 || failed)
    .map((item) => ({
      indexes: [tenant],
      blobs: [
        tenant,
        named(item.model ?? item.pricedAs),
        item.task,
        item.stage,
        outcomeOf(item),
        item.engine ?? "unknown",
        item.basis,
        named(item.pricedAs),
      ],
      doubles: [
        item.latencyMs ?? 0,
        (item.units.input_token ?? 0) + (item.units.cached_input_token ?? 0),
        item.units.output_token ?? 0,
        item.microNeurons,
        item.calls,
        item.overrun,
      ],
    }));
