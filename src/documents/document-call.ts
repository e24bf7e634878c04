import type {
  Admitted,
  AdmitFailure,
  DocumentAdmit,
  LimitStatus,
} from "../../durable-objects/tenant/protocol.ts";
import {
  type GovernedOutcome,
  governedCall,
  type Observe,
  type Run,
  type Tenant,
} from "../calls/governed-call.ts";
import type { NewDocument } from "../domain/documents/document.ts";
import type { EngineFailure, ServiceFailure } from "../domain/ledger/failure.ts";
import { charged } from "../domain/ledger/ledger.ts";
import { type MicroNeurons, ZERO } from "../domain/ledger/micro-neurons.ts";
import type { GenerationCaller, Rendered } from "../generation/generation-call.ts";
import { writeText } from "./stored-files.ts";

// A governed call for a document: one hold for all of its tasks, one line. The text is in the bucket before
// the first task begins, and the results are there before the call is settled.

export interface DocumentDeps {
  readonly tenant: () => Tenant;
  readonly bucket: R2Bucket;
  /** The tenant's id, under which the files are. */
  readonly tenantId: string;
  readonly observe?: Observe;
}

export interface DocumentRequest extends Omit<GenerationCaller, "cacheMode"> {
  readonly document: NewDocument;
  /** The text of the document, to be stored. */
  readonly text: string;
  /** The caller's reply. */
  readonly render: (made: MadeDocument) => Rendered;
}

export interface MadeDocument {
  readonly admitted: Admitted;
}

export interface DocumentDone {
  readonly kind: "done";
  readonly rendered: Rendered;
  readonly microNeurons: MicroNeurons;
  readonly standing: LimitStatus | null;
  readonly replayed: boolean;
}

export type DocumentFailure =
  | AdmitFailure
  | EngineFailure
  | Extract<ServiceFailure, { kind: "unavailable" | "settlement_unavailable" | "internal" }>;

/** A longer reply is not kept for a repeat of its idempotency key. */
const MAX_KEPT_BYTES = 65_536;

type Ended = Rendered | Extract<ServiceFailure, { kind: "unavailable" }>;

export async function documentCall(
  deps: DocumentDeps,
  request: DocumentRequest,
): Promise<DocumentDone | DocumentFailure> {
  const run = async (admitted: Admitted): Promise<Run<Ended>> => {
    const owner = { tenant: deps.tenantId, generation: admitted.generation };
    const written = await writeText(deps.bucket, owner, {
      file: request.callId,
      text: request.text,
    });
    if (!written) return nothingRan({ kind: "unavailable" });
    const rendered = request.render({ admitted });
    return {
      kind: "ended",
      value: rendered,
      ran: {
        items: [],
        verdicts: [],
        account: null,
        reply: request.idempotency === null ? null : kept(rendered),
        documentTasks: [],
      },
    };
  };
  return doneOf(await governedCall<Ended>(deps.tenant, admitOf(request), run, deps.observe));
}

const admitOf = (request: DocumentRequest): DocumentAdmit => ({
  kind: "document",
  callId: request.callId,
  requestId: request.requestId,
  route: request.route,
  caller: request.caller,
  userId: request.userId,
  idempotency: request.idempotency,
  document: request.document,
});

const nothingRan = (value: Ended): Run<Ended> => ({
  kind: "ended",
  value,
  ran: { items: [], verdicts: [], account: null, reply: null, documentTasks: null },
});

const kept = ({ contentType, body }: Rendered) =>
  body.byteLength > MAX_KEPT_BYTES ? null : { contentType, body: body.slice().buffer };

function doneOf(outcome: GovernedOutcome<Ended>): DocumentDone | DocumentFailure {
  switch (outcome.kind) {
    case "replayed": {
      const { reply, line, standing } = outcome;
      if (reply === null) {
        const journalLineId = line.callId;
        return { kind: "idempotency_replay_unavailable", journalLineId, charged: charged(line) };
      }
      const rendered = { contentType: reply.contentType, body: new Uint8Array(reply.body) };
      return { kind: "done", rendered, microNeurons: charged(line), standing, replayed: true };
    }
    case "settled": {
      const { settlement, standing } = outcome.reply;
      const microNeurons = settlement.kind === "unknown_hold" ? ZERO : charged(settlement.line);
      return ended(outcome.value, { microNeurons, standing });
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

const ended = (
  value: Ended,
  at: Pick<DocumentDone, "microNeurons" | "standing">,
): DocumentDone | DocumentFailure =>
  "body" in value ? { kind: "done", rendered: value, replayed: false, ...at } : value;
