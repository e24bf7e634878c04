import * as v from "valibot";
import type { ReportRow, ReportRowKind } from "../domain/usage/report-rows.ts";

// What a tenant's object sends through the queue: rows of its reports with all that they hold. A
// message may be repeated, overtaken or lost; a row is only ever replaced by one with a higher sequence.

/** A row, and how the object that sent it knows it. */
export type SentRow = ReportRow & { readonly key: string };

/** That row as it was at that sequence. */
export interface RowVersion {
  readonly kind: ReportRowKind;
  readonly key: string;
  readonly sequence: number;
}

export interface UsageMessage {
  readonly version: 1;
  readonly tenant: string;
  readonly life: number;
  /** Returned with the rows: rows of an earlier epoch do not count. */
  readonly epoch: number;
  readonly rows: readonly SentRow[];
}

/** Queues take 128 KB with what they add of their own. */
const MOST_BYTES = 100_000;

/** Their keys go back in one call to the object. */
const MOST_ROWS = 200;

const encoder = new TextEncoder();

/** Rows cut into messages, in order. No row comes near the limit by itself. */
export function packRows(rows: readonly SentRow[]): readonly (readonly SentRow[])[] {
  const packed: SentRow[][] = [];
  let bytes = 0;
  for (const row of rows) {
    const size = encoder.encode(JSON.stringify(row)).length + 1;
    const last = packed.at(-1);
    if (last === undefined || bytes + size > MOST_BYTES || last.length >= MOST_ROWS) {
      packed.push([row]);
      bytes = size;
    } else {
      last.push(row);
      bytes += size;
    }
  }
  return packed;
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

export const versionOf = ({ kind, key, row }: SentRow): RowVersion => ({
  kind,
  key,
  sequence: row.sequence,
});
