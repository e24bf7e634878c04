import { type Day, endOf, dayOf, startOf } from "../../src/domain/ledger/period.ts";
import { hashOf } from "../../src/domain/text/hash.ts";
import type { Feature, FeatureDatabase } from "../database.ts";
import type { Dispatcher } from "../outbox/dispatcher.ts";
import type { Watchers } from "../watchers.ts";
import type { AccountClient } from "./account/account-client.ts";
import type { Outside } from "./outside.ts";
import type { Erasures } from "./privacy/erasures.ts";
import type { AnyPersonalData } from "./privacy/personal-data.ts";
import type { Profile } from "./profile-store.ts";
import type { Caller } from "./protocol.ts";
import type { TenantStores } from "./stores.ts";
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
  /**
   * The rows that the work comes from. `dueMs` is not asked before their tables exist, so a feature that a
   * tenant never used costs its calls nothing. Absent: the work may be known in memory alone, or comes from
   * rows of others, and `dueMs` is asked after every commit.
   */
  readonly dueRows?: FeatureDatabase;
  /** Only `dueRows` and the settings decide `dueMs`: its answer holds until one of them changes. */
  readonly isDueByRows?: true;
  /** The alarm's work outside of transactions: with the bucket, the account, endpoints. True: as above. */
  readonly tend?: (profile: Profile) => Promise<boolean>;
  /** `tend` goes on beside that of others; the alarm waits for it at its end. */
  readonly isBeside?: true;
  /**
   * Erases what lies outside of the object and only its rows can find, such as other objects, before those
   * are erased. Can be repeated. False: something is left, and the deletion of the tenant is tried again.
   */
  readonly leave?: (profile: Profile) => Promise<boolean>;
  /** Where it holds data of a person: an export reads it, an erasure deletes it. */
  readonly personal?: readonly AnyPersonalData[];
}

/**
 * Within one kind, and only there, rows expire in the order in which they are written. So the time of the
 * oldest row holds until it is deleted, and is looked up again only where there was no row.
 */
interface Expiry {
  /** Nothing expires before their tables exist. `writes` changes whenever there may be a first row. */
  readonly rows: FeatureDatabase;
  /** Milliseconds of UTC at which the first row is to go; null: there is none. */
  readonly dueMs: (profile: Profile) => number | null;
  /** Something is to go now, whatever its age. */
  readonly isOverdue?: () => boolean;
}

export const expiry = (rows: FeatureDatabase, dueMs: Expiry["dueMs"]): Expiry => ({ rows, dueMs });

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

// When the first row of each kind is past its retention: the alarm is needed then, and not before.

class Expiries {
  readonly #all: readonly Expiry[];
  readonly #known = new Map<Expiry, { readonly writes: number; readonly dueMs: number | null }>();
  /** Of the settings for which the known times hold. */
  #version = 0;

  constructor(all: readonly Expiry[]) {
    this.#all = all;
  }

  /** Rows were deleted, or may be there that were not: all is looked up again. */
  forget(): void {
    this.#known.clear();
  }

  /** When the first of all is to go; Infinity: nothing ever will be, as things are. */
  dueMs(profile: Profile): number {
    const all = this.#all.filter(({ rows }) => rows.isThere);
    if (all.some(({ isOverdue }) => isOverdue?.() === true)) return 0;
    if (profile.version !== this.#version) this.forget();
    this.#version = profile.version;
    let firstMs = Infinity;
    for (const one of all) firstMs = Math.min(firstMs, this.#dueMs(one, profile) ?? Infinity);
    return firstMs;
  }

  #dueMs(one: Expiry, profile: Profile): number | null {
    const known = this.#known.get(one);
    const { writes } = one.rows;
    if (known !== undefined && (known.dueMs !== null || known.writes === writes)) {
      return known.dueMs;
    }
    const dueMs = one.dueMs(profile);
    this.#known.set(one, { writes, dueMs });
    return dueMs;
  }
}

/** The first millisecond at which something made then was kept for longer than that. */
export const expiresAfter = (madeMs: number | null, keptMs: number): number | null =>
  madeMs === null ? null : madeMs + keptMs + 1;

/** The end of a day, or of one that follows so many days later. */
export const endOfDay = (day: Day | null, days = 0): number | null =>
  day === null ? null : endOf(day + days);

// When work in progress needs the alarm. Every commit asks.

/** An answer that holds while the rows and the settings are the same. */
interface KnownDue {
  readonly writes: number;
  readonly version: number;
  readonly dueMs: number;
}

class WorkInProgress {
  readonly #features: readonly Capability[];
  readonly #known = new Map<Capability, KnownDue>();

