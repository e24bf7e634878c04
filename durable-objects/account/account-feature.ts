import type { Database } from "../database.ts";
import type { CallLimits } from "./call-each.ts";

/**
 * What the account's object does for one purpose. The object goes through its features in one order
 * (`account-node.ts`); each says what the alarm has to do for it, and when.
 */
export interface AccountFeature {
  readonly name: string;
  /** A transaction was rolled back: what it left in memory is not so. */
  forget?(): void;
  /** Inside a transaction of each alarm: deletes what is past its retention. */
  purge?(nowMs: number): void;
  /** Inside a transaction. When the alarm has something to do; null: not before something happens. */
  dueMs?(nowMs: number): number | null;
  /** What the alarm does. It ends within a minute, even if others hang. */
  tend?(): Promise<void>;
}

/** What a feature may use of its object. */
export interface AccountContext {
  readonly db: Database;
  readonly wallMs: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  /** One transaction, at the object's time. */
  readonly transact: <Result>(work: (nowMs: number) => Result) => Result;
  /** A transaction after which something may be due sooner: the alarm is set anew. */
  readonly change: <Result>(work: (nowMs: number) => Result) => Promise<Result>;
  /** Sets the alarm for what is due next. */
  readonly arm: () => Promise<void>;
  /** The same, unless the alarm rings by then anyway; null: nothing is due. */
  readonly armBy: (dueMs: number | null) => Promise<void>;
  /** The alarm rings then, whatever else is due: for work that a crash may cut short. */
  readonly wakeAt: (atMs: number) => Promise<void>;
  /** Logs the name of what failed. */
  readonly report: (event: string, error: unknown) => void;
}

/** When unfinished work is taken up again. */
export const RESUME_AFTER_MS = 10_000;

/** Unfinished deletions, sweeps and ended reports in one alarm: so many of each. */
export const MOST_AT_ONCE = 50;

/** Rows of a table that one alarm deletes; the next one goes on. */
export const MOST_PURGED = 500;

/** For each of these: an alarm comes to its end within a minute, even if some hang. */
export const ALARM_LIMITS: CallLimits = { atOnce: 8, eachMs: 20_000, allMs: 20_000 };
