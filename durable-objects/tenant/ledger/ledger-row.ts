import type { GrantDraw } from "../../../src/domain/ledger/quota.ts";
import type {
  Basis,
  CallParent,
  Hold,
  Item,
  JournalLine,
  LineOutcome,
} from "../../../src/domain/ledger/ledger.ts";
import { makeHold } from "../../../src/domain/ledger/ledger.ts";
import { microNeurons } from "../../../src/domain/ledger/micro-neurons.ts";
import type { PlannedStage } from "../../../src/domain/moderation/stage.ts";
import type { VerdictCounts } from "../../../src/domain/ledger/day-totals.ts";
import type { Usage } from "../../../src/domain/catalogue/catalogue.ts";

// A journal row as the domain sees it: an open hold or a line. Items are stored as tuples, since
// their keys would be half of every row.

/** A type, not an interface: rows are plain records to the database. */
export type JournalRow = {
  id: string;
  day: number;
  outcome: "pending" | LineOutcome;
  request_id: string;
  route: string;
  key_id: string | null;
  user_id: string | null;
  session_id: string | null;
  document_id: string | null;
  run_id: string | null;
  step: string | null;
  verdict_id: string | null;
  admitted_at_ms: number;
  deadline_ms: number;
  settled_at_ms: number | null;
  held: number;
  quota: number;
  granted: number;
  overage: number;
  overrun: number;
  overage_rate: string | null;
  price_book: string;
  items: string;
  grants: string | null;
  verdicts: string | null;
  context: string | null;
};

export type Entry =
  | { readonly kind: "hold"; readonly hold: Hold }
  | { readonly kind: "line"; readonly line: JournalLine };

export function toEntry(row: JournalRow): Entry {
  return row.outcome === "pending" || row.settled_at_ms === null
    ? { kind: "hold", hold: toHold(row) }
    : { kind: "line", line: toLine(row, row.outcome, row.settled_at_ms) };
}

const toHold = (row: JournalRow): Hold =>
  makeHold({
    callId: row.id,
    requestId: row.request_id,
    route: row.route,
    keyId: row.key_id,
    userId: row.user_id,
    ...parentIn(row),
    ...(row.context !== null && { context: row.context }),
    day: row.day,
    admittedAtMs: row.admitted_at_ms,
    deadlineMs: row.deadline_ms,
    priceBook: row.price_book,
    stages: JSON.parse(row.items) as PlannedStage[],
  });

const parentIn = (row: JournalRow): CallParent => ({
  ...(row.session_id !== null && { sessionId: row.session_id }),
  ...(row.document_id !== null && { documentId: row.document_id }),
  ...(row.run_id !== null && { runId: row.run_id }),
  ...(row.step !== null && { step: row.step }),
});

export const encodeStages = (stages: readonly PlannedStage[]): string => JSON.stringify(stages);

const toLine = (row: JournalRow, outcome: LineOutcome, settledAtMs: number): JournalLine => ({
  callId: row.id,
  requestId: row.request_id,
  route: row.route,
  keyId: row.key_id,
  userId: row.user_id,
  ...parentIn(row),
  ...(row.context !== null && { context: row.context }),
  verdictId: row.verdict_id,
  day: row.day,
  admittedAtMs: row.admitted_at_ms,
  settledAtMs,
  outcome,
  held: microNeurons(row.held),
  drawn: {
    quota: microNeurons(row.quota),
    granted: microNeurons(row.granted),
    overage: microNeurons(row.overage),
  },
  grants: decodeGrants(row.grants),
  overrun: microNeurons(row.overrun),
  overageUsdPer1000: row.overage_rate,
  priceBook: row.price_book,
  items: decodeItems(row.items),
  ...(row.verdicts !== null && { verdicts: JSON.parse(row.verdicts) as VerdictCounts }),
});

type DrawTuple = readonly [grantId: string, amount: number];

/** Null for a line that drew on none, as nearly all are. */
export const encodeGrants = (draws: readonly GrantDraw[]): string | null =>
  draws.length === 0
    ? null
    : JSON.stringify(draws.map((draw): DrawTuple => [draw.grantId, draw.microNeurons]));

export const decodeGrants = (json: string | null): GrantDraw[] =>
  json === null
    ? []
    : (JSON.parse(json) as DrawTuple[]).map(([grantId, amount]) => ({
        grantId,
        microNeurons: microNeurons(amount),
      }));

type ItemTuple = readonly [
  content: number,
  stage: string,
  input: string,
  model: string | null,
  engine: string | null,
  pricedAs: string,
  task: string,
  calls: number,
  units: Usage,
  amount: number,
  overrun: number,
  basis: Basis,
  failed: 0 | 1,
  latencyMs?: number,
];

/** A stage that asked the model it was planned for names it once: an empty `model` is `pricedAs`. */
export const encodeItems = (items: readonly Item[]): string => JSON.stringify(items.map(toTuple));

function toTuple(item: Item): ItemTuple {
  const { latencyMs } = item;
  const tuple = [
    item.content,
    item.stage,
    item.input,
    item.model === item.pricedAs ? "" : item.model,
    item.engine,
    item.pricedAs,
    item.task,
    item.calls,
    item.units,
    item.microNeurons,
    item.overrun,
    item.basis,
    item.failed ? 1 : 0,
  ] as const;
  return latencyMs === undefined ? tuple : [...tuple, latencyMs];
}

const decodeItems = (json: string): Item[] =>
  (JSON.parse(json) as ItemTuple[]).map(
    ([
      content,
      stage,
      input,
      model,
      engine,
      pricedAs,
      task,
      calls,
      units,
      amount,
      over,
      basis,
      failed,
      latencyMs,
    ]) => ({
      content,
      stage,
      input,
      model: model === "" ? pricedAs : model,
      engine,
      pricedAs,
      task,
      calls,
      units,
      microNeurons: microNeurons(amount),
      overrun: microNeurons(over),
      basis,
      failed: failed === 1,
      ...(latencyMs !== undefined && { latencyMs }),
    }),
  );
