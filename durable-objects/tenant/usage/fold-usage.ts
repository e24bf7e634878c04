import type { Adjustment } from "../../../src/domain/ledger/adjustment.ts";
import type { JournalLine } from "../../../src/domain/ledger/ledger.ts";
import { addWork } from "../../../src/domain/ledger/day-totals.ts";
import { type Day, dayOf } from "../../../src/domain/ledger/period.ts";
import {
  type CallHour,
  firstHourOf,
  hourOf,
  MOST_USERS_A_DAY,
} from "../../../src/domain/usage/report-rows.ts";
import {
  type Fold,
  foldLines,
  givenBackOf,
  hourKey,
  NO_CALLS,
  plusCalls,
  plusUsage,
  plusUser,
} from "../../../src/domain/usage/usage-fold.ts";
import { foldSplits } from "../../../src/domain/usage/usage-split.ts";
import { eventsOf, type EventWork, withoutZeros } from "../../../src/domain/usage/work.ts";
import { lastIdBefore } from "../../id-range.ts";
import type { TenantStores } from "../stores.ts";
import type { Tx } from "../transactions.ts";
import { logVerdictsOf, nextSequence } from "../verdicts/moderation-log.ts";
import type { FeedState } from "./feed-store.ts";
import { addSplits } from "../usage-splits/usage-splits.ts";
import { userKey } from "./usage-row-store.ts";

// The journal, folded into the rows of the reports: each line exactly once. The cursor moves
// in the transaction that changes the rows. Nothing of it is in the way of a call.
//
// Lines are taken in the order in which they settled, of which the journal has no index. They need
// none: a line that settled after a time N was open at N, or was admitted after it. The ids of the
// first kind are known. Those of the second begin with a time that is not long before N, since an
// admission under an older id is refused (`FeedStore.isBefore`). So new lines lie in a range of ids,
// `fromId` and up, whatever the journal's length. Lines that settled in the very millisecond of the
// fold are left to the next one: others may still settle in it. The clock is written with each fold, so
// that it never goes back behind it.
//
// A journal from before there was a feed is walked first: all its ids before the first `fromId`.

/** Lines in one transaction: it keeps calls waiting for some milliseconds. */
export const LINES_A_STEP = 500;

/** Whether the lines of all days before that one are folded: none is needed here any more. */
export function isFoldedBefore({ stores: { feed } }: Tx, day: Day): boolean {
  const state = feed.read();
  return state !== null && state.walkedId === null && !feed.isAnyLeft(state, day);
}

/**
 * - `more`: there is more to fold at once;
 * - `later`: what settled in this very millisecond is left;
 * - `done`: all is folded.
 */
export type Folded = "more" | "later" | "done";

/**
 * Folds some lines.
 *
 * @param usersADay end users who have a row of their own on a day; the others have one together
 */
export function foldUsage(tx: Tx, usersADay: number = MOST_USERS_A_DAY): Folded {
  const known = tx.stores.feed.read();
  const before = known ?? firstState(tx);
  const { lines, next, folded } =
    before.walkedId === null ? settledLines(tx, before) : walkedLines(tx, before, before.walkedId);
  const sequence = before.sequence + lines.length + 1;
  const refused = foldRefusals(tx, before, sequence);
  if (lines.length === 0 && refused.rows === 0 && known !== null && next === before) return folded;
  const slotOf = slotsOf(tx.stores.reportRows, usersADay);
  writeFold(tx, foldLines(lines), { sequence, slotOf });
  addSplits(tx.stores, foldSplits(lines), { slotOf, usersADay });
  if (known === null) {
    foldAdjustments(tx, sequence);
    foldWork(tx, sequence);
  }
  logVerdictsOf(tx, lines, sequence);
  tx.stores.feed.write({ ...next, sequence, refusalsFrom: refused.from });
  tx.stores.ledger.keepClock();
  return refused.more ? "more" : folded;
}

interface Taken {
  readonly lines: readonly JournalLine[];
  readonly next: FeedState;
  readonly folded: Folded;
}

