import * as v from "valibot";
import type { SentRow } from "../domain/usage/report-rows.ts";

// What a tenant's object sends through the queue: rows of its reports with all that they hold. A
// message may be repeated, overtaken or lost; a row is only ever replaced by one with a higher sequence.

export interface UsageMessage {
  readonly version: 1;
  readonly tenant: string;
  readonly life: number;
  /** Returned with the rows: rows of an earlier epoch do not count. */
  readonly epoch: number;
  readonly rows: readonly SentRow[];
}

const Message = v.object({
  version: v.literal(1),
  tenant: v.string(),
  life: v.number(),
  epoch: v.number(),
  rows: v.array(
    v.looseObject({
      kind: v.picklist(["usage_hour", "call_hour", "user_day", "logged_verdict"]),
      key: v.string(),
      row: v.looseObject({ sequence: v.number() }),
    }),
  ),
});

/** Null: it is none of this version. Our own object wrote it, so its rows are taken as they are. */
export const readMessage = (body: unknown): UsageMessage | null =>
  v.is(Message, body) ? (body as unknown as UsageMessage) : null;
