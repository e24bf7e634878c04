import { field } from "./engine-call.ts";
import type { Label } from "./engine.ts";

/** ImageNet has 1,000 classes; no classifier here has more. */
const MAX_LABELS = 1_000;
const MAX_LABEL_LENGTH = 200;

/** Reads `[{ label, score }]` of a classifier; null when an item has another form, or there is none. */
export function readLabels(value: unknown): Label[] | null {
  if (!Array.isArray(value) || value.length === 0 || value.length > MAX_LABELS) return null;
  const labels: Label[] = [];
  for (const item of value) {
    const label = readLabel(item);
    if (label === null) return null;
    labels.push(label);
  }
  return labels;
}

export function readLabel(item: unknown): Label | null {
  const name = field(item, "label");
  const score = field(item, "score");
  if (typeof name !== "string" || name.length > MAX_LABEL_LENGTH) return null;
  if (typeof score !== "number" || !(score >= 0 && score <= 1)) return null;
  return { name, score };
}
