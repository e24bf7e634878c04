import * as v from "valibot";
import type { RebuildStatus } from "../../domain/usage/rebuild.ts";
import { isoTime } from "../../domain/ledger/period.ts";
import { name, time, wholeNumber } from "../field.ts";

const count = (what: string) => wholeNumber(0, Number.MAX_SAFE_INTEGER, what);

export const RebuildOutput = v.object({
  object: v.literal("rebuild"),
  tenant: name("Whose reports."),
  state: v.pipe(
    v.picklist(["none", "clearing", "marking", "sending", "done"]),
    v.description("The reports' rows go first, then the object's are marked and sent."),
  ),
  rows: count("Rows that were marked to be sent."),
  waiting_rows: count("Rows that the reports may not have yet, those of today's calls included."),
  ended_lives: count("Earlier tenants of that id, whose daily totals are written anew."),
  started_at: v.nullable(time("When it was asked for; null: never.")),
  finished_at: v.nullable(time("When all had arrived; null while it runs.")),
});

/** @param standing null: the tenant was deleted, and there are only its ended generations */
export function toRebuild(tenant: string, standing: RebuildStatus | null, endedLives: number) {
  const rebuild = standing?.rebuild ?? null;
  return {
    object: "rebuild" as const,
    tenant,
    state: rebuild?.phase ?? ("none" as const),
    rows: rebuild?.rows ?? 0,
    waiting_rows: standing?.waiting ?? 0,
    ended_lives: endedLives,
    started_at: rebuild === null ? null : isoTime(rebuild.startedAtMs),
    finished_at: rebuild?.finishedAtMs == null ? null : isoTime(rebuild.finishedAtMs),
  };
}
