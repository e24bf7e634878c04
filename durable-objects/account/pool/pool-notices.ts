import type { Day } from "../../../src/domain/ledger/period.ts";
import { MOST_PURGED } from "../account-feature.ts";
import type { AccountMessage, AccountView } from "../account-protocol.ts";
import type { DeniedStore, DeniedTenant } from "./denied-store.ts";
import type { PoolCache } from "./pool-cache.ts";
import type { PoolState } from "./pool-store.ts";

/** Tenants that one alarm notifies. */
const MOST_NOTIFIED = 50;

/** A tenant that could not be reached is notified again after that. */
const NOTIFY_AGAIN_MS = 10_000;

/** Why a tenant refuses calls by itself after an answer. */
export interface Denial {
  /** Its lease was refused. */
  readonly isRefused: boolean;
  /** The day is closed. */
  readonly isClosed: boolean;
}

/**
 * The tenants that must learn when calls are possible again. A tenant learns everything else from the next
 * answer that it gets: no call uses an engine without permits, and these are valid for six seconds at most.
 * But a tenant that was refused, or knows of a closed day, asks for nothing for a while. The account keeps
 * these tenants in a table and notifies them after a notice that gives relief, a few in each alarm.
 */
export class PoolNotices {
  readonly #cache: PoolCache;
  readonly #denied: DeniedStore;
  /** The next alarm goes on after this tenant, by name. */
  #after = "";
  /** Whether a tenant may have to be notified; null: not looked up. */
  #isNotifying: boolean | null = null;
  #againAtMs = 0;
  #cleanedDay: Day | null = null;

  constructor(cache: PoolCache, denied: DeniedStore) {
    this.#cache = cache;
    this.#denied = denied;
  }

  /**
   * A change that tenants learn from the next answer that they get.
   *
   * @param isRelief calls may be possible that were denied before: tenants that were denied some must be
   *   notified
   */
  publish(change: Partial<Pick<PoolState, "closure" | "liftedAtMs">>, isRelief: boolean): void {
    const notice = this.#cache.state.notice + 1;
    this.#cache.write({ ...change, notice, ...(isRelief && { relief: notice }) });
    if (!isRelief) return;
    this.#after = "";
    this.#isNotifying = true;
    this.#againAtMs = 0;
  }

  /**
   * Notes what a tenant was answered. The same answer twice costs no row. The answer may be lost: the
   * tenant's next message says which notice it knows.
   */
  note({ tenant, notice: known }: AccountMessage, denial: Denial, day: Day): void {
    const { notice, relief } = this.#cache.state;
    const { isRefused, isClosed } = denial;
    if (!isRefused && !isClosed) {
      if (this.#isWorking(day)) this.confirm(tenant, { notice: known, closure: null });
      return;
    }
    const before = this.#denied.read(tenant);
    const isOwed = before !== null && before.day === day && known < relief;
    const row = { tenant, day, notice: isOwed ? before.notice : notice, isClosed };
    if (before === null || !isSame(before, row)) this.#denied.write(row);
  }

  /** The next tenants to be notified, at most 50. */
  next(day: Day, nowMs: number): readonly string[] {
    if (!this.#isWorking(day)) return [];
    const denied = this.#denied.list(
      { day, before: this.#cache.state.relief, after: this.#after },
      MOST_NOTIFIED,
    );
    const isLast = denied.length < MOST_NOTIFIED;
    this.#after = isLast ? "" : (denied.at(-1)?.tenant ?? "");
    if (isLast) {
      this.#isNotifying = null;
      this.#againAtMs = nowMs + NOTIFY_AGAIN_MS;
    }
    const known = denied.filter(({ tenant, isClosed }) => isClosed || this.#isRefused(tenant, day));
    for (const { tenant } of denied) {
      if (!known.some((one) => one.tenant === tenant)) this.#denied.remove(tenant);
    }
    return known.map(({ tenant }) => tenant);
  }

  /** There is no such tenant any more. */
  forget(tenant: string): void {
    this.#denied.remove(tenant);
  }

  /** A tenant knows this notice. It may have been denied something after it, or still be denied. */
  confirm(tenant: string, { notice, closure }: Pick<AccountView, "notice" | "closure">): void {
    const denied = this.#denied.read(tenant);
    if (denied === null || denied.notice >= notice) return;
    if (closure?.day === denied.day) this.#denied.write({ ...denied, notice, isClosed: true });
    else this.#denied.remove(tenant);
  }

  /** How many are still to be notified. */
  count(day: Day): number {
    return this.#denied.count(day, this.#cache.state.relief);
  }

  dueMs(day: Day, nowMs: number): number | null {
    return this.#isWorking(day) ? Math.max(nowMs, this.#againAtMs) : null;
  }

  /** Denials of a day that is over count no more. */
  clean(day: Day): void {
    if (this.#cleanedDay === day) return;
    if (this.#denied.purge(day, MOST_PURGED)) this.#cleanedDay = day;
  }

  #isWorking(day: Day): boolean {
    return (this.#isNotifying ??= this.#denied.has(day, this.#cache.state.relief));
  }

  #isRefused(tenant: string, day: Day): boolean {
    const generation = this.#cache.promises.get(tenant)?.generation ?? 0;
    return this.#cache.share(day, tenant, generation)?.answer?.refused != null;
  }
}

const isSame = (a: DeniedTenant, b: DeniedTenant): boolean =>
  a.day === b.day && a.notice === b.notice && a.isClosed === b.isClosed;
