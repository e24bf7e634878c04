// The erasure of one person's data, which continues until nothing more is found.

/** The kinds that are counted as erased, in the order of erasure: records that refer to others go first. */
export const ERASED = [
  "deliveries",
  "events",
  "contents",
  "revisions",
  "verdicts",
  "responses",
  "vectors",
  "documents",
  "idempotency_keys",
  "replies",
  "journal_lines",
  "user_pictures",
  "sessions",
  "user_days",
  "logged_verdicts",
  "images",
] as const;
export type Erased = (typeof ERASED)[number];

export type ErasedCounts = Partial<Record<Erased, number>>;

/** A position in the search: a store, and the last record of it that was searched. */
export interface Place {
  readonly store: Erased;
  readonly after: string;
}

export interface Erasure {
  /** `era_` and a ULID. */
  readonly id: string;
  /** HMAC of the person's id under the tenant's own secret, hex. */
  readonly person: string;
  /** Null when it is done: then the id is stored nowhere. */
  readonly userId: string | null;
  /** Where the search continues; null: it has ended. */
  readonly place: Place | null;
  /** When to search again, because calls of the person were in progress; null: not again. */
  readonly againAtMs: number | null;
  /** When to erase the files that were found; null: none are left. */
  readonly filesDueMs: number | null;
  /** Journal lines are counted too: they stay, without the person. */
  readonly counts: ErasedCounts;
  readonly createdAtMs: number;
  /** Null while it runs. */
  readonly finishedAtMs: number | null;
}

export const isDone = ({ finishedAtMs }: Erasure): boolean => finishedAtMs !== null;

/** When a running erasure searches on. */
export const lookDueMs = ({ place, againAtMs }: Erasure, nowMs: number): number =>
  place === null ? (againAtMs ?? Infinity) : nowMs;

/** When a running erasure has work to do. */
export const dueMs = (erasure: Erasure, nowMs: number): number =>
  Math.min(lookDueMs(erasure, nowMs), erasure.filesDueMs ?? Infinity);

export const counted = (counts: ErasedCounts, what: Erased, more: number): ErasedCounts =>
  more === 0 ? counts : { ...counts, [what]: (counts[what] ?? 0) + more };

export const added = (counts: ErasedCounts, more: ErasedCounts): ErasedCounts =>
  ERASED.reduce((sofar, what) => counted(sofar, what, more[what] ?? 0), counts);

/**
 * Ends an erasure when the search is over and everything found is gone; then the person's id is removed too.
 */
export function finished(erasure: Erasure, nowMs: number): Erasure {
  const { place, againAtMs, filesDueMs } = erasure;
  const isOver = place === null && againAtMs === null && filesDueMs === null;
  return isOver ? { ...erasure, userId: null, finishedAtMs: nowMs } : erasure;
}
