import type { CheckCount, CheckSums, FoundKind } from "./tenant-check.ts";

export interface CheckPass {
  readonly pass: number;
  readonly startedAtMs: number;
  /** Null: it runs. */
  readonly endedAtMs: number | null;
  /** How many there were when it began. */
  readonly tenants: number;
  /** The last that was checked, by id. */
  readonly afterTenant: string;
  /** Each was checked once; some may be checked again. */
  readonly isWalked: boolean;
  readonly dueAtMs: number;
  readonly sums: CheckSums;
}

/** A tenant that did not look sound when it was checked last. */
export interface CheckFinding {
  readonly tenant: string;
  readonly pass: number;
  readonly kind: FoundKind;
  /** How often this pass checked it. */
  readonly tries: number;
  /** When the pass checks it once more; null: it does not. */
  readonly againAtMs: number | null;
  readonly atMs: number;
  readonly checkedToMs: number | null;
  /** Empty: it did not answer. */
  readonly counts: readonly CheckCount[];
}

export interface CheckStatus {
  readonly running: CheckPass | null;
  /** The latest that came to its end. */
  readonly latest: CheckPass | null;
}
