import {
  type Adjustment,
  ADJUSTMENT_ROUTE,
  amountOf,
  isAdjustment,
  type JournalEntry,
} from "./adjustment.ts";
import { charged, type JournalLine } from "./ledger.ts";
import { formatDay, isoTime } from "./period.ts";

// A line of the journal in replies, exports and archives.

export const toJournalLine = (line: JournalLine) => ({
  id: line.callId,
  object: "journal_line" as const,
  day: formatDay(line.day),
  admitted_at: isoTime(line.admittedAtMs),
  settled_at: isoTime(line.settledAtMs),
  outcome: line.outcome,
  route: line.route,
  request_id: line.requestId,
  key_id: line.keyId,
  user_id: line.userId,
  ...(line.sessionId !== undefined && { session_id: line.sessionId }),
  ...(line.documentId !== undefined && { document_id: line.documentId }),
  ...(line.runId !== undefined && { run_id: line.runId }),
  ...(line.step !== undefined && { step: line.step }),
  context: line.context ?? null,
  verdict_id: line.verdictId,
  held_micro_neurons: line.held,
  micro_neurons: charged(line),
  quota_micro_neurons: line.drawn.quota,
  granted_micro_neurons: line.drawn.granted,
  grants: line.grants.map(({ grantId, microNeurons }) => ({
    id: grantId,
    micro_neurons: microNeurons as number,
  })),
  overage_micro_neurons: line.drawn.overage,
  overrun_micro_neurons: line.overrun,
  overage_usd_per_1000_neurons: line.overageUsdPer1000,
  items: line.items.map((item) => ({
    stage: item.stage,
    input: item.input,
    model: item.model,
    engine: item.engine,
    priced_as: item.pricedAs,
    task: item.task as string | null,
    units: item.units as Readonly<Record<string, number>>,
    micro_neurons: item.microNeurons,
    basis: item.basis,
    latency_ms: item.latencyMs ?? null,
  })),
  price_book: line.priceBook,
  adjusts: null,
  reason: null,
});

/** The negative of an amount, but never `-0`. */
const negative = (amount: number): number => (amount === 0 ? 0 : 0 - amount);

export const toAdjustmentLine = (made: Adjustment) => ({
  id: made.id,
  object: "journal_line" as const,
  day: formatDay(made.day),
  admitted_at: isoTime(made.madeAtMs),
  settled_at: isoTime(made.madeAtMs),
  outcome: "posted" as const,
  route: ADJUSTMENT_ROUTE,
  request_id: made.requestId,
  key_id: null,
  user_id: null,
  context: null,
  verdict_id: null,
  held_micro_neurons: 0,
  micro_neurons: negative(amountOf(made)),
  quota_micro_neurons: negative(made.givenBack.quota),
  granted_micro_neurons: negative(made.givenBack.granted),
  grants: made.grants.map(({ grantId, microNeurons }) => ({
    id: grantId,
    micro_neurons: negative(microNeurons),
  })),
  overage_micro_neurons: negative(made.givenBack.overage),
  overrun_micro_neurons: 0,
  overage_usd_per_1000_neurons: made.overageUsdPer1000,
  items: [
    {
      stage: ADJUSTMENT_ROUTE,
      input: "line",
      model: null,
      engine: null,
      priced_as: ADJUSTMENT_ROUTE,
      task: null,
      units: {},
      micro_neurons: negative(amountOf(made)),
      basis: "counted" as const,
      latency_ms: null,
    },
  ],
  price_book: made.priceBook,
  adjusts: made.adjusts,
  reason: made.reason,
});

export const toJournalEntry = (entry: JournalEntry) =>
  isAdjustment(entry) ? toAdjustmentLine(entry) : toJournalLine(entry);