  constructor(features: readonly Capability[]) {
    this.#features = features.filter(({ dueMs }) => dueMs !== undefined);
  }

  dueMs(profile: Profile, nowMs: number): number {
    let firstMs = Infinity;
    for (const feature of this.#features) {
      if (feature.dueRows?.isThere === false) continue;
      firstMs = Math.min(firstMs, this.#dueMs(feature, profile, nowMs));
    }
    return firstMs;
  }

  #dueMs(feature: Capability, profile: Profile, nowMs: number): number {
    const { dueMs = () => Infinity, dueRows, isDueByRows } = feature;
    if (isDueByRows === undefined || dueRows === undefined) return dueMs(nowMs, profile);
    const { writes } = dueRows;
    const { version } = profile;
    const known = this.#known.get(feature);
    if (known?.writes === writes && known.version === version) return known.dueMs;
    const made = { writes, version, dueMs: dueMs(nowMs, profile) };
    this.#known.set(feature, made);
    return made.dueMs;
  }
}

// What a tenant's alarm does, and when it is needed: for each of its features in turn, first in one
// transaction, then with what lies outside of the object.

/**
 * While an alarm rings often, to deliver or to fold, rows past their retention are looked for so often;
 * and those that could not go, because a bucket failed or a day is not folded yet.
 */
const PURGE_EVERY_MS = 3_600_000;

export class Alarm {
  readonly #features: readonly Capability[];
  readonly #transact: Transact;
  readonly #expiries: Expiries;
  readonly #work: WorkInProgress;
  #purgedMs = 0;

  constructor(features: readonly Capability[], transact: Transact) {
    this.#features = features;
    this.#transact = transact;
    this.#expiries = new Expiries(features.flatMap(({ expiries }) => expiries ?? []));
    this.#work = new WorkInProgress(features);
  }

  /** True when there is more to be done at once. */
  async run(profile: Profile): Promise<boolean> {
    const features = this.#features;
    const isBusy = features.map(({ begin }) => begin?.(profile)).includes(true);
    const more = [this.#transact((tx) => this.#maintain(tx, isBusy))];
    const beside = features.flatMap(({ isBeside, tend }) =>
      isBeside === true && tend !== undefined ? [tend(profile)] : [],
    );
    for (const { isBeside, tend } of features) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other, in their order
      if (isBeside !== true && tend !== undefined) more.push(await tend(profile));
    }
    more.push(...(await Promise.all(beside)));
    this.#expiries.forget();
    return more.includes(true);
  }

  /** True when there is more to be done at once. */
  #maintain(tx: Tx, isBusy: boolean): boolean {
    const more = this.#features.map(({ maintain }) => maintain?.(tx)).includes(true);
    if (isBusy && tx.nowMs - this.#purgedMs < PURGE_EVERY_MS) return more;
    this.#purgedMs = tx.nowMs;
    let isMore = false;
    for (const { purge } of this.#features) {
      if (purge?.(tx, isMore) === true) isMore = true;
    }
    return more || isMore;
  }

  /** When the alarm is needed next, in milliseconds; Infinity: for nothing, as things are. */
  dueMs(profile: Profile, nowMs: number): number {
    return Math.min(this.#purgeDueMs(profile), this.#work.dueMs(profile, nowMs));
  }

  /** At the tenant's own moment of the day. Rows that could not go then are tried again later. */
  #purgeDueMs(profile: Profile): number {
    const dueMs = this.#expiries.dueMs(profile);
    if (dueMs === Infinity) return Infinity;
    return Math.max(purgeTime(profile.id, dueMs), this.#purgedMs + PURGE_EVERY_MS);
  }
}

// When a tenant's object wakes to delete data after its retention: at most once a day, and only on days with
// something to delete. Not all tenants wake at midnight: each has its own moment in the hour after it.

const HOUR_MS = 3_600_000;

/** Milliseconds into the hour, by a hash of the tenant's id. */
export const momentOf = (id: string): number => hashOf(id) % HOUR_MS;

/** The tenant's first moment at or after `dueMs`. */
export function purgeTime(id: string, dueMs: number): number {
  const moment = momentOf(id);
  const day: Day = dayOf(dueMs - moment - 1) + 1;
  return startOf(day) + moment;
}
