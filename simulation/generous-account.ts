import { type Admission, admit } from "../durable-objects/tenant/calls/admit.ts";
import { senderOf } from "../durable-objects/tenant/account/account-client.ts";
import type { Tx } from "../durable-objects/tenant/transactions.ts";
import type { AdmitReply, AdmitRequest } from "../durable-objects/tenant/protocol.ts";
import { CHUNK_MS } from "../src/domain/account/account-rates.ts";
import type { Missing } from "../src/domain/account/account-budget.ts";
import { LEASE_MS } from "../src/domain/account/lease.ts";
import { plus } from "../src/domain/ledger/micro-neurons.ts";
import { dayOf } from "../src/domain/ledger/period.ts";

// An account that refuses nothing, for what looks at a tenant alone.

const UNITS = 1_000_000;

/** Within a transaction. */
export function admitWithLease(tx: Tx, request: AdmitRequest): AdmitReply {
  for (;;) {
    const reply: Admission = admit(tx, request);
    if (reply.kind !== "needs_lease") return reply;
    coverFreely(tx, reply.missing);
  }
}

function coverFreely(
  { stores: { budget: cover, ledger }, profile, nowMs }: Tx,
  missing: Missing,
): void {
  const lease = cover.need([missing], ledger.use(dayOf(nowMs)), null);
  const ask = {
    ...senderOf(profile),
    lease,
    rates: null,
    news: null,
    notice: cover.account.notice,
    spent: [],
    probe: missing.probe,
    look: null,
  };
  const permits = Object.keys(missing.rates).map((name) => [
    name,
    { units: UNITS, forMs: CHUNK_MS },
  ]);
  cover.hear(
    ask,
    {
      kind: "answered",
      view: { ...cover.account, closure: ledger.closure(), sizes: null },
      lease:
        lease === null || lease.need === null
          ? null
          : {
              seq: lease.seq,
              granted: plus(lease.allowance, lease.need.want),
              deadlineMs: nowMs + LEASE_MS,
              refused: null,
              repeated: false,
            },
      rates: { permits: Object.fromEntries(permits), refused: {} },
      outlook: null,
      mayProbe: missing.probe,
      nowMs,
    },
    { wallMs: cover.wallMs, nowMs },
  );
}
