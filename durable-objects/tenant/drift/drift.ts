import { type Day, dayOf, formatDay } from "../../../src/domain/ledger/period.ts";
import {
  addDrift,
  brokenPromises,
  DRIFT_CONFIDENCE,
  type DriftFinding,
  driftOf,
} from "../../../src/domain/moderation/cascade-drift.ts";
import type { Policy } from "../../../src/domain/moderation/policy.ts";
import type { Verdict } from "../../../src/domain/moderation/verdict.ts";
import { hashOf } from "../../../src/domain/text/hash.ts";
import { endOfDay, expiry, PURGE_ROWS, type TenantFeature } from "../feature.ts";
import type { Tx } from "../transactions.ts";
import { DRIFT } from "./drift-schema.ts";

// Drift of calibrated thresholds: the judge's findings in the sample, added up by day and thresholds. Only a
// verdict of the sample writes a row. New thresholds begin anew.

/** The days that are added up, today included. */
const DRIFT_DAYS = 30;

const firstDay = (today: Day): Day => today - DRIFT_DAYS + 1;

export const DRIFT_FEATURE: TenantFeature = {
  name: "cascade_drift",
  tables: [DRIFT],
  capability: ({ stores: { db, drift } }) => ({
    purge: ({ nowMs }) => drift.purge(firstDay(dayOf(nowMs)), PURGE_ROWS),
    expiries: [expiry(db.of(DRIFT), () => endOfDay(drift.oldestDay(), DRIFT_DAYS - 1))],
  }),
};

/** A verdict that was just stored, with a stage in the sample. */
export function noteDrift(tx: Tx, verdict: Verdict): void {
  if (verdict.test || verdict.reuse?.from !== undefined) return;
  const { name, version } = verdict.policy;
  const policy = tx.stores.policies.read(name, version)?.policy;
  const tier0 = policy?.tier0;
  const more = policy === undefined ? null : driftOf(policy, verdict.stages);
  if (policy === undefined || tier0 === undefined || more === null) return;
  const { drift } = tx.stores;
  const today = dayOf(tx.nowMs);
  const rules = { policyName: name, rules: hashOf(JSON.stringify(tier0)) };
  const before = drift.read(rules, today);
  const day = { ...before, sums: addDrift(before.sums, more) };
  drift.write(rules, today, day);
  const isWrong = [more.missed, more.blocked].some((counts) => Object.keys(counts).length > 0);
  if (!isWrong || tier0.max_miss_rate === undefined) return;
  const broken = brokenPromises(drift.since(rules, firstDay(today)), tier0.max_miss_rate);
  const news = broken.filter((finding) => !day.reported.includes(nameOf(finding)));
  if (news.length === 0) return;
  for (const finding of news) recordDrift(tx, { name, tier0 }, finding);
  drift.write(rules, today, { ...day, reported: [...day.reported, ...news.map(nameOf)] });
}

const nameOf = ({ kind, category }: DriftFinding): string => `${kind} ${category}`;

/** Once a day for a policy, a kind and a category. */
function recordDrift(
  tx: Tx,
  { name, tier0 }: { readonly name: string; readonly tier0: NonNullable<Policy["tier0"]> },
  { kind, category, examples, wrong, bound }: DriftFinding,
): void {
  const data = {
    object: "policy_drift",
    policy: name,
    model: tier0.model,
    kind,
    category,
    examples,
    wrong,
    at_least: Math.round(bound * 1e6) / 1e6,
    confidence: DRIFT_CONFIDENCE,
    max_miss_rate: tier0.max_miss_rate,
    since: formatDay(firstDay(dayOf(tx.nowMs))),
  };
  tx.stores.outbox.record({ type: "policy.drift", subject: null, decision: null, data }, tx.nowMs);
}
