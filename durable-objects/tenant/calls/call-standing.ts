import { neuronBalance, rateStatuses } from "../../../src/domain/ledger/admission.ts";
import { ZERO } from "../../../src/domain/ledger/micro-neurons.ts";
import type { RateUnits } from "../../../src/domain/ledger/rate-limit.ts";
import type { Tx } from "../transactions.ts";
import type { LimitStatus } from "../protocol.ts";

/** @param units the classes that the call takes units of, which its headers show */
export function limitStatus(tx: Tx, units: RateUnits): LimitStatus {
  const now = tx.stores.ledger.standing(tx.profile);
  return {
    neurons: neuronBalance(now, ZERO),
    rates: rateStatuses(now, units),
    nowMs: now.nowMs,
  };
}
