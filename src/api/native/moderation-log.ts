import * as v from "valibot";
import { isoTime } from "../../domain/ledger/period.ts";
import { DECISIONS } from "../../domain/moderation/verdict.ts";
import type { LoggedVerdict } from "../../domain/usage/report-rows.ts";
import { time } from "../field.ts";

// The moderation log on the wire: verdicts that do not allow, without content.

export const LoggedVerdictOutput = v.object({
  object: v.literal("logged_verdict"),
  tenant: v.string(),
  life: v.pipe(v.number(), v.description("Which life of that tenant's id, from 1.")),
  verdict_id: v.string(),
  revision: v.number(),
  created_at: time("When the verdict was made."),
  decision: v.picklist(DECISIONS),
  approved: v.boolean(),
  decided_by: v.picklist(["policy", "review"]),
  categories: v.pipe(v.array(v.string()), v.description("Of its reasons.")),
  user_id: v.nullable(v.string()),
  content_id: v.nullable(v.string()),
  policy: v.object({ name: v.string(), version: v.number() }),
});

/** @param entry of a tenant */
export const toLoggedVerdict = (
  entry: Omit<LoggedVerdict, "sequence" | "removed" | "expiresAtMs"> & {
    readonly tenant: string;
    readonly generation: number;
  },
) => ({
  object: "logged_verdict" as const,
  tenant: entry.tenant,
  life: entry.generation,
  verdict_id: entry.verdictId,
  revision: entry.revision,
  created_at: isoTime(entry.createdAtMs),
  decision: entry.decision,
  approved: entry.approved,
  decided_by: entry.decidedBy,
  categories: entry.categories,
  user_id: entry.userId,
  content_id: entry.contentId,
  policy: { name: entry.policy, version: entry.policyVersion },
});
