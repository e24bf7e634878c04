import {
  drawable,
  drawOn,
  type GrantDraw,
  NONE_OPEN,
  type OpenGrants,
  addDrawn,
  type Drawn,
  draw,
  NOTHING_DRAWN,
  posted,
  type QuotaTerms,
} from "./quota.ts";
import { least, type MicroNeurons, minus, minusOrZero, plus, sum, ZERO } from "./micro-neurons.ts";
import type { Day } from "./period.ts";
import type { PlannedStage } from "../moderation/stage.ts";
import type { Usage } from "../catalogue/catalogue.ts";

// Two-phase accounting. A call reserves a hold (*pending*), which becomes exactly one journal line: *posted*
// with the call's use, *voided* when no engine ran, or *expired* with the held amount when its deadline
// passed. A line never changes again.

/** `jnl_` and a ULID, drawn by the router: a repeated admit or settle names the same call. */
export type CallId = string;

/** How an amount was determined, from the most certain to the least. */
export const BASES = ["measured", "counted", "estimated", "held"] as const;
export type Basis = (typeof BASES)[number];

/** What a call was made for, beside its request; each is absent where there is none. */
export interface CallParent {
  /** The chat session whose message it answers. */
  readonly sessionId?: string;
  /** The document that it stores, or works on. */
  readonly documentId?: string;
  /** The run of a pipeline, or the batch, that made it. */
  readonly runId?: string;
  /** The step of that run, such as `summarize`; the steps of a batch have no names. */
  readonly step?: string;
}

export const parentOf = ({ sessionId, documentId, runId, step }: CallParent): CallParent => ({
  ...(sessionId !== undefined && { sessionId }),
  ...(documentId !== undefined && { documentId }),
  ...(runId !== undefined && { runId }),
  ...(step !== undefined && { step }),
});

declare const admitted: unique symbol;

/**
 * An admitted call. Only the tenant's object makes one (through `makeHold`), and every engine call
 * takes one: no engine runs without a hold.
 */
export interface Hold extends CallParent {
  readonly [admitted]: true;
  readonly callId: CallId;
  readonly requestId: string;
  readonly route: string;
  readonly keyId: string | null;
  readonly userId: string | null;
  /** The caller's own label of the call; absent: there is none. */
  readonly context?: string;
  /** The period of the call: the day on which it was admitted. */
  readonly day: Day;
  readonly admittedAtMs: number;
  readonly deadlineMs: number;
  /** The version of the catalogue whose prices apply. */
  readonly priceBook: string;
  /** The sum of the stages' bounds. */
  readonly held: MicroNeurons;
  readonly stages: readonly PlannedStage[];
}

export const makeHold = (fields: Omit<Hold, typeof admitted | "held">): Hold =>
  ({ ...fields, held: sum(fields.stages.map((stage) => stage.bound)) }) as Hold;

/** The charge of one stage. */
export interface Item {
  /** The index of the content item in the call. */
  readonly content: number;
  readonly stage: string;
  readonly input: string;
  /** The model that ran; null when none did. */
  readonly model: string | null;
  readonly engine: string | null;
  /** The catalogue id whose price applied. */
  readonly pricedAs: string;
  readonly task: string;
  /** Engine calls made: one for each window of a long text. */
  readonly calls: number;
  readonly units: Usage;
  readonly microNeurons: MicroNeurons;
  /** Use beyond the stage's bound: the platform pays for it, never the tenant. */
  readonly overrun: MicroNeurons;
  readonly basis: Basis;
  readonly failed: boolean;
  /** From the first engine call to the last answer; absent when no engine was asked, or when unknown. */
  readonly latencyMs?: number;
}

export type LineOutcome = "posted" | "voided" | "expired";

export interface JournalLine extends CallParent {
  readonly callId: CallId;
  readonly requestId: string;
  readonly route: string;
  readonly keyId: string | null;
  readonly userId: string | null;
  /** The caller's own label of the call; absent: there is none. */
  readonly context?: string;
  /** The verdict of a call that made exactly one. */
  readonly verdictId: string | null;
  readonly day: Day;
  readonly admittedAtMs: number;
  readonly settledAtMs: number;
  readonly outcome: LineOutcome;
  readonly held: MicroNeurons;
  readonly drawn: Drawn;
  /** The draws on grants; their sum is `drawn.granted`. */
  readonly grants: readonly GrantDraw[];
  readonly overrun: MicroNeurons;
  /** The rate of the overage drawn, USD per 1,000 neurons; null when there is none. */
  readonly overageUsdPer1000: string | null;
  readonly priceBook: string;
  readonly items: readonly Item[];
  /** Counts of its verdicts, by name (`day-totals.ts`); absent: `verdictId` implies them. */
  readonly verdicts?: Readonly<Record<string, number>>;
}

