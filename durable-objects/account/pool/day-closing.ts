import {
  type AccountNews,
  closureOf,
  learnClosure,
  probe,
} from "../../../src/domain/account/account-closure.ts";
import { dayOf, formatDay } from "../../../src/domain/ledger/period.ts";
import type { PoolCache } from "./pool-cache.ts";
import type { PoolNotices } from "./pool-notices.ts";

/** What the platform's endpoints are told of the account. */
export interface PoolEvent {
  readonly type: "account.threshold" | "account.closed";
  readonly data: Readonly<Record<string, unknown>>;
}

export type RecordPoolEvent = (event: PoolEvent, nowMs: number) => void;

/** The day's allocation of the Cloudflare account is gone, or it is there again: as tenants tell it. */
export class DayClosing {
  readonly #cache: PoolCache;
  readonly #notices: PoolNotices;
  readonly #tell: RecordPoolEvent;

  constructor(cache: PoolCache, notices: PoolNotices, tell: RecordPoolEvent) {
    this.#cache = cache;
    this.#notices = notices;
    this.#tell = tell;
  }

  /** A day is closed once, however many calls hear of it: later ones put off the next probe at most. */
  hear(tenant: string, news: AccountNews, nowMs: number): void {
    const before = this.#cache.state;
    const { closure, liftedAtMs } = learnClosure(before, news, nowMs);
    if (closure === before.closure) return;
    const heard = { closure, liftedAtMs };
    if (closure === null) return this.#notices.publish(heard, true);
    if (closure.day === before.closure?.day) return this.#cache.write(heard);
    this.#notices.publish(heard, false);
    const data = { object: "account_closure", tenant, day: formatDay(closure.day) };
    this.#tell({ type: "account.closed", data }, nowMs);
  }

  /** One call for all tenants together. */
  probe(nowMs: number): boolean {
    const { closure } = this.#cache.state;
    if (closure === null || closure.day !== dayOf(nowMs)) return false;
    const probed = probe(closure, nowMs);
    if (probed.allowed) this.#cache.write({ closure: probed.closure });
    return probed.allowed;
  }

  /** The platform says that it is there again. */
  lift(nowMs: number): void {
    const lifted = { closure: null, liftedAtMs: nowMs };
    // Nobody has to hear that an open day is open.
    if (closureOf(this.#cache.state, dayOf(nowMs)) === null) this.#cache.write(lifted);
    else this.#notices.publish(lifted, true);
  }
}
