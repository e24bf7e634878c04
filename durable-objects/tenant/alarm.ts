import { purgeTime } from "../../src/domain/tenant/purge-time.ts";
import { Expiries } from "./expiries.ts";
import type { Capability } from "./feature.ts";
import type { Profile } from "./profile-store.ts";
import type { Transact, Tx } from "./transactions.ts";

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
  #purgedMs = 0;

  constructor(features: readonly Capability[], transact: Transact) {
    this.#features = features;
    this.#transact = transact;
    this.#expiries = new Expiries(features.flatMap(({ expiries }) => expiries ?? []));
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
    let firstMs = this.#purgeDueMs(profile);
    for (const { dueMs } of this.#features) {
      if (dueMs !== undefined) firstMs = Math.min(firstMs, dueMs(nowMs, profile));
    }
    return firstMs;
  }

  /** At the tenant's own moment of the day. Rows that could not go then are tried again later. */
  #purgeDueMs(profile: Profile): number {
    const dueMs = this.#expiries.dueMs(profile);
    if (dueMs === Infinity) return Infinity;
    return Math.max(purgeTime(profile.id, dueMs), this.#purgedMs + PURGE_EVERY_MS);
  }
}
