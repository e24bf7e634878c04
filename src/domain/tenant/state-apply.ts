import type { Warning } from "../account/account-warnings.ts";
import type { PromiseSums } from "../account/account-terms.ts";
import type { ConflictFailure } from "../ledger/failure.ts";
import type { Action, FieldChange } from "./state-plan.ts";
import type { MoneyWarning } from "./tenant-warnings.ts";

// An apply: a document of any size, sent in parts. The parts are only stored; when all are there, one plan is
// made for the whole document and then carried out, tenant by tenant.

/** Parts of a document: with 500 tenants each, 100,000 tenants. */
export const MOST_PARTS = 200;

/** Open applies, which wait for parts or are being carried out: each may store 200 MB. */
export const MOST_OPEN = 4;

/** Ended applies that can still be read. */
export const MOST_ENDED = 16;

/** How long an id is valid. */
export const APPLY_LIFE_MS = 86_400_000;

/** The least time for which an apply can be read after its end. */
export const RESULT_KEPT_MS = 3_600_000;

/** How often a tenant, or the log, is called if it does not answer. */
export const MOST_TRIES = 6;

export type ApplyState =
  /** Parts are missing. */
  | "collecting"
  /** All parts are there: the plan is being made, after earlier applies have ended. */
  | "planning"
  /** The plan is being carried out. */
  | "applying"
  /** The end of a dry run. */
  | "planned"
  /** Everything was tried; `counts.failed` counts what did not succeed. */
  | "done"
  /** It was stopped: finished changes stay. */
  | "cancelled"
  /** Its time ran out before it ended. */
  | "expired";

export const isOpen = (state: ApplyState): boolean =>
  state === "collecting" || state === "planning" || state === "applying";

export interface ApplyCounts {
  readonly create: number;
  readonly update: number;
  readonly unchanged: number;
  readonly suspend: number;
  /** Tenants that now match the plan. */
  readonly done: number;
  readonly failed: number;
}

export const NO_COUNTS: ApplyCounts = {
  create: 0,
  update: 0,
  unchanged: 0,
  suspend: 0,
  done: 0,
  failed: 0,
};

/** One apply, without its tenants. */
export interface StateApply {
  /** Its name in the rows: an id may be used again after its first apply was deleted. */
  readonly number: number;
  readonly id: string;
  readonly state: ApplyState;
  readonly parts: number;
  readonly prune: boolean;
  readonly dryRun: boolean;
  readonly storedParts: number;
  /** Tenants that the parts name. */
  readonly named: number;
  /** Tenants that the parts do not name, found so far: they are to be suspended. */
  readonly others: number;
  /** The last tenant that was checked for `others`; null: all were, or none need to be. */
  readonly prunedTo: string | null;
  readonly counts: ApplyCounts;
  /** What the plan adds to the promises of all tenants. */
  readonly change: PromiseSums;
  /** Warnings about the account's promises with the whole plan carried out. */
  readonly warnings: readonly Warning[];
  /** The sender of the part that completed it; `requestId` is that request. */
  readonly actor: string;
  readonly requestId: string;
  readonly begunAtMs: number;
  readonly startedAtMs: number | null;
  readonly endedAtMs: number | null;
  readonly expiresAtMs: number;
  /** It does not continue before this time. */
  readonly dueAtMs: number;
}

/** The progress of one tenant of an apply. */
export type Stage =
  /** Not planned yet. */
  | "stored"
  /** The tenant already matches. */
  | "unchanged"
  | "planned"
  /** Its change was begun, and may have been made. */
  | "acting"
  | "done"
  | "failed";

/** The state of one tenant of an apply. */
export interface ApplyTenant {
  readonly tenant: string;
  /** The part that names it; 0: none does, and it is to be suspended. */
  readonly part: number;
  readonly stage: Stage;
  readonly action: Action | null;
  readonly changes: readonly FieldChange[];
  /** The version that the plan was made from; null: the tenant did not exist. */
  readonly version: number | null;
  /** Warnings about its own settings. */
  readonly warnings: readonly MoneyWarning[];
  readonly failure: string | null;
}

/** A part as it was sent. */
export interface SentPart {
  readonly id: string;
  readonly part: number;
  readonly parts: number;
  readonly prune: boolean;
  readonly dryRun: boolean;
  /** A digest of its content: equal for equal settings, in any notation. */
  readonly digest: string;
}

export type PartPlace =
  | { readonly kind: "new" }
  /** The same part is already stored. */
  | { readonly kind: "repeated" }
  | ApplyConflict;

export type ApplyConflict = Extract<ConflictFailure, { kind: "apply_conflict" }>;

const conflict = (detail: string): ApplyConflict => ({ kind: "apply_conflict", detail });

/**
 * Whether a part is stored, ignored or refused.
 *
 * @param apply the apply with its id; null: this would be the first part
 * @param stored the digest of what is stored as this part; null: nothing is
 * @param open the number of open applies
 */
export function placePart(
  sent: SentPart,
  { apply, stored, open }: { apply: StateApply | null; stored: string | null; open: number },
): PartPlace {
  if (apply === null) {
    if (open < MOST_OPEN) return { kind: "new" };
    return conflict(
      `${MOST_OPEN} applies are open: wait until one has ended, or stop one with DELETE.`,
    );
  }
  if (apply.parts !== sent.parts) {
    return conflict(`This apply was begun with ${apply.parts} parts, not ${sent.parts}.`);
  }
  if (apply.prune !== sent.prune || apply.dryRun !== sent.dryRun) {
    const field = apply.prune === sent.prune ? "dry_run" : "prune";
    return conflict(`All parts of an apply must have the same ${field}: this one differs.`);
  }
  if (stored === sent.digest) return { kind: "repeated" };
  if (stored !== null) {
    return conflict(
      `Part ${sent.part} is stored with other content: begin an apply with another id.`,
    );
  }
  if (apply.state !== "collecting")
    return conflict(`This apply takes no more parts: it is ${apply.state}.`);
  return { kind: "new" };
}

/**
 * The wait before a tenant that did not answer is called again: 1, 2, 4, … s.
 *
 * @param tries the calls so far
 */
export const againAfterMs = (tries: number): number => 1000 * 2 ** Math.max(0, tries - 1);

/** An apply with what is asked of it besides. */
export interface ApplyView {
  readonly apply: StateApply;
  /** Numbers of parts that are not there. */
  readonly missing: readonly number[];
  readonly failures: readonly Pick<ApplyTenant, "tenant" | "failure">[];
}
