import {
  adjust,
  type Adjustment,
  type AdjustmentRequest,
  drawnLess,
  entryId,
  type JournalEntry,
} from "../../../src/domain/ledger/adjustment.ts";
import { addAdjustment } from "../../../src/domain/ledger/day-totals.ts";
import type { LookupFailure, RequestFailure } from "../../../src/domain/ledger/failure.ts";
import { isStored } from "../../../src/domain/ledger/journal-archive.ts";
import { dayOfId } from "../../id-range.ts";
import { foldAdjustment } from "../usage/fold-usage.ts";
import type { LineQuery } from "./ledger-store.ts";
import type { Tx } from "../transactions.ts";
import type { Caller, Idempotency } from "../protocol.ts";
import { type KeyUsed, once } from "../calls/once.ts";
import type { TenantContext } from "../feature.ts";
import { pageOf } from "../page.ts";
import type { AdjustmentQuery } from "./adjustment-store.ts";

// Adjustments: made by the platform, one transaction each, and read with the journal's lines.

/** Of the lines of one day: statements list them all. */
const MOST_A_DAY = 1000;

export interface AdjustLine extends AdjustmentRequest {
  readonly route: string;
  readonly lineId: string;
  readonly idempotency: Idempotency | null;
}

/** `repeated`: an earlier request with this idempotency key made it. */
export interface AdjustmentMade {
  readonly kind: "adjustment";
  readonly adjustment: Adjustment;
  readonly repeated: boolean;
}

export type AdjustFailure =
  | KeyUsed
  | Extract<RequestFailure, { kind: "invalid_request" | "over_limit" }>
  | Extract<LookupFailure, { kind: "not_found" }>;

export const adjustLine = (tx: Tx, request: AdjustLine): AdjustmentMade | AdjustFailure =>
  once(
    tx,
    request,
    (id, repeated): AdjustmentMade | AdjustFailure | null => {
      const adjustment = tx.stores.adjustments.read(id);
      return adjustment === null ? null : { kind: "adjustment", adjustment, repeated };
    },
    () => makeAdjustment(tx, request),
  );

function makeAdjustment(tx: Tx, request: AdjustLine): AdjustmentMade | AdjustFailure {
  const entry = tx.stores.ledger.entry(request.lineId);
  if (entry === null) return missing(tx, request.lineId);
  if (entry.kind === "hold") return wrongLine("is of a call that is still in progress");
  const { line } = entry;
  const archive = tx.stores.archives.read(line.day);
  if (archive !== null && archive.state !== "broken") return wrongLine(IN_ARCHIVE);
  if (tx.stores.adjustments.count(line.day) >= MOST_A_DAY) {
    const detail = `The lines of a day have at most ${MOST_A_DAY} adjustments.`;
    return { kind: "over_limit", detail };
  }
  const before = tx.stores.adjustments.ofLine(line.day, line.callId);
  const made = adjust(line, before, { ...request, nowMs: tx.nowMs });
  if (made.kind !== "adjusted") return made;
  recordAdjustment(tx, made.adjustment);
  return { kind: "adjustment", adjustment: made.adjustment, repeated: false };
}

/** In the day of the line, so that the day's lines still add up to what it posted. */
function recordAdjustment(tx: Tx, made: Adjustment): void {
  const { adjustments, ledger } = tx.stores;
  adjustments.insert(made);
  ledger.grants.giveBack(made.grants);
  const period = ledger.period(made.day);
  const drawn = drawnLess(period.drawn, made);
  ledger.change({ day: made.day, drawn, totals: addAdjustment(period.totals, made) });
  foldAdjustment(tx, made);
}

const wrongLine = (detail: string): AdjustFailure => ({
  kind: "invalid_request",
  errors: [{ path: ["line_id"], detail }],
});

const IN_ARCHIVE =
  "is of a day that has gone to the journal's archive, and is not adjusted any more";

function missing({ stores: { adjustments, archives } }: Tx, id: string): AdjustFailure {
  const day = dayOfId(id);
  const isArchived = [day - 1, day, day + 1].some((near) => {
    const archive = archives.read(near);
    return archive !== null && isStored(archive);
  });
  if (isArchived) return wrongLine(IN_ARCHIVE);
  if (adjustments.read(id) !== null) return wrongLine("names an adjustment, which is not adjusted");
  return { kind: "not_found", what: "journal line" };
}

/** Lines of calls and adjustments, newest first by id; one more than `limit` when there are more. */
export function listEntries(
  { stores: { journal, adjustments } }: Tx,
  query: LineQuery,
): JournalEntry[] {
  const isListed = query.outcome === null || query.outcome === "posted";
  const entries: JournalEntry[] = journal.listLines(query);
  if (isListed) entries.push(...adjustments.listBesideLines(query));
  return entries.toSorted((a, b) => (entryId(a) < entryId(b) ? 1 : -1)).slice(0, query.limit + 1);
}

export const ADJUSTMENT_OPERATIONS = {
  adjustLine: ({ write }: TenantContext, caller: Caller, request: AdjustLine) =>
    write(caller, (tx) => adjustLine(tx, request)),

  listAdjustments: ({ ask }: TenantContext, caller: Caller, query: AdjustmentQuery) =>
    ask(caller, ({ stores }) => pageOf(stores.adjustments.list(query), query.limit)),

  /** Lines of calls, and of adjustments. */
  listLines: ({ ask }: TenantContext, caller: Caller, query: LineQuery) =>
    ask(caller, (tx) => pageOf(listEntries(tx, query), query.limit)),
};
