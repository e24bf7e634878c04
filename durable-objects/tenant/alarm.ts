import { purgeTime } from "../../src/domain/tenant/purge-time.ts";
import type { Erasure } from "../../src/domain/tenant/erasure.ts";
import type { Day } from "../../src/domain/ledger/period.ts";
import { Archiver } from "./ledger/archiver.ts";
import type { AccountClient } from "./account/account-client.ts";
import { advanceErasures, filesErased } from "./privacy/erasures.ts";
import {
  batchesWoken,
  batchFilesErased,
  type BatchParams,
  endedBatches,
  eraseBatchFiles,
  stuckBatches,
  wakeBatches,
} from "./batches/batch-recovery.ts";
import { eraseContentFiles, expiredContents, ownerOf, strayFiles } from "./verdicts/contents.ts";
import { type Dispatcher, GATHER_MS } from "../outbox/dispatcher.ts";
import { restOrLate } from "../outbox/dispatcher-options.ts";
import type { PlatformEventStore } from "../outbox/platform-event-store.ts";
import { eraseArchived } from "./privacy/erase-archived.ts";
import {
  erasePersonalFiles,
  type FilesOf,
  isInBucket,
  MOST_FILES,
  oneByOne,
} from "./privacy/erase-personal-files.ts";
import { Expiries } from "./expiries.ts";
import type { UsageFeed } from "./usage/usage-feed.ts";
import { nextDueMs, purge } from "./maintenance.ts";
import type { TenantStores } from "./stores.ts";
import type { Tx } from "./transactions.ts";
import type { Profile } from "./profile-store.ts";
import { releaseClaims } from "./verdicts/reviews.ts";

// What a tenant's alarm does: first what is one step, then what needs others (the bucket, the
// Workflow, endpoints) and is written down in steps of its own.

/**
 * While an alarm rings often, to deliver or to fold, what is past its retention is looked for so often;
 * and what could not go, because a bucket failed or a day is not folded yet.
 */
const PURGE_EVERY_MS = 3_600_000;

/** After the `Account` object did not take what it was handed. */
const HAND_OVER_RETRY_MS = 30_000;

/** After files that could not be erased. */
const FILES_RETRY_MS = 10_000;

export interface AlarmDeps {
  readonly stores: TenantStores;
  readonly dispatcher: Dispatcher;
  readonly feed: UsageFeed;
  readonly client: AccountClient;
  /** A transaction of the object as it is by then; null: it is no more. */
  readonly step: <Result>(work: (tx: Tx) => Result) => Result | null;
  /** Null: this deployment has none. */
  readonly bucket: () => R2Bucket | null;
  readonly runs: () => Workflow<BatchParams> | null;
  readonly handOver: (tenant: string, reports: PlatformEventStore) => Promise<void>;
  readonly report: (event: string, error: unknown) => void;
}

export class Alarm {
  readonly #deps: AlarmDeps;
  #purgedMs = 0;
  #handOverMs = 0;
  readonly #archiver: Archiver;
  readonly #expiries: Expiries;

  constructor(deps: AlarmDeps) {
    this.#deps = deps;
    this.#expiries = new Expiries(deps.stores, () => deps.bucket() !== null);
    this.#archiver = new Archiver(deps);
  }

