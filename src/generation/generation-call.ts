import type {
  Admitted,
  AdmitFailure,
  CallAdmit,
  LimitStatus,
  GenerationAdmit,
  Replayed,
  StoredReply,
} from "../../durable-objects/tenant/protocol.ts";
import {
  callAdmit,
  type GovernedOutcome,
  governedCall,
  type Observe,
  type Run,
  RUN_MS,
  type Tenant,
} from "../calls/governed-call.ts";
import type { Config } from "../config.ts";
import { admittedModels } from "../domain/catalogue/catalogue.ts";
import type {
  EngineFailure,
  QuotaFailure,
  RequestFailure,
  ServiceFailure,
} from "../domain/ledger/failure.ts";
import { type CallId, charged, type Hold, type Item } from "../domain/ledger/ledger.ts";
import { type MicroNeurons, ZERO } from "../domain/ledger/micro-neurons.ts";
import {
  type GenerationKind,
  type GenerationStage,
  isGeneration,
  type Measured,
} from "../domain/generation/plan-generation.ts";
import type { Engine } from "../engines/engine.ts";
import type { Answered, Inferences } from "../engines/inference.ts";
import { type GuardContext, type GuardResults, logprobsRefusal } from "./chat-guard.ts";
import type { GuardRequest } from "./guard-request.ts";
import { runGuarded } from "./run-guarded.ts";
import { cachedRun } from "./cached-run.ts";
import type { CacheUse } from "./response-cache.ts";
import { type GenerationRunFailure, runGeneration } from "./run-generation.ts";

// A governed call that generates something: one request to one model, one hold, one line.

/** How long a hold lasts after everything in the call has ended: time for the settlement. */
const SETTLE_MS = 30_000;

/** A longer reply is not stored for a repeat of its idempotency key. */
const MAX_KEPT_BYTES = 65_536;

/** The caller and the ids of a call: the same for every route. */
export interface GenerationCaller extends CallAdmit {
  /** `skip`: the cache is not used; `refresh`: it is only written. */
  readonly cacheMode?: CacheMode;
}

export type CacheMode = "use" | "skip" | "refresh";

export interface GenerationRequest<Kind extends GenerationKind>
  extends GenerationCaller, Pick<GenerationAdmit, "stores" | "keepsResponse" | "embeds"> {
  readonly kind: Kind;
  /** As the caller named it. */
  readonly model: string;
  readonly measured: Extract<Measured, { kind: Kind }>;
  readonly fit: boolean;
  /** Calls of the engine that run at once; absent: as many as its kind may. */
  readonly atOnce?: number;
  /** For a chat: the request of a guard, which the policy may turn on. */
  readonly guard?: GuardRequest;
  /** Loads what the engine needs, such as pictures at URLs. */
  readonly prepare?: (signal: AbortSignal) => Promise<PrepareFailure | null>;
  /** The engine's input, for the admitted model and number of tokens. */
  readonly inference: (model: string, stage: GenerationStage, at: number) => Inferences[Kind];
  /** The caller's reply; a failure when it needs something more that is not available. */
  readonly render: (
    made: Made<Kind>,
  ) => Rendered | GenerationRunFailure | Promise<Rendered | GenerationRunFailure>;
}

/** Then nothing runs and nothing is charged. */
export type PrepareFailure = Extract<RequestFailure, { kind: "invalid_request" }>;

/** The result, for the reply's body. */
export interface Made<Kind extends GenerationKind> {
  readonly answers: readonly Answered<Kind>[];
  /** The index of the planned call for each answer. */
  readonly at: readonly number[];
  readonly item: Item;
  /** All items of the line: the generation's own, then its guard's. */
  readonly items: readonly Item[];
  readonly guard: GuardResults | null;
  readonly hold: Hold;
  readonly stage: GenerationStage;
  /** The generation of the tenant in which it was made. */
  readonly generation: number;
  /** Whether the answer may be kept as a response. */
  readonly keepsResponse: boolean;
}

export interface Rendered {
  readonly contentType: string;
  readonly body: Uint8Array<ArrayBuffer>;
  /** In the place of `body`, which is empty: a text that is too long for memory, and is never kept. */
  readonly pieces?: Iterable<string>;
  /** Ids of stored documents whose text it may quote; absent: of none. */
  readonly quotes?: readonly string[];
  /**
   * The set of vectors that was written, and is found from the call's line on. Null: it could not be
   * written, and the reply is not kept. Absent: it makes no vectors of a document.
   */
  readonly vectors?: string | null;
}

