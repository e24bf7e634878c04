import type { MicroNeurons } from "../../../src/domain/ledger/micro-neurons.ts";
import type { Day } from "../../../src/domain/ledger/period.ts";
import type { PoolSizes } from "../../../src/domain/account/pool.ts";
import type { Outlook } from "../../../src/domain/account/pool-refusal.ts";
import type { AccountAnswer, AccountMessage, AccountView } from "../../account/account-protocol.ts";

/**
 * Permits hold no longer than this, so an admitted call has sizes of the last seconds. A call that is
 * too large for older sizes goes to the account, which may have larger ones by then.
 */
const SIZES_MS = 6_000;

/** A quote is about this moment. */
const OUTLOOK_MS = 1_000;

interface Kept<What> {
  readonly what: What;
  readonly day: Day;
  readonly atMs: number;
}

/**
 * The account's pool as it was a moment ago, in memory alone: an object that starts anew gets it with the
 * next answer.
 */
export class PoolMemory {
  #sizes: Kept<PoolSizes> | null = null;
  #outlook: Kept<Outlook> | null = null;

  keepSizes({ sizes }: AccountView, nowMs: number): void {
    this.#sizes = sizes === null ? null : { what: sizes, day: sizes.day, atMs: nowMs };
  }

  keepOutlook(
    { look }: AccountMessage,
    { outlook }: Extract<AccountAnswer, { kind: "answered" }>,
    nowMs: number,
  ): void {
    if (outlook !== null && look !== null) {
      this.#outlook = { what: outlook, day: look, atMs: nowMs };
    }
  }

  /** The most that one call may hold, if its tenant's floor is not larger; null: not known. */
  holdCap(day: Day, nowMs: number): MicroNeurons | null {
    return within(SIZES_MS, this.#sizes, day, nowMs)?.holdCap ?? null;
  }

  /** Of that day; null: not known. */
  chunk(day: Day): MicroNeurons | null {
    return this.#sizes?.day === day ? this.#sizes.what.chunk : null;
  }

  /** How much more the tenant could have a moment ago; null: not known. */
  outlook(day: Day, nowMs: number): Outlook | null {
    return within(OUTLOOK_MS, this.#outlook, day, nowMs);
  }
}

const within = <What>(ms: number, kept: Kept<What> | null, day: Day, nowMs: number): What | null =>
  kept !== null && kept.day === day && kept.atMs > nowMs - ms ? kept.what : null;
