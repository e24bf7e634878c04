import type { Item, JournalLine } from "./ledger.ts";
import { costUsd } from "./money.ts";
import { formatDay, isoTime } from "./period.ts";
import { tokensOf } from "../usage/usage-report.ts";

// The log of inferences: a row for each stage of a call that asked an engine, or failed to. Nothing of
// the content is in it.

/** Skipped stages, and those that were answered from the cache, are no inferences. */
const isInference = ({ calls, failed }: Item): boolean => calls > 0 || failed;

/** The inferences of a call, in the order of its stages. */
export const toInferences = (line: JournalLine) =>
  line.items.flatMap((item, at) => (isInference(item) ? [toInference(line, item, at)] : []));

/** @param at the place of the stage in its call */
function toInference(line: JournalLine, item: Item, at: number) {
  const tokens = tokensOf(item.units);
  return {
    id: `${line.callId}.${at}`,
    object: "inference" as const,
    timestamp: isoTime(line.admittedAtMs),
    day: formatDay(line.day),
    call_id: line.callId,
    request_id: line.requestId,
    verdict_id: line.verdictId,
    session_id: line.sessionId ?? null,
    document_id: line.documentId ?? null,
    run_id: line.runId ?? null,
    step: line.step ?? null,
    operation: line.route,
    stage: item.stage,
    input: item.input,
    task: item.task,
    model: item.model,
    engine: item.engine,
    priced_as: item.pricedAs,
    engine_requests: item.calls,
    input_tokens: tokens.input,
    output_tokens: tokens.output,
    units: item.units as Readonly<Record<string, number>>,
    micro_neurons: item.microNeurons,
    basis: item.basis,
    cost_usd: costUsd(BigInt(item.microNeurons)),
    latency_ms: item.latencyMs ?? null,
    call_ms: line.settledAtMs - line.admittedAtMs,
    success: !item.failed,
    outcome: line.outcome,
    context: line.context ?? null,
    key_id: line.keyId,
    user_id: line.userId,
  };
}
