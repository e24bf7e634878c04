import type { AccountClosure, AccountNews } from "../../src/domain/account/account-closure.ts";
import type { RateAnswer, RateRequest } from "../../src/domain/account/account-rates.ts";
import type { Promised } from "../../src/domain/account/account-terms.ts";
import type { LeaseAnswer, LeaseRequest } from "../../src/domain/account/lease.ts";
import type { MicroNeurons } from "../../src/domain/ledger/micro-neurons.ts";
import type { Day } from "../../src/domain/ledger/period.ts";
import type { PoolSizes } from "../../src/domain/account/pool.ts";
import type { Outlook } from "../../src/domain/account/pool-refusal.ts";

// What a tenant's object and the `Account` object say to each other about what all tenants share.

/** What a tenant's object asks and reports, all in one message. */
export interface AccountMessage {
  readonly tenant: string;
  readonly generation: number;
  /** What its settings promise it, and their version: the account may not have heard. */
  readonly promised: Promised & { readonly version: number };
  /** The latest notice that it has heard of: an answer may be lost on its way. */
  readonly notice: number;
  /** Of one of its days; null: nothing of neurons. */
  readonly lease: (Omit<LeaseRequest, "tenant" | "generation"> & { readonly day: Day }) | null;
  readonly rates: Omit<RateRequest, "tenant"> | null;
  readonly news: AccountNews | null;
  /**
   * What it has spent of days of which it has no lease: neurons are not shared out, or were not then.
   * So the account knows what a month has cost when it gets its first cap.
   */
  readonly spent: readonly DaySpent[];
  /** It would like to find out whether the closure of the day is still so. */
  readonly probe: boolean;
  /** It would like to know how much it could have of this day; nothing is granted. Null: no. */
  readonly look: Day | null;
}

/** What all tenants are to know. */
export interface AccountView {
  /** The larger is the later. */
  readonly notice: number;
  /** Neurons are shared out: admission needs a lease. */
  readonly isPooled: boolean;
  readonly closure: AccountClosure | null;
  /** Of the day's pool; null: nothing is shared out. */
  readonly sizes: PoolSizes | null;
}

/**
 * `repeated`: a message of this number was heard before, and what this one reports was not. A stale
 * message names the latest that was heard.
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
  /** This life of the tenant has ended, or is about to. */
  | { readonly kind: "over" };

export interface DaySpent {
  readonly day: Day;
  /** Charged, with what engines used beyond that. */
  readonly spent: MicroNeurons;
  readonly pending: MicroNeurons;
}