export const renderedJson = (value: unknown): Rendered => ({
  contentType: "application/json",
  body: new TextEncoder().encode(JSON.stringify(value)).slice(),
});

/** The value of a reply that was made with `renderedJson`. */
export const renderedValue = ({ body }: Rendered): unknown =>
  JSON.parse(new TextDecoder().decode(body));

export interface Generation {
  readonly kind: "generated";
  /** The call that made it, which has the journal line: of a repeat, the first one. */
  readonly callId: CallId;
  readonly rendered: Rendered;
  readonly microNeurons: MicroNeurons;
  readonly standing: LimitStatus | null;
  readonly replayed: boolean;
  /** The token limit of each engine call; null for kinds that do not generate tokens. */
  readonly maxTokens: number | null;
  /** Whether that is less than requested, so that the call fits. */
  readonly clamped: boolean;
  /** Whether the answer came from the cache; absent when the tenant has no cache. */
  readonly cache?: "hit" | "miss";
}

export type GenerationCallFailure =
  | AdmitFailure
  | EngineFailure
  | Extract<RequestFailure, { kind: "unsupported_parameter" }>
  | QuotaFailure
  | Extract<ServiceFailure, { kind: "unavailable" | "settlement_unavailable" | "internal" }>;

export interface GenerationDeps extends Pick<GuardContext, "judgeText"> {
  readonly config: Config;
  readonly engine: Engine;
  readonly tenant: () => Tenant;
  /** Absent: this deployment has no cache. */
  readonly cache?: CacheUse;
  readonly observe?: Observe;
}

interface Ended {
  readonly made: Rendered | GenerationRunFailure | PrepareFailure;
  /** Null: nothing ran. */
  readonly item: Item | null;
  readonly stage: GenerationStage;
  readonly cache?: "hit" | "miss";
}

export async function generationCall<Kind extends GenerationKind>(
  deps: GenerationDeps,
  request: GenerationRequest<Kind>,
): Promise<Generation | GenerationCallFailure> {
  const { config, engine, tenant, judgeText } = deps;
  const modelOf = admittedModels(config.prices);
  const admission = admitOf(request, false);
  const run = async (admitted: Admitted, signal: AbortSignal): Promise<Run<Ended>> => {
    const { hold, generation } = admitted;
    const stage = generationIn(hold);
    const unready = (await request.prepare?.(signal)) ?? null;
    if (unready !== null) return nothingRan({ made: unready, item: null, stage });
    const context = { engine, hold, stage, modelOf, signal, atOnce: request.atOnce };
    const inference = (model: string, at: number) => request.inference(model, stage, at);
    const guarding = { ...context, judgeText, deadlineMs: runEndsMs(hold) };
    const guard = request.guard?.open(admitted, guarding) ?? null;
    const refused = logprobsRefusal(guard, () => inference(stage.model, 0));
    if (refused !== null) return nothingRan({ made: refused, item: null, stage });
    const ask = () =>
      cachedRun(deps, { admitted, request, stage }, () =>
        runGeneration(context, request.kind, inference),
      );
    const { item, account, result, items, cache } = await runGuarded(context, guard, ask);
    const made =
      result.kind === "answered"
        ? await request.render({
            answers: result.answers,
            at: result.at,
            item,
            items,
            guard: guard?.results() ?? null,
            hold,
            stage,
            generation,
            keepsResponse: admitted.keepsResponse === true,
          })
        : result;
    const vectors = "body" in made ? made.vectors : undefined;
    const isKept = request.idempotency !== null && vectors !== null;
    const reply = "body" in made && isKept ? keptReply(made) : null;
    return {
      kind: "ended",
      value: { made, item, stage, ...(cache !== undefined && { cache }) },
      ran: {
        items,
        verdicts: [],
        account,
        reply,
        ...(typeof vectors === "string" && { vectors }),
      },
    };
  };
  const inTime = (admitted: Admitted) => beforeDeadline((signal) => run(admitted, signal));
  const outcome = await governedCall<Ended>(tenant, admission, inTime, deps.observe);
  return generationOf(request.callId, outcome);
}

