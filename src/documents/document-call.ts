import type {
  Admitted,
  DocumentAdmit,
  LimitStatus,
} from "../../durable-objects/tenant/protocol.ts";
import {
  callAdmit,
  type GovernedOutcome,
  governedCall,
  type Observe,
  type Run,
  type Tenant,
} from "../calls/governed-call.ts";
import type { Config } from "../config.ts";
import { admittedModels } from "../domain/catalogue/catalogue.ts";
import type { NewDocument } from "../domain/documents/document.ts";
import type { ServiceFailure } from "../domain/ledger/failure.ts";
import { type CallId, charged as chargedFor, type Hold } from "../domain/ledger/ledger.ts";
import { type MicroNeurons, ZERO } from "../domain/ledger/micro-neurons.ts";
import type { Engine } from "../engines/engine.ts";
import {
  type GenerationCaller,
  type GenerationCallFailure,
  givenAgain,
  keptReply,
  type Rendered,
  runEndsMs,
  runFailure,
} from "../generation/generation-call.ts";
import type { GenerationRunFailure } from "../generation/run-generation.ts";
import { runContext } from "../moderation/ask-engine.ts";
import { type Analysis, analyse, type PreparedAnalysis } from "./analyse.ts";
import { writeResults, writeText } from "./stored-files.ts";

// A governed call for a document: one hold for all of its tasks, one line. The text is in the bucket before
// the first task begins, and the results are there before the call is settled.

export interface DocumentDeps {
  readonly config: Config;
  readonly engine: Engine;
  readonly tenant: () => Tenant;
  readonly bucket: R2Bucket;
  /** The tenant's id, under which the files are. */
  readonly tenantId: string;
  readonly observe?: Observe;
}

export interface DocumentRequest extends Omit<GenerationCaller, "cacheMode"> {
  /** What is to be stored, and its text; null: nothing is. */
  readonly store: { readonly document: NewDocument; readonly text: string } | null;
  readonly prepared: PreparedAnalysis;
  /** As the caller named it; null: the default of documents. */
  readonly model: string | null;
  /** The caller's reply. */
  readonly render: (made: MadeDocument) => Rendered;
}

export interface MadeDocument extends Pick<Analysis, "reports" | "results"> {
  readonly hold: Hold;
}

export interface DocumentDone {
  readonly kind: "done";
  readonly rendered: Rendered;
  readonly microNeurons: MicroNeurons;
  readonly standing: LimitStatus | null;
  /** Of the call that did it, which is the `file` of what it stored. */
  readonly callId: CallId;
  readonly replayed: boolean;
}

/** It was deleted while its tasks ran: they are charged, and nothing of it is kept. */
const DELETED = { kind: "not_found", what: "document" } as const;

export type DocumentCallFailure = GenerationCallFailure | typeof DELETED;

type Ended = Rendered | GenerationRunFailure | Extract<ServiceFailure, { kind: "unavailable" }>;

export async function documentCall(
  deps: DocumentDeps,
  request: DocumentRequest,
): Promise<DocumentDone | DocumentCallFailure> {
  const { bucket, engine } = deps;
  const { callId: file, store, prepared } = request;
  const run = async (admitted: Admitted): Promise<Run<Ended>> => {
    const { hold, generation } = admitted;
    const owner = { tenant: deps.tenantId, generation };
    const isThere = store === null || (await writeText(bucket, owner, { file, text: store.text }));
    if (!isThere) return failed({ kind: "unavailable" }, NOTHING);
    const modelOf = admittedModels(deps.config.prices);
    const context = runContext({ engine, hold, modelOf, deadlineMs: runEndsMs(hold) });
    const analysis = await analyse(context, prepared);
    const { failure, results, reports, items, account } = analysis;
    if (failure !== null) return failed(failure, analysis);
    const isKept =
      store === null ||
      reports.length === 0 ||
      (await writeResults(bucket, owner, { file, results }));
    if (!isKept) {
      const charged = items.some(({ microNeurons }) => microNeurons > 0);
      const detail = "The results could not be stored, so the document is not either.";
      return failed({ kind: "engine_failed", charged, detail }, analysis);
    }
    const rendered = request.render({ hold, reports, results });
    const reply = request.idempotency === null ? null : keptReply(rendered);
    const documentTasks = store === null ? undefined : reports;
    return {
      kind: "ended",
      value: rendered,
      ran: { items, verdicts: [], account, reply, ...(documentTasks && { documentTasks }) },
    };
  };
  const outcome = await governedCall<Ended>(deps.tenant, admitOf(request), run, deps.observe);
  return doneOf(request, outcome);
}

const admitOf = (request: DocumentRequest): DocumentAdmit => ({
  ...callAdmit(request),
  ...(request.store !== null && { documentId: request.store.document.id }),
  kind: "document",
  ...(request.store !== null && { document: request.store.document }),
  model: request.model,
  tasks: request.prepared.measured,
});

const NOTHING = { items: [], account: null } as const;

/** The document is not stored: its row goes with the line, and its files soon after. */
const failed = (
  value: Ended,
  { items, account }: Pick<Analysis, "items" | "account">,
): Run<Ended> => ({
  kind: "ended",
  value,
  ran: { items, verdicts: [], account, reply: null, documentTasks: null },
});

function doneOf(
  { callId: asked }: DocumentRequest,
  outcome: GovernedOutcome<Ended>,
): DocumentDone | DocumentCallFailure {
  switch (outcome.kind) {
    case "replayed": {
      const again = givenAgain(outcome);
      const { callId } = outcome.line;
      return again.kind === "again" ? { ...again, kind: "done", callId, replayed: true } : again;
    }
    case "settled": {
      const { settlement, standing, documentGone = false } = outcome.reply;
      if (documentGone) return DELETED;
      const microNeurons = settlement.kind === "unknown_hold" ? ZERO : chargedFor(settlement.line);
      return ended(outcome.value, { microNeurons, standing, callId: asked });
    }
    // The row of the document may not be written, so it is not said to be stored.
    case "unconfirmed":
      return { kind: "settlement_unavailable" };
    case "streaming":
      throw new Error("this call does not stream");
    default:
      return outcome;
  }
}

function ended(
  value: Ended,
  at: Pick<DocumentDone, "microNeurons" | "standing" | "callId">,
): DocumentDone | GenerationCallFailure {
  if ("body" in value) return { kind: "done", rendered: value, replayed: false, ...at };
  return value.kind === "unavailable" ? value : runFailure(value, at.standing);
}
