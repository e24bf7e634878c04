import type { RefusalCount, RefusalDetail } from "../../../src/domain/ledger/refusal-count.ts";
import type { NeuronBalance } from "../../../src/domain/ledger/failure.ts";
import type { Day } from "../../../src/domain/ledger/period.ts";
import type { Ledger } from "./ledger.ts";
import type { RefusalStore } from "./refusal-store.ts";

// Counts refusals per minute and kind. A flood of refused calls must not become a flood of written
// rows, so counts gather in memory and are written with the next commit or by the alarm: a crash
// may lose the counts of the last seconds. Nothing is ever charged by them.

/** How long a count may stay in memory alone. */
export const REFUSALS_FLUSH_MS = 5000;

const MINUTE_MS = 60_000;

/** Keys named in a row; more callers than that are an outage, not a question of who. */
const MAX_KEY_IDS = 20;

export type RefusedNeurons = Pick<NeuronBalance, "limit" | "posted" | "pending" | "required">;

export interface Refused {
  readonly kind: string;
  /** Rate classes, `daily` or `monthly`. */
  readonly policies: readonly string[];
  readonly neurons: RefusedNeurons | null;
  readonly keyId: string | null;
  readonly requestId: string;
  readonly settingsVersion: number;
}

export class RefusalCounter {
  readonly #store: RefusalStore;
  readonly #ledger: Ledger;
  #waiting = new Map<string, RefusalCount>();

  constructor(store: RefusalStore, ledger: Ledger) {
    this.#store = store;
    this.#ledger = ledger;
  }

  get waiting(): boolean {
    return this.#waiting.size > 0;
  }

  /** Returns what sets the counts back to now, for a transaction that is rolled back. */
  checkpoint(): () => void {
    const before = new Map(this.#waiting);
    return () => {
      this.#waiting = before;
    };
  }

  /** Forgets what was not written: the tenant is gone. */
  clear(): void {
    this.#waiting.clear();
  }

  add(refused: Refused, nowMs: number): void {
    const minute = Math.floor(nowMs / MINUTE_MS);
    const policy = refused.policies.join(",");
    const key = `${minute}|${refused.kind}|${policy}`;
    const before = this.#waiting.get(key);
    this.#waiting.set(key, {
      minute,
      kind: refused.kind,
      policy,
      count: (before?.count ?? 0) + 1,
      detail: merged(before?.detail ?? null, detailOf(refused)),
    });
  }

  /** Writes what has gathered, inside the caller's transaction. */
  flush(): void {
    for (const waiting of this.#waiting.values()) {
      const stored = this.#store.read(waiting.minute, waiting.kind, waiting.policy);
      this.#store.write({
        ...waiting,
        count: waiting.count + (stored?.count ?? 0),
        detail: merged(stored?.detail ?? null, waiting.detail),
      });
      this.#ledger.addRefused(dayOfMinute(waiting.minute), waiting.kind, waiting.count);
    }
    this.#waiting.clear();
  }

  list(...query: Parameters<RefusalStore["list"]>): RefusalCount[] {
    return this.#store.list(...query);
  }

  firstMinute(from: number): number | null {
    return this.#store.firstMinute(from);
  }

  sumByHour(
    ...range: Parameters<RefusalStore["sumByHour"]>
  ): ReturnType<RefusalStore["sumByHour"]> {
    return this.#store.sumByHour(...range);
  }

  purge(beforeMs: number, limit: number): boolean {
    return this.#store.purge(Math.floor(beforeMs / MINUTE_MS), limit);
  }
}

const dayOfMinute = (minute: number): Day => Math.floor(minute / 1440);

const detailOf = ({ neurons, keyId, requestId, settingsVersion }: Refused): RefusalDetail => ({
  limit: neurons?.limit ?? null,
  posted: neurons?.posted ?? null,
  pending: neurons?.pending ?? null,
  largestRequired: neurons?.required ?? null,
  keyIds: keyId === null ? [] : [keyId],
  firstRequestId: requestId,
  settingsVersion,
});

function merged(first: RefusalDetail | null, next: RefusalDetail): RefusalDetail {
  if (first === null) return next;
  const required = [first.largestRequired, next.largestRequired].filter((n) => n !== null);
  return {
    ...first,
    largestRequired: required.length === 0 ? null : Math.max(...required),
    keyIds: [...new Set([...first.keyIds, ...next.keyIds])].slice(0, MAX_KEY_IDS),
    settingsVersion: next.settingsVersion,
  };
}
