import type {
  Admitted,
  AdmitFailure,
  AdmitReply,
  AdmitRequest,
  Replayed,
  SettleReply,
  SettleRequest,
} from "../../durable-objects/tenant/protocol.ts";
import type { ServiceFailure } from "../domain/ledger/failure.ts";
import { type Hold, heldItem } from "../domain/ledger/ledger.ts";
import { isTransient } from "../io/object-error.ts";

// The life of a governed call, and all that can go wrong in it. Only this file knows the order:
//
//   admit    an unclear failure is repeated with the same id; if it stays unclear, nothing runs:
//            `unavailable` if the object could not be asked, `internal` if its code threw
//   run      with the hold; whatever is thrown here, the call may have used an engine
//   settle   an unclear failure is repeated; if it stays unclear, the caller is told so
//   observe  what ran is told to whoever measures; nothing depends on it
//
// A call that answers with a stream is given back while it still runs: it is settled when the
// stream has ended. If this Worker dies on the way, the hold expires and is charged.

/** The two verbs of a tenant's object that a call needs. */
export interface Tenant {
  admit(request: AdmitRequest): Promise<AdmitReply>;
  settle(request: SettleRequest): Promise<SettleReply>;
}

/** What a call came to, without its id. */
export type Ran = Omit<SettleRequest, "callId">;

/** What measures: of each stage what it came to, whether or not its settlement was confirmed. */
export type Observe = (items: Ran["items"]) => void;

export type Run<Value> =
  | { readonly kind: "ended"; readonly value: Value; readonly ran: Ran }
  /** `value` may be given to the caller at once; `ran` resolves when nothing runs any more. */
  | { readonly kind: "streaming"; readonly value: Value; readonly ran: Promise<Ran> };

export interface Settled<Value> {
  readonly kind: "settled";
  readonly admitted: Admitted;
  readonly value: Value;
  readonly reply: SettleReply;
}

/** It ran, and its settlement could not be confirmed: its hold is, or will be, charged. */
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

/** Waits before the repeats of an RPC whose outcome is unclear. */
const REPEAT_AFTER_MS = [50, 200, 800];

/**
 * @param tenant a new stub for each try: one that threw is broken
 * @param run runs the plan; the hold that it gets is its licence to call an engine
 * @param observe must not throw; told once of what an admitted call came to
 */
export async function governedCall<Value>(
  tenant: () => Tenant,
  request: AdmitRequest,
  run: (admitted: Admitted) => Promise<Run<Value>>,
  observe: Observe = () => undefined,
): Promise<GovernedOutcome<Value>> {
  const { callId } = request;
  const settle = async (ran: Ran): Promise<SettleReply | null> => {
    const settled = await repeated(() => tenant().settle({ callId, ...ran }));
    observe(ran.items);
    if (settled.kind === "replied") return settled.reply;
    logUnlessTransient("settle_failed", request.requestId, settled.error);
    return null;
  };

  const asked = await repeated(() => tenant().admit(request));
  if (asked.kind === "failed") {
    // Should it have been admitted after all, nothing ran: the hold is given back, or expires.
    await repeated(() => tenant().settle({ callId, ...NOTHING_RAN }));
    observe(NOTHING_RAN.items);
    logUnlessTransient("admit_failed", request.requestId, asked.error);
    return { kind: isTransient(asked.error) ? "unavailable" : "internal" };
  }
  const admitted = asked.reply;
  if (admitted.kind !== "admitted") return admitted;

  const running = await attempted(() => run(admitted));
  if (running?.kind === "streaming") {
    const ended = attempted(() => running.ran);
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

/** Something was thrown where nothing should be: what the engines used is not known. */
const unknownRun = (hold: Hold): Ran => ({ ...NOTHING_RAN, items: hold.stages.map(heldItem) });

/** Null when it threw, at once or later. */
async function attempted<Result>(work: () => Promise<Result>): Promise<Result | null> {
  try {
    return await work();
  } catch {
    return null;
  }
}

type Repeated<Reply> =
  | { readonly kind: "replied"; readonly reply: Reply }
  /** The outcome stayed unclear. `error` is the last one. */
  | { readonly kind: "failed"; readonly error: unknown };

async function repeated<Reply>(ask: () => Promise<Reply>): Promise<Repeated<Reply>> {
  for (let tries = 0; ; tries += 1) {
    try {
      // oxlint-disable-next-line no-await-in-loop -- one try after the other
      return { kind: "replied", reply: await ask() };
    } catch (error) {
      const waitMs = REPEAT_AFTER_MS[tries];
      if (waitMs === undefined) return { kind: "failed", error };
      // oxlint-disable-next-line no-await-in-loop -- the wait between them
      await new Promise((resolve) => setTimeout(resolve, waitMs));
    }
  }
}

/** Its name only: the message of an exception may hold content. */
function logUnlessTransient(event: string, requestId: string, error: unknown): void {
  if (isTransient(error)) return;
  const name = error instanceof Error ? error.name : "unknown";
  const line = { level: "error", event, request_id: requestId, error: name };
  // oxlint-disable-next-line no-console -- structured logs go to the console
  console.error(JSON.stringify(line));
}