function firstState(tx: Tx): FeedState {
  return {
    sequence: 0,
    fromId: boundAt(tx),
    walkedId: "",
    settledAtMs: -1,
    settledId: "",
    refusalsFrom: 0,
    epoch: 0,
    rebuild: null,
  };
}

/** The least id of any line that settles from now on. */
function boundAt({ stores: { ledger, batches, pipelines }, nowMs }: Tx): string {
  const rounds = [batches.oldestRound(), pipelines.oldestRound()];
  const open = ledger.openHolds().map(({ callId }) => callId);
  const bounds = [lastIdBefore("jnl", nowMs), ...open];
  // Their calls are admitted under the round's time, however long it takes.
  for (const round of rounds) if (round !== null) bounds.push(lastIdBefore("jnl", round));
  return leastOf(bounds);
}

function walkedLines({ stores: { journal } }: Tx, before: FeedState, walkedId: string): Taken {
  const lines = journal.linesBetween(walkedId, before.fromId, LINES_A_STEP);
  const isOver = lines.length < LINES_A_STEP;
  const last = isOver ? null : (lines.at(-1)?.callId ?? null);
  // What settled since waits behind it.
  return { lines, next: { ...before, walkedId: last }, folded: "more" };
}

function settledLines(tx: Tx, before: FeedState): Taken {
  const after = { settledAtMs: before.settledAtMs, id: before.settledId };
  const found = tx.stores.journal.linesSettledAfter(before.fromId, after, LINES_A_STEP + 1);
  const ripe = found.filter((line) => line.settledAtMs < tx.nowMs).slice(0, LINES_A_STEP);
  const last = ripe.at(-1);
  const isAll = found.length <= LINES_A_STEP;
  const left = found.slice(ripe.length).map(({ callId }) => callId);
  const folded = !isAll ? "more" : left.length > 0 ? "later" : "done";
  if (last === undefined)
    return { lines: [], next: before, folded: left.length > 0 ? "later" : "done" };
  const fromId = isAll ? leastOf([boundAt(tx), ...left]) : before.fromId;
  const next = { ...before, fromId, settledAtMs: last.settledAtMs, settledId: last.callId };
  return { lines: ripe, next, folded };
}

const leastOf = (ids: readonly string[]): string => ids.reduce((a, b) => (a < b ? a : b));

function writeFold(
  { stores: { reportRows } }: Tx,
  fold: Fold,
  { sequence, slotOf }: { readonly sequence: number; readonly slotOf: SlotOf },
): void {
  for (const [key, more] of fold.usage) {
    const before = reportRows.read("usage_hour", key);
    const sum = before === null ? more : plusUsage(before, more);
    reportRows.write({ kind: "usage_hour", key, row: { ...sum, sequence } });
  }
  for (const more of fold.calls.values()) addCalls(reportRows, more, sequence);
  for (const { day, userId, ...more } of fold.users.values()) {
    const slot = slotOf(day, userId);
    const key = userKey(day, slot);
    const before = reportRows.read("user_day", key) ?? {
      day,
      slot,
      userId: slot === 0 ? "" : userId,
      calls: 0,
      microNeurons: 0,
    };
    reportRows.write({ kind: "user_day", key, row: { ...plusUser(before, more), sequence } });
  }
}

function addCalls(
  reportRows: TenantStores["reportRows"],
  more: Omit<CallHour, "sequence">,
  sequence: number,
): void {
  const key = hourKey(more.hour);
  const before = reportRows.read("call_hour", key) ?? NO_CALLS(more.hour);
  reportRows.write({ kind: "call_hour", key, row: { ...plusCalls(before, more), sequence } });
}

/** Those from before there was a feed: they are few. */
function foldAdjustments({ stores: { adjustments, reportRows } }: Tx, sequence: number): void {
  for (const made of adjustments.ofDays(0, Number.MAX_SAFE_INTEGER)) {
    addCalls(reportRows, givenBackOf(made), sequence);
  }
}

