import * as v from "valibot";
import type { CheckFinding, CheckPass, CheckStatus } from "../../domain/tenant/check-pass.ts";
import { isoTime } from "../../domain/ledger/period.ts";
import { count, listOf, time } from "../field.ts";
import { InvariantCountOutput, InvariantsOutput, toInvariants } from "./report.ts";

// Passes over all tenants, on the wire.

export const PassOutput = v.object({
  object: v.literal("invariants_pass"),
  state: v.picklist(["running", "done"]),
  started_at: time("When it began."),
  ended_at: v.nullable(time("When it came to its end; null: it runs.")),
  tenants: count("Tenants that there were when it began."),
  checked: count("Tenants that it is done with. Some may have been made or deleted meanwhile."),
  holds: v.pipe(
    v.nullable(v.boolean()),
    v.description(
      "False: something is broken. True: every tenant was looked at and nothing is. Null: nothing was found so far, and not everything was looked at.",
    ),
  ),
  broken: count("Tenants in which something is broken."),
  unfinished: count("Tenants of which not everything was looked at, and nothing was found."),
  unanswered: count("Tenants that did not answer, asked three times."),
  data: v.array(InvariantCountOutput),
});

const FindingOutput = v.object({
  ...InvariantsOutput.entries,
  found: v.pipe(
    v.picklist(["broken", "unfinished", "unanswered"]),
    v.description("Unanswered: nothing of it was counted."),
  ),
});

export const ChecksOutput = v.object({
  ...listOf(FindingOutput).entries,
  running: v.pipe(v.nullable(PassOutput), v.description("The pass that runs.")),
  latest: v.pipe(
    v.nullable(PassOutput),
    v.description("The latest pass that came to its end; null: there was none."),
  ),
});

export function toPass({ startedAtMs, endedAtMs, tenants, sums }: CheckPass) {
  const { checked, found, counts } = sums;
  const isSound = endedAtMs !== null && found.unfinished + found.unanswered === 0;
  return {
    object: "invariants_pass" as const,
    state: endedAtMs === null ? ("running" as const) : ("done" as const),
    started_at: isoTime(startedAtMs),
    ended_at: endedAtMs === null ? null : isoTime(endedAtMs),
    tenants,
    checked,
    holds: found.broken > 0 ? false : isSound ? true : null,
    ...found,
    data: counts.map((one) => ({ ...one })),
  };
}

function toFinding({ tenant, kind, counts, checkedToMs, atMs }: CheckFinding) {
  const isComplete = kind === "broken" && checkedToMs === null;
  const counted = { counts, isComplete, checkedToMs, countedAtMs: atMs };
  return { ...toInvariants(tenant, counted), found: kind };
}

export function toChecks({
  running,
  latest,
  findings,
  more,
}: CheckStatus & { readonly findings: readonly CheckFinding[]; readonly more: boolean }) {
  return {
    object: "list" as const,
    data: findings.map(toFinding),
    has_more: more,
    next_cursor: more ? (findings.at(-1)?.tenant ?? null) : null,
    running: running === null ? null : toPass(running),
    latest: latest === null ? null : toPass(latest),
  };
}
