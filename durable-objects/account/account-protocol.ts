import type { AccountClosure, AccountNews } from "../../src/domain/account/account-budget.ts";
import type { RateAnswer, RateRequest } from "../../src/domain/account/account-rates.ts";
import type { Promised } from "../../src/domain/account/account-terms.ts";
import type { LeaseAnswer, LeaseRequest } from "../../src/domain/account/lease.ts";
import type { MicroNeurons } from "../../src/domain/ledger/micro-neurons.ts";
import type { Day } from "../../src/domain/ledger/period.ts";
import type { PoolSizes } from "../../src/domain/account/pool.ts";
import type { Outlook } from "../../src/domain/account/pool-refusal.ts";

// Messages between a tenant's object and the `Account` object about what all tenants share.

/** The name of the one object: one Cloudflare account, one list of tenants. */
export const ACCOUNT_NAME = "account";

/** All that a tenant's object asks and reports, in one message. */
export interface AccountMessage {
  readonly tenant: string;
  readonly generation: number;
  /** What its settings promise it, and their version: the account may not know them yet. */
  readonly promised: Promised & { readonly version: number };
  /** The latest notice that it knows: an answer may be lost on its way. */
  readonly notice: number;
  /** For one of its days; null: nothing about neurons. */
  readonly lease: (Omit<LeaseRequest, "tenant" | "generation"> & { readonly day: Day }) | null;
  readonly rates: Omit<RateRequest, "tenant"> | null;
  readonly news: AccountNews | null;
  /**
   * Amounts that it has spent of days of which it has no lease: neurons are not shared out, or were not
   * then. So the account knows what a month has cost when it gets its first cap.
   */
  readonly spent: readonly DaySpent[];
  /** It would like to find out whether the closure of the day is still so. */
  readonly probe: boolean;
  /** It would like to know how much it could have of this day; nothing is granted. Null: no. */
  readonly look: Day | null;
}

/** What all tenants must know. */
export interface AccountView {
  /** The larger is the later. */
  readonly notice: number;
  /** Neurons are shared out: admission needs a lease. */
  readonly isPooled: boolean;
  readonly closure: AccountClosure | null;
  /** Sizes of the day's pool; null: nothing is shared out. */
  readonly sizes: PoolSizes | null;
}

/**
 * `repeated`: a message of this number was processed before, and the report in this one was not. The
 * answer to a stale message names the latest that was processed.
 */
export type LeaseReply =
  | (LeaseAnswer & { readonly repeated: boolean })
  | { readonly stale: number };

export type AccountAnswer =
  | {
      readonly kind: "answered";
      readonly view: AccountView;
      /** Null: it asked for none, or there is no pool. */
      readonly lease: LeaseReply | null;
      readonly rates: RateAnswer | null;
      /** Null: it did not look. */
      readonly outlook: Outlook | null;
      /** It may let one call through. */
      readonly mayProbe: boolean;
      readonly nowMs: number;
    }
  /** This generation of the tenant has ended, or is about to. */
  | { readonly kind: "over" };

export interface DaySpent {
  readonly day: Day;
  /** Charged amounts, with what engines used beyond them. */
  readonly spent: MicroNeurons;
  readonly pending: MicroNeurons;
}
