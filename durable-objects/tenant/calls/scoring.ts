import { type RateUnits, withScoreShare } from "../../../src/domain/ledger/rate-limit.ts";
import type { Hold } from "../../../src/domain/ledger/ledger.ts";
import { rateUnits } from "../../../src/domain/moderation/stage.ts";
import { limitStatus } from "./call-standing.ts";
import type { Tx } from "../transactions.ts";
import type { Admitted } from "../protocol.ts";

// Calls that are scored inside the Worker: the rates are all that they take.

/** Its reply is made before it is settled, so it has the limits at once. */
export const scoringAdmitted = (
  tx: Tx,
  { hold, byScoreKey }: { readonly hold: Hold; readonly byScoreKey: boolean },
): Admitted => ({
  kind: "admitted",
  hold,
  policy: null,
  limits: limitStatus(tx, unitsOf(rateUnits(hold.stages), byScoreKey)),
  generation: tx.profile.generation,
});

/** Keys of role `score` have a share of each rate, all of them together. */
export const unitsOf = (units: RateUnits, byScoreKey: boolean): RateUnits =>
  byScoreKey ? withScoreShare(units) : units;
