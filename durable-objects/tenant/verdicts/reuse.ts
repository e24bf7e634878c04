import type { Hold } from "../../../src/domain/ledger/ledger.ts";
import { dayOf } from "../../../src/domain/ledger/period.ts";
import { planModeration } from "../../../src/domain/moderation/plan-moderation.ts";
import type { PolicyVersion } from "../../../src/domain/moderation/policy.ts";
import { mayBeReused } from "../../../src/domain/moderation/reuse.ts";
import type { PlannedStage } from "../../../src/domain/moderation/stage.ts";
import type { Verdict } from "../../../src/domain/moderation/verdict.ts";
import { endOfDay, expiry, PURGE_ROWS, type TenantFeature } from "../feature.ts";
import type { Tx } from "../transactions.ts";
import { modelFinder } from "../calls/plan-call.ts";
import type { ModerationAdmit, ReuseTerms } from "../protocol.ts";
import { REUSE } from "./reuse-schema.ts";
import type { ReuseName } from "./reuse-store.ts";

// Equal contents get the verdict that there is. It is found in the transaction that admits the call, so
// that nothing is held for checks that will not run.

export const REUSE_FEATURE: TenantFeature = {
  name: "reuse",
  tables: [REUSE],
  capability: ({ stores: { db, reusable } }) => ({
    purge: ({ nowMs }) => reusable.purge(dayOf(nowMs), PURGE_ROWS),
    expiries: [expiry(db.of(REUSE), () => endOfDay(reusable.oldestDay(), 1))],
  }),
};

/** Of each content of a call; null: it can neither be answered so, nor answer others. */
export type Reuse = readonly (ReuseTerms | null)[];

/**
 * @param call its stages are those without reuse; what costs nothing is not reused. `atMs`: when it was
 *   admitted
 */
export function reuseFor(
  { stores: { reusable } }: Tx,
  { reuseKeys = [] }: ModerationAdmit,
  call: {
    readonly policy: PolicyVersion;
    readonly stages: readonly PlannedStage[];
    readonly atMs: number;
  },
): Reuse {
  const { stages, atMs } = call;
  const { name, version, policy } = call.policy;
  const ttlMs = (policy.reuse_ttl_s ?? 0) * 1000;
  if (ttlMs === 0) return [];
  const staged = new Set(stages.map(({ content }) => content));
  return reuseKeys.map((key, at) => {
    if (key === null || !staged.has(at)) return null;
    const found = reusable.find({ policy: { name, version }, key }, atMs - ttlMs, atMs);
    // A person may have done something with it since.
    return { key, source: found !== null && mayBeReused(found) ? found : null };
  });
}

/** The stages that are left to run. */
export const notReused = <Stage extends PlannedStage>(
  stages: readonly Stage[],
  reuse: Reuse,
): readonly Stage[] => stages.filter(({ content }) => (reuse[content]?.source ?? null) === null);

/**
 * The same again, of a call that was admitted before: which contents are answered so, its hold says. Null:
 * one of them has no answer any more, and nothing is held to ask.
 */
export function reuseAgain(
  tx: Tx,
  request: ModerationAdmit,
  { hold, policy }: { readonly hold: Hold; readonly policy: PolicyVersion },
): Reuse | null {
  const plan = planModeration(policy.policy, request.contents, modelFinder(tx));
  if (plan.kind !== "planned") return null;
  const { stages } = plan;
  const held = new Set(hold.stages.map(({ content }) => content));
  const reuse = reuseFor(tx, request, { policy, stages, atMs: hold.admittedAtMs });
  const isAnswered = ({ content }: PlannedStage): boolean =>
    held.has(content) || (reuse[content]?.source ?? null) !== null;
  if (!stages.every(isAnswered)) return null;
  return reuse.map((terms, at) =>
    terms !== null && held.has(at) ? { ...terms, source: null } : terms,
  );
}

const nameOf = ({ policy, reuse }: Verdict): ReuseName | null =>
  reuse === undefined ? null : { policy, key: reuse.key };

/** A verdict that was just stored: it answers for equal contents, where it can. */
export function noteReusable({ stores: { reusable } }: Tx, verdict: Verdict): void {
  const name = nameOf(verdict);
  if (name !== null && mayBeReused(verdict)) reusable.insert(name, verdict);
}

/** A person decided otherwise than the policy, or doubts it: the models judge such a content again. */
export function noteDisputed({ stores: { reusable }, nowMs }: Tx, verdict: Verdict): void {
  const name = nameOf(verdict);
  if (name !== null) reusable.dispute(name, nowMs);
}

/** It is erased, and answers for nothing. */
export function forgetReusable({ stores: { reusable } }: Tx, verdict: Verdict): void {
  const name = nameOf(verdict);
  if (name !== null) reusable.forget(name, verdict);
}