/** No timer is left behind: one that waits keeps an object in memory. */
async function beforeDeadline<Result>(
  run: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const controller = new AbortController();
  const late = setTimeout(() => controller.abort(), RUN_MS);
  try {
    return await run(controller.signal);
  } finally {
    clearTimeout(late);
  }
}

export const runEndsMs = (hold: Hold): number => hold.deadlineMs - SETTLE_MS;

const nothingRan = (value: Ended): Run<Ended> => ({
  kind: "ended",
  value,
  ran: { items: [], verdicts: [], account: null, reply: null },
});

export const admitOf = <Kind extends GenerationKind>(
  {
    stores,
    keepsResponse,
    embeds,
    ...request
  }: Omit<GenerationRequest<Kind>, "prepare" | "inference" | "render">,
  streamed: boolean,
): GenerationAdmit => ({
  ...callAdmit(request),
  kind: "generation",
  model: request.model,
  measured: request.measured,
  fit: request.fit,
  streamed,
  guard: request.guard?.ask ?? null,
  ...(stores !== undefined && { stores }),
  ...(keepsResponse !== undefined && { keepsResponse }),
  ...(embeds !== undefined && { embeds }),
});

/** @throws Error for a hold of another kind of call, which is a bug */
export function generationIn(hold: Hold): GenerationStage {
  const stage = hold.stages.find(isGeneration);
  if (stage === undefined) throw new Error("the hold plans no generation");
  return stage;
}

/** A reply as it is stored for a repeat; null: it is too long. */
export const keptReply = ({ contentType, body, pieces, quotes }: Rendered): StoredReply | null =>
  pieces !== undefined || body.byteLength > MAX_KEPT_BYTES
    ? null
    : { contentType, body: body.slice().buffer, ...(quotes !== undefined && { quotes }) };

function generationOf(
  callId: CallId,
  outcome: GovernedOutcome<Ended>,
): Generation | GenerationCallFailure {
  switch (outcome.kind) {
    case "replayed":
      return replay(outcome);
    case "settled": {
      const { settlement, standing } = outcome.reply;
      const microNeurons =
        settlement.kind === "unknown_hold"
          ? (outcome.value.item?.microNeurons ?? ZERO)
          : charged(settlement.line);
      return ended(outcome.value, { callId, microNeurons, standing });
    }
    // The hold is stored, so the result may be returned without its settlement: it will be charged.
    case "unconfirmed":
      return ended(outcome.value, {
        callId,
        microNeurons: outcome.admitted.hold.held,
        standing: outcome.admitted.limits,
      });
    case "streaming":
      throw new Error("this call does not stream");
    default:
      return outcome;
  }
}

function ended(
  { made, stage, cache }: Ended,
  at: Pick<Generation, "callId" | "microNeurons" | "standing">,
): Generation | GenerationCallFailure {
  if ("body" in made) {
    const { maxTokens, clamped } = stage;
    const generated = { kind: "generated", rendered: made, replayed: false } as const;
    return { ...generated, maxTokens, clamped, ...(cache !== undefined && { cache }), ...at };
  }
  return runFailure(made, at.standing);
}

/** A failure of the engine in the form for the caller. */
export function runFailure(
  failure: GenerationRunFailure | PrepareFailure,
  standing: LimitStatus | null,
): Exclude<GenerationRunFailure, { kind: "account_exhausted" }> | PrepareFailure | QuotaFailure {
  if (failure.kind !== "account_exhausted") return failure;
  if (standing === null) return { kind: "engine_failed", charged: false };
  return { kind: "account_quota_exceeded", neurons: standing.neurons, nowMs: standing.nowMs };
}

function replay(outcome: Replayed): Generation | GenerationCallFailure {
  const again = givenAgain(outcome);
  if (again.kind !== "again") return again;
  const { callId } = outcome.line;
  return { ...again, kind: "generated", callId, replayed: true, maxTokens: null, clamped: false };
}

/** The reply of a call whose idempotency key is repeated. */
export function givenAgain({ reply, line, standing }: Replayed) {
  const microNeurons = charged(line);
  if (reply === null) {
    const journalLineId = line.callId;
    return {
      kind: "idempotency_replay_unavailable",
      journalLineId,
      charged: microNeurons,
    } as const;
  }
  const { contentType } = reply;
  const rendered: Rendered = { contentType, body: new Uint8Array(reply.body) };
  return { kind: "again", rendered, microNeurons, standing } as const;
}
