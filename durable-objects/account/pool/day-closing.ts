import {
  type AccountNews,
  closureOf,
  learnClosure,
  probe,
} from "../../../src/domain/account/account-budget.ts";
import { dayOf, formatDay } from "../../../src/domain/ledger/period.ts";
import type { PoolCache } from "./pool-cache.ts";
import type { PoolNotices } from "./pool-notices.ts";

/** An event of the account, for the platform's endpoints. */
export interface PoolEvent {
  readonly type: "account.threshold" | "account.closed";
  readonly data: Readonly<Record<string, unknown>>;
}

export type RecordPoolEvent = (event: PoolEvent, nowMs: number) => void;

/** The day's allocation of the Cloudflare account is gone, or it is there again, as tenants report it. */
export class DayClosing {
  readonly #cache: PoolCache;
  readonly #notices: PoolNotices;
  readonly #record: RecordPoolEvent;

  constructor(cache: PoolCache, notices: PoolNotices, record: RecordPoolEvent) {
    this.#cache = cache;
    this.#notices = notices;
    this.#record = record;
  }

  /** A day is closed once: news of later calls at most puts off the next probe. */
  learn(tenant: string, news: AccountNews, nowMs: number): void {
    const before = this.#cache.state;
    const { closure, liftedAtMs } = learnClosure(before, news, nowMs);
    if (closure === before.closure) return;
    const next = { closure, liftedAtMs };
    if (closure === null) return this.#notices.publish(next, true);
    if (closure.day === before.closure?.day) return this.#cache.write(next);
    this.#notices.publish(next, false);
    const data = { object: "account_closure", tenant, day: formatDay(closure.day) };
    this.#record({ type: "account.closed", data }, nowMs);
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
    // An open day needs no notice that it is open.
    if (closureOf(this.#cache.state, dayOf(nowMs)) === null) this.#cache.write(lifted);
    else this.#notices.publish(lifted, true);
  }
}
