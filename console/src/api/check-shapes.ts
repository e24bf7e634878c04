import type { Invariants, List } from "./shapes.ts";

// What must always be zero, over all tenants.

/** One pass over all tenants. */
export interface InvariantsPass {
  readonly state: "running" | "done";
  readonly started_at: string;
  readonly ended_at: string | null;
  readonly tenants: number;
  readonly checked: number;
  readonly holds: boolean | null;
  readonly broken: number;
  readonly unfinished: number;
  readonly unanswered: number;
  readonly data: Invariants["data"];
}

export type FoundTenant = Invariants & { readonly found: "broken" | "unfinished" | "unanswered" };

/** Tenants that did not look sound, and how far the counting is. */
export interface Checks extends List<FoundTenant> {
  readonly running: InvariantsPass | null;
  readonly latest: InvariantsPass | null;
}
