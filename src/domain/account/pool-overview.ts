import type { Day } from "../ledger/period.ts";
import type { Plan } from "../ledger/quota.ts";
import type { AccountClosure } from "./account-budget.ts";
import type { AccountSettings } from "./account-terms.ts";
import type { Warning } from "./account-warnings.ts";

/** How the account stands, in sums over all tenants. Amounts are µN. */
export interface PoolOverview {
  readonly plan: Plan;
  readonly day: Day;
  /** Null: nothing is shared out. */
  readonly size: number | null;
  readonly allocation: number;
  readonly margin: number;
  readonly spent: number | null;
  readonly held: number | null;
  /** Granted, and neither spent nor held as far as was reported. */
  readonly leased: number | null;
  readonly free: number | null;
  readonly floors: number;
  readonly promised: number;
  readonly closure: AccountClosure | null;
  readonly rates: readonly {
    readonly name: string;
    readonly limit: number;
    readonly remaining: number;
    readonly freesAtMs: number | null;
  }[];
  /** How many there are. */
  readonly tenants: number;
  readonly warnings: readonly Warning[];
  readonly settings: AccountSettings;
}
