import type { Decision } from "./verdict.ts";

// Many verdicts asked for at once, made in steps. What a step came to is kept whole, so that a step
// that runs twice counts once.

export const MAX_BATCH_ITEMS = 1000;

/** Of a tenant, that have not ended: they share what batches get, and the object keeps them in mind. */
export const MAX_OPEN_BATCHES = 20;

/** Items of one step: what is asked again when it is cut short. */
export const STEP_ITEMS = 10;

export const BATCH_STATES = [
  "running",
  "waiting",
  "canceling",
  "completed",
  "stopped",
  "canceled",
] as const;
export type BatchState = (typeof BATCH_STATES)[number];

/** What became of an item: a verdict, or the refusal or failure that it met. */
export interface ItemResult {
  readonly index: number;
  readonly decision: Decision | null;
  /** Null: there is a verdict. */
  readonly failedAs: string | null;
  readonly microNeurons: number;
}

export interface BatchStep {
  readonly batchId: string;
  /** From 0. */
  readonly step: number;
  /** How often its items were taken up: once more after each wait. */
  readonly round: number;
  /** How often it was run, repeats after a crash included. */
  readonly attempts: number;
  readonly state: "running" | "waiting" | "done";
  /** When its round began: its items' ids have that time. */
  readonly roundAtMs: number;
  readonly startedAtMs: number;
  readonly finishedAtMs: number | null;
  readonly results: readonly ItemResult[];
}

export interface Batch {
  readonly id: string;
  readonly state: BatchState;
  readonly items: number;
  /** Where each item ends in the file of all of them, in bytes. */
  readonly ends: readonly number[];
  readonly resume: boolean;
  /** SHA-256 of the key that made it; null: the platform did. */
  readonly secretHash: string | null;
  readonly keyId: string | null;
  readonly requestId: string;
  readonly counts: BatchCounts;
  readonly microNeurons: number;
  /** Why it stopped; null: it did not. */
  readonly stoppedAs: string | null;
  /** When it goes on; null: it does not wait. */
  readonly waitsUntilMs: number | null;
  readonly createdAtMs: number;
  readonly progressAtMs: number;
  readonly finishedAtMs: number | null;
  /** Whether its items still lie in the bucket. */
  readonly hasFile: boolean;
}

export interface BatchCounts {
  readonly allow: number;
  readonly flag: number;
  readonly block: number;
  /** By kind. */
  readonly failed: Readonly<Record<string, number>>;
}

export const NO_COUNTS: BatchCounts = { allow: 0, flag: 0, block: 0, failed: {} };

const OPEN: readonly BatchState[] = ["running", "waiting", "canceling"];

export const isOver = ({ state }: Pick<Batch, "state">): boolean => !OPEN.includes(state);

export const stepCount = (items: number): number => Math.ceil(items / STEP_ITEMS);

/** The indexes of a step's items. */
export const itemsOf = (step: number, items: number): number[] =>
  Array.from({ length: STEP_ITEMS }, (_, at) => step * STEP_ITEMS + at).filter(
    (index) => index < items,
  );

/** What all steps came to. */
export function totalsOf(steps: readonly Pick<BatchStep, "results">[]): {
  readonly counts: BatchCounts;
  readonly microNeurons: number;
} {
  const counts = { allow: 0, flag: 0, block: 0, failed: {} as Record<string, number> };
  let microNeurons = 0;
  for (const { decision, failedAs, microNeurons: cost } of steps.flatMap(
    ({ results }) => results,
  )) {
    if (decision !== null) counts[decision] += 1;
    if (failedAs !== null) counts.failed[failedAs] = (counts.failed[failedAs] ?? 0) + 1;
    microNeurons += cost;
  }
  return { counts, microNeurons };
}

/** Refusals that pass, and for which an item is asked again. */
export const PASSING = ["rate_limited", "quota_reserved", "concurrency_exceeded"] as const;

/** Refusals that hold for the day, and end a batch or let it wait for the next. */
export const OF_THE_DAY = [
  "quota_exceeded",
  "overage_cap_exceeded",
  "account_quota_exceeded",
] as const;

/** Whoever asks may no longer, or nothing can be stored: all other items would be refused too. */
export const ENDING = ["invalid_key", "tenant_suspended", "role_required", "storage_full"] as const;