  /** True when there is more to be done at once. */
  async run(profile: Profile): Promise<boolean> {
    const { dispatcher, step } = this.#deps;
    if (!profile.closed) dispatcher.wake();
    const isBusy = dispatcher.isBusy || this.#deps.feed.hasNews;
    const more = step((tx) => this.#maintain(tx, isBusy));
    const handed = this.#handOver(profile);
    const fed = this.#deps.feed.run(profile);
    if (!profile.closed) await this.#deps.client.tend();
    await this.#eraseStrays(profile);
    await this.#eraseFiles(profile);
    const expired = await this.#eraseContents(profile);
    const archiving = await this.#archiver.run(profile);
    await this.#tendBatches(profile);
    await restOrLate(dispatcher);
    await handed;
    await fed;
    this.#expiries.forget();
    return more === true || expired || archiving;
  }

  /** True when there is more to be done at once. */
  #maintain(tx: Tx, isBusy: boolean): boolean {
    const { stores, nowMs } = tx;
    stores.refusals.flush();
    stores.ledger.walk.goOn(nowMs);
    const more = [releaseClaims(tx), advanceErasures(tx), stores.ledger.walk.isRunning].includes(
      true,
    );
    if (isBusy && nowMs - this.#purgedMs < PURGE_EVERY_MS) return more;
    this.#purgedMs = nowMs;
    return [purge(tx), more].includes(true);
  }

  /** Of the erasure that is due first. */
  async #eraseFiles(profile: Profile): Promise<void> {
    const { stores, step } = this.#deps;
    const bucket = this.#deps.bucket();
    const due = stores.erasures
      .running()
      .find(({ filesDueMs }) => (filesDueMs ?? Infinity) <= Date.now());
    if (due === undefined || due.userId === null) return;
    const files = stores.erasures.listFiles(due.id, MOST_FILES);
    const inBucket = files.filter(isInBucket);
    const gone =
      bucket === null
        ? { files: inBucket, counts: [], failed: false }
        : await erasePersonalFiles(bucket, this.#filesOf(bucket, profile, due), inBucket);
    step((tx) => {
      const reported = files.filter((file) => !isInBucket(file));
      const arrived = reported.filter((file) => this.#deps.feed.hasArrived(file));
      const failed = gone.failed || arrived.length < reported.length;
      const erased = { files: [...gone.files, ...arrived], counts: gone.counts };
      filesErased(tx, due.id, erased, tx.nowMs + (failed ? FILES_RETRY_MS : 0));
    });
  }

  #filesOf(bucket: R2Bucket, { id: tenant, generation }: Profile, due: Erasure): FilesOf {
    const whose = { tenant, generation, userId: due.userId ?? "" };
    const erase = (day: Day) =>
      eraseArchived(this.#deps, bucket, { of: whose, day, erasureId: due.id });
    return { ...whose, archived: oneByOne(erase) };
  }

  /** Of calls that died between writing and settling. Without a bucket there are none. */
  async #eraseStrays(profile: Profile): Promise<void> {
    const { stores, step } = this.#deps;
    const bucket = this.#deps.bucket();
    const { ids, keys } = strayFiles(stores, profile, Date.now());
    if (ids.length === 0) return;
    const erased = await (bucket?.delete([...keys]) ?? Promise.resolve()).then(
      () => true,
      () => false,
    );
    step(({ nowMs }) => {
      for (const id of ids) {
        if (erased) stores.contentFiles.remove(id);
        else stores.contentFiles.expect(id, nowMs + FILES_RETRY_MS);
      }
    });
  }

  /** What is past its time; true when there is more. A bucket that fails is asked again tomorrow. */
  async #eraseContents(profile: Profile): Promise<boolean> {
    const { stores, step } = this.#deps;
    const bucket = this.#deps.bucket();
    const expired = expiredContents(stores, profile, Date.now());
    if (expired.length === 0) return false;
    const gone = await eraseContentFiles(bucket, ownerOf(profile), expired);
    step(() => gone.forEach((id) => stores.contents.delete(id)));
    return gone.length === expired.length;
  }

  async #tendBatches(profile: Profile): Promise<void> {
    const { stores, bucket, runs, step } = this.#deps;
    const stuck = stuckBatches(stores.batches, Date.now());
    const ended = endedBatches(stores.batches, Date.now());
    if (stuck.length + ended.length === 0) return;
    const erased = await eraseBatchFiles(bucket(), profile, ended);
    await wakeBatches(runs(), profile, stuck);
    step((tx) => {
      batchesWoken(tx, stuck);
      batchFilesErased(tx, erased);
    });
  }

  /** What the platform is to be told of. When it cannot be, it waits for a later alarm. */
  async #handOver({ id, closed }: Profile): Promise<void> {
    const { stores, handOver, report } = this.#deps;
    const { platformEvents: reports } = stores.outbox;
    if (closed || reports === null) return;
    try {
      await handOver(id, reports);
    } catch (error) {
      this.#handOverMs = Date.now() + HAND_OVER_RETRY_MS;
      report("hand_over_failed", error);
    }
  }

  /** When the alarm is needed for what is in work, or past its retention; Infinity: for nothing. */
  dueMs(profile: Profile, nowMs: number): number {
    return Math.min(nextDueMs(this.#deps.stores, nowMs), this.#purgeDueMs(profile));
  }

  /** At the tenant's own moment of the day. What could not go then is tried again later. */
  #purgeDueMs(profile: Profile): number {
    const { isGivingUp } = this.#deps.stores.outbox;
    const dueMs = isGivingUp ? 0 : this.#expiries.dueMs(profile);
    if (dueMs === Infinity) return Infinity;
    return Math.max(purgeTime(profile.id, dueMs), this.#purgedMs + PURGE_EVERY_MS);
  }

  /** When something is to be delivered, told or tried again; null: not before something happens. */
  outboxDueMs(nowMs: number): number | null {
    const { dispatcher, stores, client } = this.#deps;
    const isWaiting = stores.outbox.platformEvents?.isWaiting === true;
    const handOverMs = isWaiting ? Math.max(nowMs + GATHER_MS, this.#handOverMs) : null;
    const due = [dispatcher.nextDueMs(), handOverMs, client.dueMs(nowMs), this.#archiver.dueMs];
    const earliestMs = Math.min(...due.map((dueMs) => dueMs ?? Infinity));
    return earliestMs === Infinity ? null : earliestMs;
  }
}
