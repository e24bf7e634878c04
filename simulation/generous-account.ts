import type { AccountAnswer, AccountMessage } from "../durable-objects/account/account-protocol.ts";
import { type Admission, admit } from "../durable-objects/tenant/calls/admit.ts";
import { senderOf } from "../durable-objects/tenant/account/account-client.ts";
import type { AdmitReply, AdmitRequest } from "../durable-objects/tenant/protocol.ts";
import type { Tx } from "../durable-objects/tenant/transactions.ts";
import { CHUNK_MS } from "../src/domain/account/account-rates.ts";
import type { Missing } from "../src/domain/account/account-budget.ts";
import { LEASE_MS } from "../src/domain/account/lease.ts";
import { plus } from "../src/domain/ledger/micro-neurons.ts";
import { dayOf } from "../src/domain/ledger/period.ts";

// An account that refuses nothing, for tests of a single tenant.

const UNITS = 1_000_000;

/** The account's answer: all that is asked for. */
export function answerFreely(
  { notice, lease, rates, probe }: AccountMessage,
  nowMs: number,
): Extract<AccountAnswer, { kind: "answered" }> {
  const classes = new Set(rates?.calls.flatMap((call) => Object.keys(call)));
  const permits = [...classes].map((name) => [name, { units: UNITS, forMs: CHUNK_MS }]);
  return {
    kind: "answered",
    view: { notice, isPooled: true, closure: null, sizes: null },
    lease:
      lease === null
        ? null
        : {
            seq: lease.seq,
            granted: lease.need === null ? lease.allowance : plus(lease.allowance, lease.need.want),
            deadlineMs: nowMs + LEASE_MS,
            refused: null,
            repeated: false,
          },
    rates: { permits: Object.fromEntries(permits), refused: {} },
    outlook: null,
    mayProbe: probe,
    nowMs,
  };
}

/** Admits within one transaction, in which a test or a bench counts rows: the account is only thought of. */
export function admitWithLease(tx: Tx, request: AdmitRequest): AdmitReply {
  for (;;) {
    const reply: Admission = admit(tx, request);
    if (reply.kind !== "needs_lease") return reply;
    grantFreely(tx, reply.missing);
  }
}

function grantFreely({ stores: { budget, ledger }, profile, nowMs }: Tx, missing: Missing): void {
  const message = {
    ...senderOf(profile),
    lease: budget.need([missing], ledger.use(dayOf(nowMs)), null),
    rates: budget.rates([missing]),
    news: null,
    notice: budget.account.notice,
    spent: [],
    probe: missing.probe,
    look: null,
  };
  const answer = answerFreely(message, nowMs);
  const view = { ...answer.view, isPooled: budget.account.isPooled, closure: ledger.closure() };
  budget.applyAnswer(message, { ...answer, view }, { wallMs: budget.wallMs, nowMs });
}
