import { ZERO } from "../../../src/domain/ledger/micro-neurons.ts";
import { type Day, dayOf, monthStart } from "../../../src/domain/ledger/period.ts";
import type { AccountMessage, DaySpent } from "../../account/account-protocol.ts";
import type { TenantStores } from "../stores.ts";

/**
 * Each message to the account reports the days without a lease. So an account that shares no neurons out
 * knows what its tenants have spent when it gets its first cap. A day with a lease is reported by the
 * lease's own messages.
 */
export class UnleasedDays {
  readonly #stores: TenantStores;
  /** What the account has been sent. In memory: a second report does no harm. */
  readonly #confirmed = new Map<Day, DaySpent>();
  #isMonthToReport = false;

  constructor(stores: TenantStores) {
    this.#stores = stores;
  }

  /** @param lease what the same message says of a lease */
  toReport(lease: AccountMessage["lease"], nowMs: number): readonly DaySpent[] {
    const { budget, ledger } = this.#stores;
    this.#isMonthToReport = budget.owesMonth;
    return this.#days(dayOf(nowMs))
      .filter((day) => day !== lease?.day && (budget.leases.get(day)?.seq ?? 0) === 0)
      .map((day) => ledger.use(day))
      .filter((use) => !isSame(use, this.#confirmed.get(use.day) ?? NOTHING));
  }

  /** The message was answered. */
  confirm(days: readonly DaySpent[]): void {
    for (const day of days) this.#confirmed.set(day.day, day);
    if (this.#isMonthToReport) this.#stores.budget.owesMonth = false;
  }

  /** Yesterday too: calls may have ended after the last message of that day. */
  #days(today: Day): readonly Day[] {
    if (!this.#isMonthToReport) return [today - 1, today];
    return this.#stores.journal.listPeriods(monthStart(today), today).map(({ day }) => day);
  }
}

const NOTHING = { spent: ZERO, pending: ZERO };

const isSame = (a: Omit<DaySpent, "day">, b: Omit<DaySpent, "day">): boolean =>
  a.spent === b.spent && a.pending === b.pending;
