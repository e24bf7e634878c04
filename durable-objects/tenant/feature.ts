import type { Feature, FeatureDatabase } from "../staged-database.ts";
import type { Dispatcher } from "../outbox/dispatcher.ts";
import type { AccountClient } from "./account/account-client.ts";
import type { Outside } from "./outside.ts";
import type { Erasures } from "./privacy/erasures.ts";
import type { AnyPersonalData } from "./privacy/personal-data.ts";
import type { Profile } from "./profile-store.ts";
import type { TenantStores } from "./stores.ts";
import type { Caller } from "./protocol.ts";
import type { Watchers } from "../watchers.ts";
import type { AccessRefusal, Transact, Tx } from "./transactions.ts";
import type { UsageFeed } from "./usage/usage-feed.ts";

// What a feature of a tenant is to its object. A feature is one value, in its own folder; `features.ts`
// lists them all, and the object knows nothing else of them.

export interface TenantFeature {
  readonly name: string;
  /** Each is made with its first row, and migrated when the object starts. */
  readonly tables?: readonly Feature[];
  /** Made once an object. Absent: the feature has operations and tables, and needs nothing else. */
  readonly capability?: (context: TenantContext) => Capability;
}

/** What a feature does beside its operations. Each part is optional. */
export interface Capability {
  /** Drops what memory has read: a transaction was rolled back. */
  readonly forget?: () => void;
  /**
   * Comes first in an alarm, and begins what goes on beside the rest of it.
   *
   * @returns true while much is going on: the purge can wait
   */
  readonly begin?: (profile: Profile) => boolean;
  /** Its share of the alarm's one transaction. True: there is more to be done at once. */
  readonly maintain?: (tx: Tx) => boolean;
  /**
   * Deletes what is past its retention, `PURGE_ROWS` at a time. True: there is more.
   *
   * @param isMore a feature before this one has more to delete
   */
  readonly purge?: (tx: Tx, isMore: boolean) => boolean;
  /** When the first row of each kind is past its retention. */
  readonly expiries?: readonly Expiry[];
  /** When the alarm is needed for work in progress, in milliseconds; Infinity: for nothing. */
  readonly dueMs?: (nowMs: number, profile: Profile) => number;
  /** The alarm's work outside of transactions: with the bucket, the account, endpoints. True: as above. */
  readonly tend?: (profile: Profile) => Promise<boolean>;
  /** `tend` goes on beside that of others; the alarm waits for it at its end. */
  readonly isBeside?: true;
  /** Where it holds data of a person: an export reads it, an erasure deletes it. */
  readonly personal?: readonly AnyPersonalData[];
}

/**
 * Within one kind, and only there, rows expire in the order in which they are written. So the time of the
 * oldest row holds until it is deleted, and is looked up again only where there was no row.
 */
export interface Expiry {
  /** Another number whenever there may be a first row. */
  readonly writes: () => number;
  /** Milliseconds of UTC at which the first row is to go; null: there is none. */
  readonly dueMs: (profile: Profile) => number | null;
  /** Something is to go now, whatever its age. */
  readonly isOverdue?: () => boolean;
}

export const expiry = (rows: FeatureDatabase, dueMs: Expiry["dueMs"]): Expiry => ({
  writes: () => rows.writes,
  dueMs,
});

/** Rows of each table deleted in one alarm: the transaction stays short, the next follows at once. */
export const PURGE_ROWS = 500;

/** What the object gives its features and their operations. */
export interface TenantContext {
  readonly stores: TenantStores;
  readonly outside: Outside;
  readonly dispatcher: Dispatcher;
  readonly feed: UsageFeed;
  readonly client: AccountClient;
  readonly erasures: Erasures;
  readonly watchers: Watchers;
  /** The wall clock: outside of transactions. */
  readonly wallMs: () => number;
  /** Null: never configured, or erased. */
  readonly profile: () => Profile | null;
  readonly transact: Transact;
  /** As `transact`, and null too while the tenant is being deleted. */
  readonly transactIfOpen: Transact;
  /** @throws when the tenant is no more */
  readonly transactOrThrow: <Result>(work: (tx: Tx) => Result) => Result;
  /** A transaction for a caller, whose key and role are checked in it. */
  readonly ask: <Result>(caller: Caller, work: (tx: Tx) => Result) => Result | AccessRefusal;
  /** As `ask`, and sets the alarm: something is to be delivered, or to be gone on with. */
  readonly write: <Result>(
    caller: Caller,
    work: (tx: Tx) => Result,
  ) => Promise<Result | AccessRefusal>;
  /** As `write`, with the alarm set in the same turn: both are durable, or neither is. */
  readonly writeAtOnce: <Result>(
    caller: Caller,
    work: (tx: Tx) => Result,
  ) => Promise<Result | AccessRefusal>;
  /** A transaction for one generation of the tenant; `none`: it is over. */
  readonly ofGeneration: <Result>(
    generation: number,
    none: Result,
    work: (tx: Tx) => Result,
  ) => Result;
  /** As `ofGeneration`, and sets the alarm. */
  readonly writeOfGeneration: <Result>(
    generation: number,
    none: Result,
    work: (tx: Tx) => Result,
  ) => Promise<Result>;
  /** Sets the alarm for the earliest thing that is due. */
  readonly arm: () => Promise<void>;
}
