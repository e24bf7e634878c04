import type {
  Admitted,
  AdmitFailure,
  AdmitReply,
  AdmitRequest,
  CallAdmit,
  Replayed,
  SettleReply,
  SettleRequest,
} from "../../durable-objects/tenant/protocol.ts";
import type { ServiceFailure } from "../domain/ledger/failure.ts";
import { type Hold, heldItem, parentOf } from "../domain/ledger/ledger.ts";
import { isTransient } from "../io/object-error.ts";

// A governed call from admission to settlement, with everything that can go wrong. Only this file knows
// the order:
//
//   admit    an unclear failure is repeated with the same id; if it stays unclear, nothing runs:
//            `unavailable` if the object could not be reached, `internal` if its code threw
//   run      with the hold; if it throws, the call may still have used an engine
//   settle   an unclear failure is repeated; if it stays unclear, the outcome is `unconfirmed`
//   observe  metrics get the items; nothing depends on it
//
// A call with a streamed answer returns while it still runs: it is settled when the stream has ended.
// If this Worker dies meanwhile, the hold expires and is charged.

/** What every admission has of its call, and nothing else of it. */
export const callAdmit = (call: CallAdmit): CallAdmit => ({
  callId: call.callId,
  requestId: call.requestId,
  route: call.route,
  caller: call.caller,
  userId: call.userId,
  context: call.context,
  ...parentOf(call),
  idempotency: call.idempotency,
  ...(call.requestTaken === true && { requestTaken: true }),
});

/** The two methods of a tenant's object that a call needs. */
export interface Tenant {
  admit(request: AdmitRequest): Promise<AdmitReply>;
  settle(request: SettleRequest): Promise<SettleReply>;
}

/** The result of a call, without its id. */
export type Ran = Omit<SettleRequest, "callId">;

/** For metrics: gets the items of a call, whether or not its settlement was confirmed. */
export type Observe = (items: Ran["items"]) => void;

export type Run<Value> =
  | { readonly kind: "ended"; readonly value: Value; readonly ran: Ran }
  /** `value` may be returned to the caller at once; `ran` resolves when nothing runs any more. */
  | { readonly kind: "streaming"; readonly value: Value; readonly ran: Promise<Ran> };

export interface Settled<Value> {
  readonly kind: "settled";
  readonly admitted: Admitted;
  readonly value: Value;
  readonly reply: SettleReply;
}

/** It ran, but its settlement could not be confirmed: its hold is charged, or will be. */
export interface Unconfirmed<Value> {
  readonly kind: "unconfirmed";
  readonly admitted: Admitted;
  readonly value: Value;
}

export interface Streaming<Value> {
  readonly kind: "streaming";
  readonly admitted: Admitted;
  readonly value: Value;
  /** Resolves when the call is settled, or will be by its hold's deadline. Never rejects. */
  readonly settled: Promise<void>;
}

export type GovernedOutcome<Value> =
  | Settled<Value>
  | Unconfirmed<Value>
  | Streaming<Value>
  | Replayed
  | AdmitFailure
  | Extract<ServiceFailure, { kind: "unavailable" | "settlement_unavailable" | "internal" }>;

/** Everything in a call ends before its hold does: 60 s of its 90. */
export const RUN_MS = 60_000;

/** The waits before the repeats of an RPC with an unclear outcome. */
const REPEAT_AFTER_MS = [50, 200, 800];

/**
 * @param tenant makes a new stub for each try: a stub that threw is broken
 * @param run runs the plan; it needs the admitted hold to call an engine
 * @param observe called once with the items of an admitted call; must not throw
 */
export async function governedCall<Value>(
  tenant: () => Tenant,
  request: AdmitRequest,
  run: (admitted: Admitted) => Promise<Run<Value>>,
  observe: Observe = () => undefined,
): Promise<GovernedOutcome<Value>> {
  const { callId } = request;
  const settle = async (ran: Ran): Promise<SettleReply | null> => {
    const settled = await withRepeats(() => tenant().settle({ callId, ...ran }));
    observe(ran.items);
    if (settled.kind === "replied") return settled.reply;
    logUnlessTransient("settle_failed", request.requestId, settled.error);
    return null;
  };

  const admission = await withRepeats(() => tenant().admit(request));
  if (admission.kind === "failed") {
    // If it was admitted after all, nothing ran: the hold is settled as voided, or expires.
    await withRepeats(() => tenant().settle({ callId, ...NOTHING_RAN }));
    observe(NOTHING_RAN.items);
    logUnlessTransient("admit_failed", request.requestId, admission.error);
    return { kind: isTransient(admission.error) ? "unavailable" : "internal" };
  }
  const admitted = admission.reply;
  if (admitted.kind !== "admitted") return admitted;

  const running = await orNull(() => run(admitted));
  if (running?.kind === "streaming") {
    const ended = orNull(() => running.ran);
    const settled = ended.then((ran) => settle(ran ?? unknownRun(admitted.hold)));
    const { value } = running;
    return { kind: "streaming", admitted, value, settled: settled.then(() => undefined) };
  }
  const reply = await settle(running?.ran ?? unknownRun(admitted.hold));
  const confirmed = reply !== null && reply.settlement.kind !== "unknown_hold";
  if (running === null) return { kind: confirmed ? "internal" : "settlement_unavailable" };
  const { value } = running;
  return confirmed
    ? { kind: "settled", admitted, value, reply }
    : { kind: "unconfirmed", admitted, value };
}

const NOTHING_RAN: Ran = { items: [], verdicts: [], account: null, reply: null };

/** The result after an unexpected exception: the use of engines is unknown, so the hold is charged. */
const unknownRun = (hold: Hold): Ran => ({ ...NOTHING_RAN, items: hold.stages.map(heldItem) });

/** Null when `work` threw or rejected. */
async function orNull<Result>(work: () => Promise<Result>): Promise<Result | null> {
  try {
    return await work();
  } catch {
    return null;
  }
}

type Repeated<Reply> =
  | { readonly kind: "replied"; readonly reply: Reply }
  /** The outcome stayed unclear; `error` is the last exception. */
  | { readonly kind: "failed"; readonly error: unknown };

async function withRepeats<Reply>(send: () => Promise<Reply>): Promise<Repeated<Reply>> {
  for (let tries = 0; ; tries += 1) {
    try {
      // oxlint-disable-next-line no-await-in-loop -- one try after the other
      return { kind: "replied", reply: await send() };
    } catch (error) {
      const waitMs = REPEAT_AFTER_MS[tries];
      if (waitMs === undefined) return { kind: "failed", error };
      // oxlint-disable-next-line no-await-in-loop -- the wait between tries
      await new Promise((resolve) => setTimeout(resolve, waitMs));
    }
  }
}

/** Logs only the name of an exception: its message may contain content. */
function logUnlessTransient(event: string, requestId: string, error: unknown): void {
  if (isTransient(error)) return;
  const name = error instanceof Error ? error.name : "unknown";
  const line = { level: "error", event, request_id: requestId, error: name };
  // oxlint-disable-next-line no-console -- structured logs go to the console
  console.error(JSON.stringify(line));
}
