import * as v from "valibot";
import { shaped, stated } from "../../http/field-errors.ts";
import {
  type ApplyTenant,
  MOST_PARTS,
  type Stage,
  type ApplyView,
} from "../../domain/tenant/state-apply.ts";
import { isoTime, isoTimeOrNull } from "../../domain/ledger/period.ts";
import { time, wholeNumber } from "../field.ts";
import { actionOutput, changesOutput, count } from "./state.ts";
import { toWarning, WarningOutput } from "./warning.ts";

// A document that is applied in parts: how far it is, and what becomes of each tenant.

export const applyId = v.pipe(
  v.string(),
  v.regex(
    shaped(
      /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/,
      "must be letters, digits, hyphens and underscores, at most 64, beginning with a letter or digit",
    ),
  ),
  v.description(
    "The caller's name for the apply: letters, digits, hyphen, underscore, at most 64 characters.",
  ),
);

const NUMBERED = /^([1-9]\d{0,2})\/([1-9]\d{0,2})$/;

const isPart = (text: string): boolean => {
  const [, part = 0, parts = 0] = NUMBERED.exec(text) ?? [];
  return Number(part) >= 1 && Number(part) <= Number(parts) && Number(parts) <= MOST_PARTS;
};

export const partQuery = {
  apply: v.optional(applyId),
  part: v.optional(
    v.pipe(
      v.string(),
      v.maxLength(7),
      v.check(
        stated(
          `must be the number of a part and of all parts, such as 2/7, at most ${MOST_PARTS} parts`,
          isPart,
        ),
      ),
      v.description(
        `The number of this part and of all parts: \`2/7\` is the second of seven; at most ${MOST_PARTS}.`,
      ),
      v.transform((text) => {
        const [part = 0, parts = 0] = text.split("/").map(Number);
        return { part, parts };
      }),
    ),
  ),
};

export const StateApplyOutput = v.object({
  object: v.literal("state_apply"),
  id: v.string(),
  state: v.pipe(
    v.picklist(["collecting", "planning", "applying", "planned", "done", "cancelled", "expired"]),
    v.description(
      "`collecting`: parts are missing, and nothing is done. `planning`, `applying`: it runs, after those that were whole before it. `planned`: the end of a dry run. `done`: the end; what did not succeed is counted as failed. `cancelled`, `expired`: it was stopped, or its day was over; what was done stays done.",
    ),
  ),
  dry_run: v.pipe(v.boolean(), v.description("Nothing is changed: this is only planned.")),
  prune: v.pipe(v.boolean(), v.description("Tenants that no part names are suspended.")),
  parts: v.object({
    total: wholeNumber(1, MOST_PARTS, "Of how many parts the document is."),
    stored: wholeNumber(0, MOST_PARTS, "How many are there."),
    missing: v.pipe(v.array(v.number()), v.description("The numbers of those that are not.")),
  }),
  tenants: v.object({
    total: count("Tenants that the parts name, and those that are to be suspended."),
    planned: count("Tenants of which it is known what is to be done."),
    done: count("Tenants that are as the document says."),
    failed: count("Tenants of which something failed."),
  }),
  counts: v.object({
    create: count("Tenants to make."),
    update: count("Tenants to change."),
    unchanged: count("Tenants that are as they should be."),
    suspend: count("Tenants that are not named and were not suspended."),
  }),
  warnings: v.pipe(
    v.array(WarningOutput),
    v.description(
      "What all promises of the account come to once all of the document is done; those of single tenants stand with them.",
    ),
  ),
  failures: v.pipe(
    v.array(v.object({ tenant: v.string(), failure: v.nullable(v.string()) })),
    v.description("The first twenty tenants of which something failed, with the kind of failure."),
  ),
  begun_at: time("When its first part came."),
  started_at: v.nullable(time("When its last part came.")),
  ended_at: v.nullable(time("When it ended.")),
  expires_at: time("Until when it can be read."),
});

export function toStateApply({
  apply,
  missing,
  failures,
}: ApplyView): v.InferOutput<typeof StateApplyOutput> {
  const { create, update, unchanged, suspend, done, failed } = apply.counts;
  return {
    object: "state_apply",
    id: apply.id,
    state: apply.state,
    dry_run: apply.dryRun,
    prune: apply.prune,
    parts: { total: apply.parts, stored: apply.storedParts, missing: [...missing] },
    tenants: {
      total: apply.named + apply.others,
      planned: create + update + unchanged + suspend,
      done,
      failed,
    },
    counts: { create, update, unchanged, suspend },
    warnings: apply.warnings.map(toWarning),
    failures: failures.map(({ tenant, failure }) => ({ tenant, failure })),
    begun_at: isoTime(apply.begunAtMs),
    started_at: isoTimeOrNull(apply.startedAtMs),
    ended_at: isoTimeOrNull(apply.endedAtMs),
    expires_at: isoTime(apply.expiresAtMs),
  };
}

/** As the wire calls a stage: what was begun is still planned as long as it may not have been done. */
export const STATUSES = ["waiting", "unchanged", "planned", "begun", "done", "failed"] as const;

const STAGES: Readonly<Record<(typeof STATUSES)[number], Stage>> = {
  waiting: "stored",
  unchanged: "unchanged",
  planned: "planned",
  begun: "acting",
  done: "done",
  failed: "failed",
};

export const stageOf = (status: (typeof STATUSES)[number]): Stage => STAGES[status];

const STATUS_OF = Object.fromEntries(
  Object.entries(STAGES).map(([status, stage]) => [stage, status]),
) as Readonly<Record<Stage, (typeof STATUSES)[number]>>;

const status = v.pipe(
  v.picklist(STATUSES),
  v.description(
    "`waiting`: not planned yet. `unchanged`: as it should be. `planned`: to be done. `begun`: being done. `done`, `failed`.",
  ),
);

export const statusQuery = v.optional(status);

export const ApplyTenantOutput = v.object({
  tenant: v.string(),
  part: v.pipe(
    v.nullable(wholeNumber(1, MOST_PARTS, "The part that names it.")),
    v.description("Null: no part names it."),
  ),
  action: v.pipe(v.nullable(actionOutput), v.description("Null: not planned yet.")),
  changes: changesOutput,
  status,
  failure: v.pipe(v.nullable(v.string()), v.description("The kind of failure.")),
  warnings: v.array(WarningOutput),
});

export const toApplyTenant = (row: ApplyTenant): v.InferOutput<typeof ApplyTenantOutput> => ({
  tenant: row.tenant,
  part: row.part === 0 ? null : row.part,
  action: row.action,
  changes: row.changes.map(({ field, from, to }) => ({ field, from, to })),
  status: STATUS_OF[row.stage],
  failure: row.failure,
  warnings: row.warnings.map(toWarning),
});
