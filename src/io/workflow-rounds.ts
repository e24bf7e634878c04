import type { WorkflowStep, WorkflowStepConfig } from "cloudflare:workers";

// A piece of work as steps of a Workflow: a step for each round of it, and a sleep between two rounds.

const SHORTEST_WAIT_MS = 250;

/** A Workflow may sleep, but may not have endless steps. */
const LONGEST_WAIT_MS = 24 * 3_600_000;

export interface Rounds {
  /** The Workflow knows by it which rounds were done before it was killed. */
  readonly name: string;
  /** Of each round. */
  readonly step: WorkflowStepConfig;
  /** How often the shortest wait doubles, once after each round. */
  readonly doublings: number;
}

/** What follows a round. */
type Next =
  /** The next piece of work. */
  | { readonly kind: "next" }
  /** Another round, in so many milliseconds. */
  | { readonly kind: "wait"; readonly ms: number }
  /** Nothing more. */
  | { readonly kind: "over" | "ended" };

/**
 * Repeats the work until it does not have to wait.
 *
 * @param round a round that was cut short runs again
 * @returns whether another piece of work follows
 */
export async function inRounds(
  workflow: WorkflowStep,
  { name, step, doublings }: Rounds,
  round: () => Promise<Next>,
): Promise<boolean> {
  for (let count = 0; ; count += 1) {
    // oxlint-disable-next-line no-await-in-loop -- one round after the other
    const next = await workflow.do(`${name}, round ${count}`, step, round);
    if (next.kind !== "wait") return next.kind === "next";
    const leastMs = SHORTEST_WAIT_MS * 2 ** Math.min(count, doublings);
    const waitMs = Math.min(Math.max(next.ms, leastMs), LONGEST_WAIT_MS);
    // oxlint-disable-next-line no-await-in-loop -- as above
    await workflow.sleep(`${name}, wait ${count}`, waitMs);
  }
}
