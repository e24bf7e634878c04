import type { Metric, Sample } from "./exposition.ts";

// Helpers that make every metric.

export const MICRO = "In micro-neurons.";

export const gauge = (name: string, help: string, samples: readonly Sample[]): Metric => ({
  name: `neurogate_${name}`,
  help,
  type: "gauge",
  samples,
});

export const counter = (name: string, help: string, samples: readonly Sample[]): Metric => ({
  ...gauge(name, help, samples),
  type: "counter",
});

/** One sample for each entry, labelled by its key. */
export const by = (label: string, values: Readonly<Record<string, number>>): Sample[] =>
  Object.entries(values).map(([key, value]) => ({ labels: { [label]: key }, value }));
