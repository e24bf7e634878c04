import type { Admitted, LimitStatus } from "../../durable-objects/tenant/protocol.ts";
import { type GovernedOutcome, governedCall, type Run } from "../calls/governed-call.ts";
import { admittedModels, type Usage } from "../domain/catalogue/catalogue.ts";
import { charged } from "../domain/ledger/ledger.ts";
import { type ModelOutcome, askModels } from "../engines/engine-call.ts";
import type { Unanswered } from "../engines/engine.ts";
import type { ChatStream } from "../engines/inference.ts";
import {
  type CallEvent,
  callEvents,
  type CallEvents,
  type OpenedStream,
  type StreamHead,
} from "./call-events.ts";
import {
  admitOf,
  type GenerationCallFailure,
  type GenerationDeps,
  generationIn,
  type GenerationRequest,
  type PrepareFailure,
  runEndsMs,
  runFailure,
} from "./generation-call.ts";
import { type ChatGuard, logprobsRefusal } from "./chat-guard.ts";
import { guardStream, withheldStream } from "./guard-stream.ts";
import { pumpStream } from "./pump-stream.ts";
import {
  accountOf,
  type EndedCall,
  failureOf,
  type GenerationContext,
  type GenerationRunFailure,
  itemOf,
  TIMEOUT_MS,
  closureNews,
} from "./run-generation.ts";

// A governed chat with a streamed answer. Until every answer has its first byte, it can fail like any other
// call. From then on it is a stream, which is settled when it has ended.

/** The time limit for everything before the first byte, including retries and fallbacks. */
const START_MS = 60_000;

export interface StreamRequest extends Omit<GenerationRequest<"chat">, "render"> {
  /** The caller's text for each event, by surface; empty for none. */
  readonly render: (head: StreamHead) => (event: CallEvent) => string | Promise<string>;
}

export interface Streamed extends StreamHead {
  readonly kind: "streamed";
  readonly body: ReadableStream<Uint8Array>;
  readonly standing: LimitStatus | null;
  /**
   * Resolves when the stream is written and the call is settled, or will be by its hold's deadline. Never
   * rejects.
   */
  readonly ended: Promise<void>;
}

type Failed = GenerationRunFailure | PrepareFailure;

type Value =
  | {
      readonly kind: "open";
      readonly body: ReadableStream<Uint8Array>;
      readonly head: StreamHead;
      readonly done: Promise<void>;
    }
  | { readonly kind: "none"; readonly failure: Failed };

export async function streamCall(
  { config, engine, tenant, judgeText, observe }: GenerationDeps,
  request: StreamRequest,
): Promise<Streamed | GenerationCallFailure> {
  const modelOf = admittedModels(config.prices);
  const admission = admitOf(request, true);
  const run = async (admitted: Admitted): Promise<Run<Value>> => {
    const { hold } = admitted;
    const stage = generationIn(hold);
    const keeping = {
      generation: admitted.generation,
      keepsResponse: admitted.keepsResponse === true,
    };
    const controller = new AbortController();
    const late = setTimeout(() => controller.abort(), START_MS);
    try {
      const context = { engine, hold, stage, modelOf, signal: controller.signal };
      const unready = (await request.prepare?.(controller.signal)) ?? null;
      if (unready !== null) return notOpened(unready, []);
      const guarding = { ...context, judgeText, deadlineMs: runEndsMs(hold) };
      const guard = request.guard?.open(admitted, guarding) ?? null;
      const refused = logprobsRefusal(guard, () => request.inference(stage.model, stage, 0));
      if (refused !== null) return notOpened(refused, []);
      if (guard !== null && (await guard.prompt())) {
        return withheld(context, request, { guard, keeping });
      }
      return await opened(context, request, { guard, keeping, end: () => controller.abort() });
    } finally {
      clearTimeout(late);
    }
  };
  return streamedOf(await governedCall<Value>(tenant, admission, run, observe));
}

/** What is known of the tenant with the admission. */
type Keeping = Pick<StreamHead, "generation" | "keepsResponse">;

type StreamOutcome = ModelOutcome<ChatStream | Unanswered>;

