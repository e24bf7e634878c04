import type { RequestFailure } from "./failure.ts";
import { type GrantDraw, type Drawn, NOTHING_DRAWN, addDrawn, posted } from "./quota.ts";
import type { CallId, JournalLine } from "./ledger.ts";
import {
  formatNeurons,
  least,
  type MicroNeurons,
  minus,
  minusOrZero,
  sum,
  ZERO,
} from "./micro-neurons.ts";
import type { Day } from "./period.ts";

// An adjustment gives back all or a part of a line's charge. The line itself does not change: the adjustment
// is a journal line of its own with a negative amount, on the day of the adjusted line, so that a day's lines
// still add up to its `posted`.
//
// It gives back in the reverse of the order of drawing: first overage, which is money; then grants, the last
// drawn first; then the quota. So a line that is given back in part stands as if its call had been that much
// smaller. Overage is given back at the line's own rate: the tenant's debt falls by exactly the amount that
// the line charged.

export interface Adjustment {
  /** `jnl_` and a ULID, like any line. */
  readonly id: CallId;
  /** The line that it adjusts. */
  readonly adjusts: CallId;
  /** The day of the adjusted line. */
  readonly day: Day;
  /** When the adjusted line's call was admitted. */
  readonly admittedAtMs: number;
  readonly madeAtMs: number;
  readonly requestId: string;
  readonly reason: string;
  /** The amounts given back, all positive. */
  readonly givenBack: Drawn;
  readonly grants: readonly GrantDraw[];
  /** The line's rate; null when no overage is given back. */
  readonly overageUsdPer1000: string | null;
  readonly priceBook: string;
}

/** A line of the journal: a call or an adjustment. */
export type JournalEntry = JournalLine | Adjustment;

export const isAdjustment = (entry: JournalEntry): entry is Adjustment => "adjusts" in entry;

export const entryId = (entry: JournalEntry): CallId =>
  isAdjustment(entry) ? entry.id : entry.callId;

/** The `route` of adjustments, which distinguishes them from calls. */
export const ADJUSTMENT_ROUTE = "adjustment";

export interface AdjustmentRequest {
  readonly id: CallId;
  readonly requestId: string;
  readonly reason: string;
  /** Null: everything that is left. */
  readonly amount: MicroNeurons | null;
}

type Refused = Extract<RequestFailure, { kind: "invalid_request" }>;

const refused = (field: string, detail: string): Refused => ({
  kind: "invalid_request",
  errors: [{ path: [field], detail }],
});

/** The part of a line's charge that was not given back yet. */
export function leftOf(
  line: Pick<JournalLine, "drawn" | "grants">,
  earlier: readonly Adjustment[],
): Pick<JournalLine, "drawn" | "grants"> {
  const given = earlier.map(({ givenBack }) => givenBack).reduce(addDrawn, NOTHING_DRAWN);
  const back = earlier.flatMap(({ grants }) => grants);
  const { quota, granted, overage } = line.drawn;
  return {
    drawn: {
      quota: minus(quota, given.quota),
      granted: minus(granted, given.granted),
      overage: minus(overage, given.overage),
    },
    grants: line.grants.map(({ grantId, microNeurons }) => {
      const own = back.filter((draw) => draw.grantId === grantId);
      const gone = sum(own.map((draw) => draw.microNeurons));
      return { grantId, microNeurons: minus(microNeurons, gone) };
    }),
  };
}

/** @param earlier adjustments of the same line: together they never give back more than the line charged */
export function adjust(
  line: JournalLine,
  earlier: readonly Adjustment[],
  request: AdjustmentRequest & { readonly nowMs: number },
): { readonly kind: "adjusted"; readonly adjustment: Adjustment } | Refused {
  const left = leftOf(line, earlier);
  const most = posted(left.drawn);
  const amount = request.amount ?? most;
  if (most === 0)
    return refused(
      "line_id",
      "names a line that was already given back in full, or charged nothing",
    );
  if (amount > most) {
    return refused(
      "neurons",
      `must be at most ${formatNeurons(most)}, the part of that line that was not given back yet`,
    );
  }
  const overage = least(amount, left.drawn.overage);
  const granted = least(minus(amount, overage), left.drawn.granted);
  const quota = minusOrZero(minus(amount, overage), granted);
  return {
    kind: "adjusted",
    adjustment: {
      id: request.id,
      adjusts: line.callId,
      day: line.day,
      admittedAtMs: line.admittedAtMs,
      madeAtMs: request.nowMs,
      requestId: request.requestId,
      reason: request.reason,
      givenBack: { quota, granted, overage },
      grants: lastFirst(left.grants, granted),
      overageUsdPer1000: overage > 0 ? line.overageUsdPer1000 : null,
      priceBook: line.priceBook,
    },
  };
}

function lastFirst(draws: readonly GrantDraw[], amount: MicroNeurons): readonly GrantDraw[] {
  let missing = amount;
  return draws.toReversed().flatMap(({ grantId, microNeurons }) => {
    const back = least(missing, microNeurons);
    missing = minus(missing, back);
    return back === ZERO ? [] : [{ grantId, microNeurons: back }];
  });
}

/** The amounts drawn on a day after an adjustment. */
export const drawnLess = (drawn: Drawn, { givenBack }: Adjustment): Drawn => ({
  quota: minus(drawn.quota, givenBack.quota),
  granted: minus(drawn.granted, givenBack.granted),
  overage: minus(drawn.overage, givenBack.overage),
});

export const amountOf = ({ givenBack }: Adjustment): MicroNeurons => posted(givenBack);