/** Work that was counted before there was a feed: its hour is not known, so it goes to the day's first. */
function foldWork({ stores: { ledger, journal, reportRows } }: Tx, sequence: number): void {
  ledger.flush();
  for (const { day, totals } of journal.listPeriods(0, Number.MAX_SAFE_INTEGER)) {
    const work = eventsOf(totals.work ?? {});
    if (Object.keys(work).length === 0) continue;
    addCalls(reportRows, { ...NO_CALLS(firstHourOf(day)), work }, sequence);
  }
}

/** Counts what was done, in the transaction that does it: in the day's totals and in the hour's row. */
export function countWork(tx: Tx, done: EventWork): void {
  const work = withoutZeros(done);
  if (Object.keys(work).length === 0) return;
  const { nowMs, stores } = tx;
  const { ledger, reportRows } = stores;
  const period = ledger.period(dayOf(nowMs));
  ledger.change({ ...period, totals: addWork(period.totals, work) });
  const sequence = nextSequence(tx);
  if (sequence === null) return;
  addCalls(reportRows, { ...NO_CALLS(hourOf(nowMs)), work }, sequence);
}

/** An adjustment, in its own transaction. Before the first fold nothing is done: that one finds it. */
export function foldAdjustment(tx: Tx, made: Adjustment): void {
  const sequence = nextSequence(tx);
  if (sequence !== null) addCalls(tx.stores.reportRows, givenBackOf(made), sequence);
}

type SlotOf = (day: Day, userId: string) => number;

/** A user's own place, or the one of all that came after so many others. A fold asks for each once. */
function slotsOf(reportRows: TenantStores["reportRows"], usersADay: number): SlotOf {
  const found = new Map<string, number>();
  return (day, userId) => {
    const name = `${day}|${userId}`;
    const slot = found.get(name) ?? slotFor(reportRows, { day, userId }, usersADay);
    found.set(name, slot);
    return slot;
  };
}

function slotFor(
  reportRows: TenantStores["reportRows"],
  { day, userId }: { readonly day: Day; readonly userId: string },
  usersADay: number,
): number {
  const known = reportRows.slotOf(day, userId);
  if (known !== null) return known;
  const slot = reportRows.lastSlot(day) + 1;
  if (slot > usersADay) return 0;
  reportRows.giveSlot(day, userId, slot);
  return slot;
}

// Refusals are counted by the minute, in rows that grow: of an hour that may have grown the whole is
// taken, in place of what was there. So it does not matter how often that is done.

const MINUTE_MS = 60_000;

/** Minutes folded in one transaction: a day. */
const MINUTES_A_STEP = 1440;

export interface FoldedRefusals {
  /** Rows that changed. */
  readonly rows: number;
  /** Before this minute all are counted. */
  readonly from: number;
  readonly more: boolean;
}

function foldRefusals(
  { stores: { refusals, reportRows }, nowMs }: Tx,
  { refusalsFrom }: FeedState,
  sequence: number,
): FoldedRefusals {
  refusals.flush();
  const minute = Math.floor(nowMs / MINUTE_MS);
  const first = refusals.firstMinute(startOfHour(refusalsFrom));
  if (first === null) return { rows: 0, from: Math.max(refusalsFrom, minute), more: false };
  const start = startOfHour(first);
  const end = start + MINUTES_A_STEP;
  const byHour = Map.groupBy(refusals.sumByHour(start, end), ({ hour }) => hour);
  let rows = 0;
  for (const [hour, counts] of byHour) {
    const key = hourKey(hour);
    const before = reportRows.read("call_hour", key) ?? { ...NO_CALLS(hour), sequence: 0 };
    const refused = Object.fromEntries(counts.map(({ kind, count }) => [kind, count]));
    if (isSame(before.refused, refused)) continue;
    reportRows.write({ kind: "call_hour", key, row: { ...before, refused, sequence } });
    rows += 1;
  }
  const more = end <= hourOf(nowMs) * 60;
  return { rows, from: more ? end : minute, more };
}

const startOfHour = (minute: number): number => minute - (minute % 60);

const isSame = (
  a: Readonly<Record<string, number>>,
  b: Readonly<Record<string, number>>,
): boolean =>
  Object.keys(a).length === Object.keys(b).length &&
  Object.entries(b).every(([kind, count]) => a[kind] === count);