export const charged = (line: JournalLine): MicroNeurons => posted(line.drawn);

/** The result of a settle. All but `unknown_hold` are a success for the caller. */
export type Settlement =
  | { readonly kind: "settled"; readonly line: JournalLine }
  /** A repeated settle: the line that was posted; nothing changes. */
  | { readonly kind: "already_settled"; readonly line: JournalLine }
  /** The hold had expired: the verdict is stored and the charge stays as it was. */
  | { readonly kind: "settled_late"; readonly line: JournalLine }
  /** Never admitted here, or admitted in an earlier generation of the tenant. */
  | { readonly kind: "unknown_hold" };

export interface SettleTerms {
  readonly terms: QuotaTerms;
  /** The amounts that the hold's day has drawn so far. */
  readonly drawn: Drawn;
  /** Absent: none. */
  readonly grants?: OpenGrants;
  readonly nowMs: number;
}

/** The line of a call that ended: `posted`, or `voided` when no engine ran. */
export function post(
  hold: Hold,
  items: readonly Item[],
  verdictId: string | null,
  at: SettleTerms,
): JournalLine {
  const outcome = items.every(neverRan) ? "voided" : "posted";
  return lineOf(hold, { outcome, items, verdictId, at });
}

/** The line of a call that was never settled: an engine may have run, so the hold is charged. */
export const expire = (hold: Hold, at: SettleTerms): JournalLine =>
  lineOf(hold, { outcome: "expired", items: hold.stages.map(heldItem), verdictId: null, at });

const neverRan = (item: Item): boolean => item.model === null && item.microNeurons === 0;

/** The item of a stage with an unknown result: charged at its bound. */
export const heldItem = (stage: PlannedStage): Item => ({
  content: stage.content,
  stage: stage.name,
  input: stage.input,
  model: stage.model,
  engine: null,
  pricedAs: stage.model,
  task: stage.task,
  calls: stage.calls.length,
  units: stage.units,
  microNeurons: stage.bound,
  overrun: ZERO,
  basis: "held",
  failed: true,
});

function lineOf(
  hold: Hold,
  end: {
    readonly outcome: LineOutcome;
    readonly items: readonly Item[];
    readonly verdictId: string | null;
    readonly at: SettleTerms;
  },
): JournalLine {
  const items = withinHold(end.items, hold.held);
  const amount = sum(items.map((item) => item.microNeurons));
  const { terms, drawn: before, grants = NONE_OPEN } = end.at;
  const drawn = amount === 0 ? NOTHING_DRAWN : draw(terms, before, amount, drawable(grants));
  return {
    callId: hold.callId,
    requestId: hold.requestId,
    route: hold.route,
    keyId: hold.keyId,
    userId: hold.userId,
    ...parentOf(hold),
    ...(hold.context !== undefined && { context: hold.context }),
    verdictId: end.verdictId,
    day: hold.day,
    admittedAtMs: hold.admittedAtMs,
    settledAtMs: end.at.nowMs,
    outcome: end.outcome,
    held: hold.held,
    drawn,
    grants: drawOn(grants, drawn.granted),
    overrun: sum(items.map((item) => item.overrun)),
    overageUsdPer1000: drawn.overage > 0 ? terms.overageUsdPer1000 : null,
    priceBook: hold.priceBook,
    items,
  };
}

/** The second guard: items are already capped at their own bounds. The line's amount stays their sum. */
function withinHold(items: readonly Item[], held: MicroNeurons): readonly Item[] {
  let left = held;
  return items.map((item) => {
    const { microNeurons, overrun } = capped(item.microNeurons, left);
    left = minus(left, microNeurons);
    return { ...item, microNeurons, overrun: plus(item.overrun, overrun) };
  });
}

/** An `amount` charged under a bound: never more than was held; the rest is overrun. */
export const capped = (
  amount: MicroNeurons,
  bound: MicroNeurons,
): { readonly microNeurons: MicroNeurons; readonly overrun: MicroNeurons } => ({
  microNeurons: least(amount, bound),
  overrun: minusOrZero(amount, bound),
});

export const drawnAfter = (drawn: Drawn, line: JournalLine): Drawn => addDrawn(drawn, line.drawn);
