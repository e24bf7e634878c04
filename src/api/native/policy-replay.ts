import * as v from "valibot";
import { CATEGORIES } from "../../domain/moderation/category.ts";
import { isoTime } from "../../domain/ledger/period.ts";
import { NOT_REPLAYED, type PolicyReplay } from "../../domain/moderation/policy-replay.ts";
import { DECISIONS } from "../../domain/moderation/verdict.ts";
import { stated } from "../../http/field-errors.ts";
import { inOrder, cursorAfterId, time, timeInput, wholeNumber } from "../field.ts";
import { PolicyInput } from "./policy.ts";
import { strictObject } from "../object-input.ts";

// A proposed policy over stored scores, on the wire.

const DAYS = { least: 1, most: 30, usual: 7 } as const;

const DAY_MS = 86_400_000;

const ReplayFields = strictObject({
  policy: v.optional(
    v.pipe(PolicyInput, v.description("As a PUT takes it; absent: the version in force.")),
  ),
  days: v.optional(
    wholeNumber(DAYS.least, DAYS.most, `Of the last so many days; ${DAYS.usual} when absent.`),
  ),
  from: v.optional(timeInput("Verdicts made at or after, in place of `days`.")),
  to: v.optional(timeInput("Verdicts made before.")),
  cursor: cursorAfterId("vrd"),
});

export const ReplayInput = v.pipe(
  ReplayFields,
  v.check(
    stated<v.InferOutput<typeof ReplayFields>>(
      "must have either days or from",
      ({ days, from }) => days === undefined || from === undefined,
    ),
  ),
  inOrder(),
);

/** The time that is asked about, in milliseconds. */
export function replayedTime(
  { days, from, to }: v.InferOutput<typeof ReplayInput>,
  nowMs: number,
): { readonly fromMs: number; readonly toMs: number } {
  const toMs = to ?? nowMs;
  return { fromMs: from ?? toMs - (days ?? DAYS.usual) * DAY_MS, toMs };
}

const count = wholeNumber(0, Number.MAX_SAFE_INTEGER, "So many.");
const decision = v.picklist(DECISIONS);
const decisions = v.object({ allow: count, flag: count, block: count });

export const ReplayOutput = v.object({
  object: v.literal("policy_replay"),
  policy: v.string(),
  from: time("Verdicts made at or after."),
  to: time("Verdicts made before."),
  verdicts: v.pipe(count, v.description("Judged anew.")),
  changed: v.pipe(count, v.description("Of which the decision would be another.")),
  by: v.pipe(
    v.object({ allow: decisions, flag: decisions, block: decisions }),
    v.description("By the decision as it is, then as it would be."),
  ),
  examples: v.pipe(
    v.array(
      v.object({
        verdict_id: v.string(),
        from: decision,
        to: decision,
        categories: v.pipe(
          v.array(v.picklist(CATEGORIES)),
          v.description("Of which there is a reason under one of the policies alone."),
        ),
      }),
    ),
    v.description("At most 50 that would change, newest first."),
  ),
  agreement: v.pipe(
    v.object({ reviewed: count, current: count, proposed: count }),
    v.description("Of verdicts that a person decided: how often each policy decided the same."),
  ),
  unscorable: v.pipe(
    v.object({ verdicts: count, categories: v.record(v.string(), count), decisions }),
    v.description("Verdicts that lack a score which the proposal needs; in no other count."),
  ),
  not_replayed: v.pipe(
    v.array(v.picklist(NOT_REPLAYED)),
    v.description("Changes of the proposal whose effect scores cannot show."),
  ),
  has_more: v.boolean(),
  next_cursor: v.nullable(v.string()),
});

export const toReplay = (
  name: string,
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
  { replay, next }: { readonly replay: PolicyReplay; readonly next: string | null },
) => ({
  object: "policy_replay" as const,
  policy: name,
  from: isoTime(fromMs),
  to: isoTime(toMs),
  verdicts: replay.verdicts,
  changed: replay.changed,
  by: replay.by,
  examples: replay.examples.map(({ verdictId, ...rest }) => ({ verdict_id: verdictId, ...rest })),
  agreement: replay.agreement,
  unscorable: { ...replay.unscorable, categories: { ...replay.unscorable.categories } },
  not_replayed: replay.notReplayed,
  has_more: next !== null,
  next_cursor: next,
});