/** Asks for every answer, and opens the call's stream when all have begun. */
async function opened(
  waiting: GenerationContext,
  request: StreamRequest,
  stream: {
    readonly guard: ChatGuard | null;
    readonly keeping: Keeping;
    readonly end: () => void;
  },
): Promise<Run<Value>> {
  const { guard, keeping, end } = stream;
  const context = { ...waiting, startedMs: Date.now() };
  const { engine, hold, stage, signal } = context;
  const open = engine.streamChat;
  const calls = await Promise.all(
    stage.calls.map((_, at) =>
      askModels<ChatStream | Unanswered>([stage.model, ...stage.fallbacks], async (model) =>
        open === null
          ? { kind: "unsupported" }
          : open(hold, request.inference(model, stage, at), { timeoutMs: TIMEOUT_MS, signal }),
      ),
    ),
  );
  const account = engine.name === "workers-ai" ? accountOf(calls) : null;
  const streams = calls.flatMap((one): OpenedStream[] =>
    one.outcome.kind === "streaming" ? [{ asked: one, events: one.outcome.events }] : [],
  );
  if (streams.length < calls.length) {
    end();
    await Promise.all(streams.map(({ events }) => events.return()));
    const item = itemOf(context, "chat", calls.map(unopenedCall));
    const news = closureNews(account, guard?.account() ?? null);
    return notOpened(
      failureOf({ kind: "chat", engine: engine.name }, calls),
      [item, ...(guard?.items() ?? [])],
      news,
    );
  }
  const head = { hold, stage, ...keeping, model: calls.at(-1)?.model ?? stage.model };
  const events = callEvents(context, streams);
  const guarded = guard === null ? events : guardStream(guard, events);
  return pumped(guarded, request, { head, end, account, guard });
}

/** The stream of a withheld prompt: the model is not asked, and each answer ends before it begins. */
function withheld(
  context: GenerationContext,
  request: StreamRequest,
  { guard, keeping }: { readonly guard: ChatGuard; readonly keeping: Keeping },
): Run<Value> {
  const { hold, stage } = context;
  const items = [itemOf(context, "chat", [])];
  const closed = { kind: "closed", items, complete: true } as const;
  const events = withheldStream(guard, stage.calls.length, closed);
  const head = { hold, stage, ...keeping, model: stage.model };
  return pumped(events, request, { head, end: () => undefined, account: null, guard });
}

function pumped(
  events: CallEvents,
  request: StreamRequest,
  stream: {
    readonly head: StreamHead;
    readonly end: () => void;
    readonly account: "exhausted" | "answered" | null;
    readonly guard: ChatGuard | null;
  },
): Run<Value> {
  const { head, end, account, guard } = stream;
  const { body, closed, done } = pumpStream(events, request.render(head), end);
  const ran = closed.then(({ items }) => ({
    items,
    verdicts: [],
    account: closureNews(account, guard?.account() ?? null),
    reply: null,
  }));
  return { kind: "streaming", value: { kind: "open", body, head, done }, ran };
}

/** Also for an answer that had begun: it was cut off because of another one, and may have used its bound. */
function unopenedCall(asked: StreamOutcome): EndedCall {
  if (!asked.ran) return { asked, end: { kind: "not_run" } };
  const { outcome } = asked;
  return {
    asked,
    end: { kind: "unknown", usage: usageOf(outcome) },
  };
}

function usageOf(outcome: StreamOutcome["outcome"]): Usage | null {
  if (outcome.kind === "streaming") return outcome.servedBy === undefined ? null : {};
  return outcome.kind === "failed" ? outcome.usage : null;
}

const notOpened = (
  failure: Failed,
  items: Extract<Run<Value>, { kind: "ended" }>["ran"]["items"],
  account: "exhausted" | "answered" | null = null,
): Run<Value> => ({
  kind: "ended",
  value: { kind: "none", failure },
  ran: { items, verdicts: [], account, reply: null },
});

function streamedOf(outcome: GovernedOutcome<Value>): Streamed | GenerationCallFailure {
  switch (outcome.kind) {
    case "streaming": {
      const { value, admitted, settled } = outcome;
      if (value.kind === "none") throw new Error("a stream that was not opened");
      const ended = Promise.all([settled, value.done]).then(() => undefined);
      const { body, head } = value;
      return { kind: "streamed", ...head, body, standing: admitted.limits, ended };
    }
    case "settled":
      return failed(outcome.value, outcome.reply.standing);
    case "unconfirmed":
      return failed(outcome.value, outcome.admitted.limits);
    case "replayed": {
      // The events of a stream are not stored.
      const { line } = outcome;
      const journalLineId = line.callId;
      return { kind: "idempotency_replay_unavailable", journalLineId, charged: charged(line) };
    }
    default:
      return outcome;
  }
}

function failed(value: Value, standing: LimitStatus | null): GenerationCallFailure {
  if (value.kind === "open") throw new Error("a stream is not settled before it has ended");
  return runFailure(value.failure, standing);
}
