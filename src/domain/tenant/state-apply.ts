import type { Warning } from "../account/account-warnings.ts";
import type { PromiseSums } from "../account/account-terms.ts";
import type { ConflictFailure } from "../ledger/failure.ts";
import type { Action, FieldChange } from "./state-plan.ts";
import type { MoneyWarning } from "./tenant-warnings.ts";

// A document of any size that is applied in parts. Parts are only stored; when all are there, one plan
// is made over the whole, and then carried out, tenant by tenant.

/** Parts of a document: with 500 tenants each, 100,000 tenants. */
export const MOST_PARTS = 200;

/** Applies that wait for parts or for their end: each may hold 200 MB. */
export const MOST_OPEN = 4;

/** Applies that have ended and are still told of. */
export const MOST_ENDED = 16;

/** How long an id lives. */
export const APPLY_LIFE_MS = 86_400_000;

/** How long an apply is told of after its end, at least. */
export const TOLD_MS = 3_600_000;

/** How often a tenant, or the log, is asked that does not answer. */
export const MOST_TRIES = 6;

export type ApplyState =
  /** Parts are missing. */
  | "collecting"
  /** All parts are there: what is to be done is being found out, once no earlier apply runs any more. */
  | "planning"
  /** The plan is carried out. */
  | "applying"
  /** The end of a dry run. */
  | "planned"
  /** Everything was tried; `counts.failed` says what did not succeed. */
  | "done"
  /** Somebody stopped it: what was done stays done. */
  | "cancelled"
  /** Its day was over before it was. */
  | "expired";

export const isOpen = (state: ApplyState): boolean =>
  state === "collecting" || state === "planning" || state === "applying";

export interface ApplyCounts {
  readonly create: number;
  readonly update: number;
  readonly unchanged: number;
  readonly suspend: number;
  /** Tenants that are as the plan says. */
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
  /** Names it in the rows: an id may be used again once its first apply is forgotten. */
  readonly number: number;
  readonly id: string;
  readonly state: ApplyState;
  readonly parts: number;
  readonly prune: boolean;
  readonly dryRun: boolean;
  readonly storedParts: number;
  /** Tenants that the parts name. */
  readonly named: number;
  /** Tenants that they do not name, found so far: to be suspended. */
  readonly others: number;
  /** The last tenant that was looked at for `others`; null: all were, or none is to be. */
  readonly prunedTo: string | null;
  readonly counts: ApplyCounts;
  /** What the plan adds to what all tenants are promised. */
  readonly change: PromiseSums;
  /** What the account's promises come to with all of the plan. */
  readonly warnings: readonly Warning[];
  /** Who sent the part that completed it, and with which request. */
  readonly actor: string;
  readonly requestId: string;
  readonly begunAtMs: number;
  readonly startedAtMs: number | null;
  readonly endedAtMs: number | null;
  readonly expiresAtMs: number;
  /** Not before then it goes on. */
  readonly dueAtMs: number;
}

/** Where a tenant of an apply is. */
export type Stage =
  /** Not planned yet. */
  | "stored"
  /** It is as it should be. */
  | "unchanged"
  | "planned"
  /** Its change has begun, and may have been made. */
  | "acting"
  | "done"
  | "failed";

/** What is known of one tenant of an apply. */
export interface ApplyTenant {
  readonly tenant: string;
  /** The part that names it; 0: none does, and it is to be suspended. */
  readonly part: number;
  readonly stage: Stage;
  readonly action: Action | null;
  readonly changes: readonly FieldChange[];
  /** The version that the plan was made from; null: there was no tenant. */
  readonly version: number | null;
  /** Of its own settings. */
  readonly warnings: readonly MoneyWarning[];
  readonly failure: string | null;
}

/** A part as it is sent. */
export interface SentPart {
  readonly id: string;
  readonly part: number;
  readonly parts: number;
  readonly prune: boolean;
  readonly dryRun: boolean;
  /** Of what it says: the same for the same settings, however they are written. */
  readonly digest: string;
}

export type PartPlace =
  | { readonly kind: "new" }
  /** It is stored already. */
  | { readonly kind: "repeated" }
  | ApplyConflict;

export type ApplyConflict = Extract<ConflictFailure, { kind: "apply_conflict" }>;

const conflict = (detail: string): ApplyConflict => ({ kind: "apply_conflict", detail });

/**
 * What is to be done about a part.
 *
 * @param apply that of its id; null: this would be the first part
 * @param stored the digest of what is stored as this part; null: nothing is
 * @param open how many applies are open
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
    return conflict(`This apply was begun with ${apply.parts} parts.`);
  }
  if (apply.prune !== sent.prune || apply.dryRun !== sent.dryRun) {
    const is = apply.prune === sent.prune ? "dry_run" : "prune";
    return conflict(`All parts of an apply have the same ${is}: it was begun with another.`);
  }
  if (stored === sent.digest) return { kind: "repeated" };
  if (stored !== null) {
    return conflict(
      `Part ${sent.part} is stored with other content: begin an apply of another id.`,
    );
  }
  if (apply.state !== "collecting") return conflict(`This apply is over: it is ${apply.state}.`);
  return { kind: "new" };
}

/** When a tenant that does not answer is asked again: 1, 2, 4, … s later. @param tries so far */
export const againAfterMs = (tries: number): number => 1000 * 2 ** Math.max(0, tries - 1);
