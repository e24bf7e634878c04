import type { JournalLine } from "../../../src/domain/ledger/ledger.ts";
import { charged } from "../../../src/domain/ledger/ledger.ts";
import { type Day, dayOf, endOf, startOf } from "../../../src/domain/ledger/period.ts";
import { firstIdAfter, lastIdBefore, timeOfId } from "../../id-range.ts";
import type { LineSum, LineSumStore } from "./line-sum-store.ts";

// The lines of two days, looked through some at a time, to be held against what the ledger says that
// those days have posted. Both go on while the walk does. It goes by id, and a line that ends behind it
// is added as it ends: so at every moment the sum is that of all ended lines up to where the walk is,
// and at its end that of all. Nothing of it is stored: an object that starts anew begins anew.

/** Rows of the journal that one transaction reads. */
export const MOST_LINES = 5000;

/** The result of a walk is used for this long before it is made again. */
const FRESH_MS = 60_000;

type DaySum = Omit<LineSum, "day">;

interface Walk {
  readonly days: readonly Day[];
  readonly beforeId: string;
  readonly sums: Map<Day, DaySum>;
  /** The last id that was looked at. */
  at: string;
  steps: number;
}

/** How far it is: of a walk that has ended, what it found then. */
export interface WalkStatus {
  readonly isComplete: boolean;
  /** Calls drawn up to then were looked at; null: all of them. */
  readonly checkedToMs: number | null;
  readonly atMs: number;
  readonly lines: number;
  readonly brokenBounds: number;
  /** Days whose lines do not sum to what they have posted. */
  readonly wrongDays: number;
}

export class LineWalk {
  readonly #store: LineSumStore;
  readonly #postedOn: (day: Day) => number;
  #walk: Walk | null = null;
  #last: (WalkStatus & { readonly steps: number }) | null = null;

  /** @param postedOn what the ledger says that a day has posted, in µN */
  constructor(store: LineSumStore, postedOn: (day: Day) => number) {
    this.#store = store;
    this.#postedOn = postedOn;
  }

  /** A transaction that was rolled back may have added lines. */
  reset(): void {
    this.#walk = null;
  }

  get isRunning(): boolean {
    return this.#walk !== null;
  }

  /** Within a transaction: goes on with the walk, or begins a new one. */
  look(nowMs: number): WalkStatus {
    if (this.#walk === null) {
      const last = this.#last;
      if (last !== null && last.steps > 1 && nowMs - last.atMs < FRESH_MS) return last;
      this.#walk = begun(dayOf(nowMs));
    }
    return this.#step(this.#walk, nowMs);
  }

  /** As `look`, where one runs. */
  goOn(nowMs: number): void {
    if (this.#walk !== null) this.#step(this.#walk, nowMs);
  }

  /** A line has ended. What the walk has still to come to, it will read. */
  ended(line: JournalLine): void {
    if (this.#walk === null || line.callId > this.#walk.at) return;
    const { day, overrun } = line;
    add(this.#walk, day, {
      lines: 1,
      posted: charged(line),
      brokenBounds: overrun > 0 ? 1 : 0,
    });
  }

  #step(walk: Walk, nowMs: number): WalkStatus {
    const { rows, lastId, sums } = this.#store.sumLinesAfter(walk.at, walk.beforeId, MOST_LINES);
    for (const { day, ...sum } of sums) add(walk, day, sum);
    walk.steps += 1;
    if (lastId !== null) walk.at = lastId;
    const sum = total(walk);
    if (rows === MOST_LINES) {
      // A day that was found wrong stays so until a walk finds it right.
      const { brokenBounds = 0, wrongDays = 0 } = this.#last ?? {};
      return {
        isComplete: false,
        checkedToMs: timeOfId(walk.at),
        atMs: nowMs,
        lines: sum.lines,
        brokenBounds: Math.max(sum.brokenBounds, brokenBounds),
        wrongDays,
      };
    }
    const wrongDays = walk.days.filter((day) => {
      const posted = (walk.sums.get(day)?.posted ?? 0) - this.#store.adjustedOn(day);
      return posted !== this.#postedOn(day);
    }).length;
    this.#walk = null;
    this.#last = {
      isComplete: true,
      checkedToMs: null,
      atMs: nowMs,
      ...sum,
      wrongDays,
      steps: walk.steps,
    };
    return this.#last;
  }
}

const begun = (today: Day): Walk => ({
  days: [today - 1, today],
  beforeId: firstIdAfter("jnl", endOf(today)),
  sums: new Map(),
  at: lastIdBefore("jnl", startOf(today - 1)),
  steps: 0,
});

/** Ids of other days lie at both ends of the range. */
function add({ days, sums }: Walk, day: Day, more: DaySum): void {
  if (!days.includes(day)) return;
  const { lines, posted, brokenBounds } = sums.get(day) ?? NOTHING;
  sums.set(day, {
    lines: lines + more.lines,
    posted: posted + more.posted,
    brokenBounds: brokenBounds + more.brokenBounds,
  });
}

const NOTHING: DaySum = { lines: 0, posted: 0, brokenBounds: 0 };

const total = ({ sums }: Walk): Omit<DaySum, "posted"> => ({
  lines: [...sums.values()].reduce((count, sum) => count + sum.lines, 0),
  brokenBounds: [...sums.values()].reduce((count, sum) => count + sum.brokenBounds, 0),
});
