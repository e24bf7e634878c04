import { REFUSALS } from "../calls/call-schema.ts";
import { expiry, PURGE_ROWS, type TenantContext, type TenantFeature } from "../feature.ts";
import type { Caller, AdmitFailure, AdmitReply, AdmitRequest } from "../protocol.ts";
import { pageOf } from "../page.ts";
import {
  type NeuronBalance,
  type Failure,
  QUOTA_KINDS,
  type QuotaFailure,
  type RateFailure,
} from "../../../src/domain/ledger/failure.ts";
import { limitsObject } from "../../../src/domain/ledger/limits.ts";
import type { Day } from "../../../src/domain/ledger/period.ts";
import { limits } from "../invariants.ts";
import type { Ledger } from "./ledger.ts";
import type { RefusalCount, RefusalDetail } from "../../../src/domain/ledger/refusal-count.ts";
import type { RefusalStore } from "./refusal-store.ts";
import { PASSING } from "../../../src/domain/runs/outcome.ts";
import { isSharing, REQUESTS } from "../../../src/domain/ledger/rate-limit.ts";
import { inTheWay } from "../../../src/domain/ledger/quota.ts";
import type { Tx } from "../transactions.ts";

const MINUTE_MS = 60_000;

/** How long refusals can be listed. */
const REFUSALS_KEPT_MS = 30 * 86_400_000;

export const REFUSALS_FEATURE: TenantFeature = {
  name: "refusals",
  tables: [REFUSALS],
  capability: ({ stores: { db, refusals } }) => ({
    maintain: () => {
      refusals.flush();
      return false;
    },
    purge: ({ nowMs }) => refusals.purge(nowMs - REFUSALS_KEPT_MS, PURGE_ROWS),
    // Of a minute all is deleted once the whole of it is past its time.
    expiries: [
      expiry(db.of(REFUSALS), () => {
        const minute = refusals.firstMinute(0);
        return minute === null ? null : (minute + 1) * MINUTE_MS + REFUSALS_KEPT_MS;
      }),
    ],
    dueMs: (nowMs) => (refusals.waiting ? nowMs + REFUSALS_FLUSH_MS : Infinity),
  }),
};

export const REFUSAL_OPERATIONS = {
  listRefusals: (
    { ask }: TenantContext,
    caller: Caller,
    query: {
      readonly fromMinute: number;
      readonly toMinute: number;
      readonly skip: number;
      readonly limit: number;
    },
  ) =>
    ask(caller, ({ stores: { refusals } }) => {
      refusals.flush();
      const { fromMinute, toMinute } = query;
      return pageOf(refusals.list(fromMinute, toMinute, query), query.limit);
    }),
};

// Counts refusals per minute and kind. A flood of refused calls must not become a flood of written
// rows, so counts gather in memory and are written with the next commit or by the alarm: a crash
// may lose the counts of the last seconds. Nothing is ever charged by them.

/** How long a count may stay in memory alone. */
const REFUSALS_FLUSH_MS = 5000;

/** Keys named in a row; more callers than that are an outage, not a question of who. */
const MAX_KEY_IDS = 20;

export type RefusedNeurons = Pick<NeuronBalance, "limit" | "posted" | "pending" | "required">;

interface Refused {
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

/** Refusals with a valid key are counted; what never named a tenant's key is not its refusal. */
export function countRefusal(
  tx: Tx,
  request: Pick<AdmitRequest, "route" | "requestId">,
  reply: AdmitReply,
): void {
  if (!isCounted(reply)) return;
  // A batch or a pipeline that waits for its turn is not turned away.
  if (isSharing(request.route) && (PASSING as readonly string[]).includes(reply.kind)) return;
  const refused = {
    kind: reply.kind,
    policies: violatedPolicies(reply),
    neurons: figures(reply),
    keyId: tx.keyId,
    requestId: request.requestId,
    settingsVersion: tx.profile.version,
  };
  tx.stores.refusals.add(refused, tx.nowMs);
  if (isQuota(reply)) recordExceeded(tx, reply);
}

/**
 * A refusal that stands until the day or month ends is an event, once a day. One for others' pending holds
 * makes none.
 */
function recordExceeded(tx: Tx, { kind, policy }: Pick<QuotaFailure, "kind" | "policy">): void {
  if (kind === "account_quota_exceeded") return;
  const data = () => ({
    ...limitsObject(limits(tx)),
    refused: kind,
    policy: policy ?? "daily",
  });
  tx.stores.outbox.recordOnceADay("quota.exceeded", data, tx.nowMs);
}

/**
 * Takes a unit of `requests` for work that has no hold, or comes before one. A refusal is counted as that
 * of a call.
 */
export function takeRequest(
  tx: Tx,
  request: Pick<AdmitRequest, "route" | "requestId">,
): RateFailure | null {
  const refused = tx.stores.ledger.takeUnits(tx.profile, { [REQUESTS]: 1 });
  if (refused !== null) countRefusal(tx, request, refused);
  return refused;
}

const isQuota = (reply: AdmitReply): reply is Extract<AdmitFailure, QuotaFailure> =>
  (QUOTA_KINDS as readonly string[]).includes(reply.kind);

const COUNTED = [
  "tenant_suspended",
  "role_required",
  "model_not_allowed",
  "over_limit",
  "account_quota_exceeded",
  "quota_exceeded",
  "overage_cap_exceeded",
  "rate_limited",
  "quota_reserved",
  "concurrency_exceeded",
  "storage_full",
] as const satisfies readonly Failure["kind"][];

const isCounted = (
  reply: AdmitReply,
): reply is Extract<AdmitFailure, { kind: (typeof COUNTED)[number] }> =>
  (COUNTED as readonly string[]).includes(reply.kind);

/** How things stood: of the limit that had no room. */
function figures(reply: AdmitFailure): RefusedNeurons | null {
  if (!("neurons" in reply)) return null;
  return isQuota(reply) || reply.kind === "quota_reserved" ? inTheWay(reply) : reply.neurons;
}

function violatedPolicies(failure: AdmitFailure): readonly string[] {
  if ("policy" in failure && failure.policy !== undefined) return [failure.policy];
  if (failure.kind === "rate_limited") return failure.violated;
  return "neurons" in failure && failure.kind !== "concurrency_exceeded" ? ["daily"] : [];
}
