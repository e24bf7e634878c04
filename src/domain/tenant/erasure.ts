// The erasure of what is held of one person, which goes on until nothing is left to be found.

/** What is counted as erased, in the order in which it goes: what tells of another thing first. */
export const ERASED = [
  "deliveries",
  "events",
  "contents",
  "revisions",
  "verdicts",
  "idempotency_keys",
  "replies",
  "journal_lines",
  "user_pictures",
  "user_days",
  "logged_verdicts",
  "images",
] as const;
export type Erased = (typeof ERASED)[number];

export type ErasedCounts = Partial<Record<Erased, number>>;

/** A place in what is looked through: a store, and the last thing of it that was looked at. */
export interface Place {
  readonly store: Erased;
  readonly after: string;
}

export interface Erasure {
  /** `era_` and a ULID. */
  readonly id: string;
  /** HMAC of the person's id under the tenant's own secret, hex. */
  readonly person: string;
  /** Null once it is done: by then it stands nowhere. */
  readonly userId: string | null;
  /** Where the look goes on; null: it came to its end. */
  readonly place: Place | null;
  /** When to look once more: calls of the person were in progress. Null: no more. */
  readonly againAtMs: number | null;
  /** When the files that were found are to be erased; null: none are left. */
  readonly filesDueMs: number | null;
  /** Journal lines are counted too: they stay, without the person. */
  readonly counts: ErasedCounts;
  readonly createdAtMs: number;
  /** Null while it runs. */
  readonly finishedAtMs: number | null;
}

export const isDone = ({ finishedAtMs }: Erasure): boolean => finishedAtMs !== null;

/** When a running erasure looks for more. */
export const lookDueMs = ({ place, againAtMs }: Erasure, nowMs: number): number =>
  place === null ? (againAtMs ?? Infinity) : nowMs;

/** When a running erasure has anything to do. */
export const dueMs = (erasure: Erasure, nowMs: number): number =>
  Math.min(lookDueMs(erasure, nowMs), erasure.filesDueMs ?? Infinity);

export const counted = (counts: ErasedCounts, what: Erased, more: number): ErasedCounts =>
  more === 0 ? counts : { ...counts, [what]: (counts[what] ?? 0) + more };

export const added = (counts: ErasedCounts, more: ErasedCounts): ErasedCounts =>
  ERASED.reduce((sofar, what) => counted(sofar, what, more[what] ?? 0), counts);

/** What was looked through and what was found is gone: then so is the person's id. */
export function finished(erasure: Erasure, nowMs: number): Erasure {
  const { place, againAtMs, filesDueMs } = erasure;
  const isOver = place === null && againAtMs === null && filesDueMs === null;
  return isOver ? { ...erasure, userId: null, finishedAtMs: nowMs } : erasure;
}
