import type {
  Admitted,
  AdmitFailure,
  AdmitReply,
  AdmitRequest,
  Replayed,
  SettleReply,
  SettleRequest,
} from "../../durable-objects/tenant/protocol.ts";
import type { ServiceFailure } from "../domain/failure.ts";
import { type Hold, heldItem } from "../domain/ledger.ts";

// The life of a governed call, and all that can go wrong in it. Only this file knows the order:
//
//   admit    an unclear failure is repeated with the same id; if it stays unclear, nothing runs
//   run      with the hold; whatever is thrown here, the call may have used an engine
//   settle   an unclear failure is repeated; if it stays unclear, no verdict is returned
//
// If this Worker dies on the way, the hold expires and is charged.

/** The two verbs of a tenant's object that a call needs. */
export interface Tenant {
  admit(request: AdmitRequest): Promise<AdmitReply>;
  settle(request: SettleRequest): Promise<SettleReply>;
}

/** What a call came to, without its id. */
export type Ran = Omit<SettleRequest, "callId">;

export interface Settled {
  readonly kind: "settled";
  readonly hold: Hold;
  readonly ran: Ran;
  readonly reply: SettleReply;
}

export type GovernedOutcome =
  | Settled
  | Replayed
  | AdmitFailure
  | Extract<ServiceFailure, { kind: "unavailable" | "settlement_unavailable" | "internal" }>;

/** Waits before the repeats of an RPC whose outcome is unclear. */
const REPEAT_AFTER_MS = [50, 200, 800];

/**
 * @param tenant a new stub for each try: one that threw is broken
 * @param run runs the plan; the hold that it gets is its licence to call an engine
 */
export async function governedCall(
  tenant: () => Tenant,
  request: AdmitRequest,
  run: (admitted: Admitted) => Promise<Ran>,
): Promise<GovernedOutcome> {
  const { callId } = request;
  const admission = await repeated(() => tenant().admit(request));
  if (admission === null) {
    // Should it have been admitted after all, nothing ran: the hold is given back, or expires.
    await repeated(() => tenant().settle({ callId, ...NOTHING_RAN }));
    return { kind: "unavailable" };
  }
  if (admission.kind !== "admitted") return admission;

  const ran = await attempted(() => run(admission));
  const settled = ran ?? unknownRun(admission.hold);
  const reply = await repeated(() => tenant().settle({ callId, ...settled }));
  if (reply === null || reply.settlement.kind === "unknown_hold") {
    return { kind: "settlement_unavailable" };
  }
  if (ran === null) return { kind: "internal" };
  return { kind: "settled", hold: admission.hold, ran, reply };
}

const NOTHING_RAN: Ran = { items: [], verdicts: [], account: null };

/** Something was thrown where nothing should be: what the engines used is not known. */
const unknownRun = (hold: Hold): Ran => ({
  items: hold.stages.map(heldItem),
  verdicts: [],
  account: null,
});

/** Null when it threw, at once or later. */
async function attempted<Result>(work: () => Promise<Result>): Promise<Result | null> {
  try {
    return await work();
  } catch {
    return null;
  }
}

/** Null when the outcome stayed unclear. */
async function repeated<Reply>(ask: () => Promise<Reply>): Promise<Reply | null> {
  for (const waitMs of [...REPEAT_AFTER_MS, null]) {
    try {
      // oxlint-disable-next-line no-await-in-loop -- one try after the other
      return await ask();
    } catch {
      if (waitMs === null) return null;
      // oxlint-disable-next-line no-await-in-loop -- the wait between them
      await new Promise((resolve) => setTimeout(resolve, waitMs));
    }
  }
  return null;
}
