import type { JournalLine } from "../../../src/domain/ledger/ledger.ts";
import type { Day } from "../../../src/domain/ledger/period.ts";
import type { Adjustment } from "../../../src/domain/ledger/adjustment.ts";
import { type CallHour, MOST_USERS_A_DAY } from "../../../src/domain/usage/report-rows.ts";
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
import { lastIdBefore } from "../../id-range.ts";
import type { FeedState } from "./feed-store.ts";
import { foldRefusals } from "./fold-refusals.ts";
import { logVerdictsOf, nextSequence } from "../verdicts/moderation-log.ts";
import type { TenantStores } from "../stores.ts";
import type { Profile } from "../profile-store.ts";
import { userKey } from "./usage-row-store.ts";

// The journal, folded into the rows of the reports: each line exactly once, in steps that move the
// cursor and change the rows in one transaction. Nothing of it is in the way of a call.
//
// Lines are taken in the order in which they settled, of which the journal has no index. They need
// none: a line that settled after a time N was open at N, or was admitted after it. The ids of the
// first kind are known. Those of the second begin with a time that is not long before N, since an
// admission under an older id is refused (`isTooOld`). So what is new lies in a range of ids,
// `fromId` and up, whatever the journal's length. Lines that settled in the very millisecond of the
// step are left to the next one: others may still settle in it. The clock is written with each step, so
// that it never goes back behind it.
//
// A journal from before there was a feed is walked first: all its ids before the first `fromId`.

/** Lines in one step: it keeps calls waiting for some milliseconds. */
export const LINES_A_STEP = 500;

/** The id of a call was drawn so long ago that its line could escape the fold. */
export function isTooOld({ feed }: TenantStores, callId: string): boolean {
  const state = feed.read();
  return state !== null && callId < state.fromId;
}

/** Whether the lines of all days before that one are folded: none is needed here any more. */
export function isFoldedBefore({ feed }: TenantStores, day: Day): boolean {
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
 * One step.
 *
 * @param usersADay end users who have a row of their own on a day; the others have one together
 */
export function foldUsage(
  parts: TenantStores,
  profile: Profile,
  nowMs: number,
  usersADay: number = MOST_USERS_A_DAY,
): Folded {
  const known = parts.feed.read();
  const before = known ?? firstState(parts, nowMs);
  const { lines, next, folded } =
    before.walkedId === null
      ? settledLines(parts, before, nowMs)
      : walkedLines(parts, before, before.walkedId);
  const sequence = before.sequence + lines.length + 1;
  const refused = foldRefusals(parts, before, { nowMs, sequence });
  if (lines.length === 0 && refused.rows === 0 && known !== null && next === before) return folded;
  writeFold(parts, foldLines(lines), { sequence, usersADay });
  if (known === null) foldAdjustments(parts, sequence);
  logVerdictsOf(parts, profile, lines, sequence);
  parts.feed.write({ ...next, sequence, refusalsFrom: refused.from });
  parts.ledger.keepClock();
  return refused.more ? "more" : folded;
}

interface Taken {
  readonly lines: readonly JournalLine[];
  readonly next: FeedState;
  readonly folded: Folded;
}

function firstState(parts: TenantStores, nowMs: number): FeedState {
  return {
    sequence: 0,
    fromId: boundAt(parts, nowMs),
    walkedId: "",
    settledAtMs: -1,
    settledId: "",
    refusalsFrom: 0,
    epoch: 0,
    rebuild: null,
  };
}

/** The least id of any line that settles from now on. */
function boundAt({ ledger, batches }: TenantStores, nowMs: number): string {
  const round = batches.oldestRound();
  const open = ledger.openHolds().map(({ callId }) => callId);
  const bounds = [lastIdBefore("jnl", nowMs), ...open];
  // Its items are admitted under the round's time, however long it takes.
  if (round !== null) bounds.push(lastIdBefore("jnl", round));
  return leastOf(bounds);
}

function walkedLines({ journal }: TenantStores, before: FeedState, walkedId: string): Taken {
  const lines = journal.linesBetween(walkedId, before.fromId, LINES_A_STEP);
  const isOver = lines.length < LINES_A_STEP;
  const last = isOver ? null : (lines.at(-1)?.callId ?? null);
  // What settled since waits behind it.
  return { lines, next: { ...before, walkedId: last }, folded: "more" };
}

function settledLines(parts: TenantStores, before: FeedState, nowMs: number): Taken {
  const after = { settledAtMs: before.settledAtMs, id: before.settledId };
  const found = parts.journal.linesSettledAfter(before.fromId, after, LINES_A_STEP + 1);
  const ripe = found.filter((line) => line.settledAtMs < nowMs).slice(0, LINES_A_STEP);
  const last = ripe.at(-1);
  const isAll = found.length <= LINES_A_STEP;
  const left = found.slice(ripe.length).map(({ callId }) => callId);
  const folded = !isAll ? "more" : left.length > 0 ? "later" : "done";
  if (last === undefined)
    return { lines: [], next: before, folded: left.length > 0 ? "later" : "done" };
  const fromId = isAll ? leastOf([boundAt(parts, nowMs), ...left]) : before.fromId;
  const next = { ...before, fromId, settledAtMs: last.settledAtMs, settledId: last.callId };
  return { lines: ripe, next, folded };
}

const leastOf = (ids: readonly string[]): string => ids.reduce((a, b) => (a < b ? a : b));

function writeFold(
  { reportRows }: TenantStores,
  fold: Fold,
  { sequence, usersADay }: { readonly sequence: number; readonly usersADay: number },
): void {
  for (const [key, more] of fold.usage) {
    const before = reportRows.read("usage_hour", key);
    const sum = before === null ? more : plusUsage(before, more);
    reportRows.write({ kind: "usage_hour", key, row: { ...sum, sequence } });
  }
  for (const more of fold.calls.values()) addCalls(reportRows, more, sequence);
  for (const { day, userId, ...more } of fold.users.values()) {
    const slot = slotFor(reportRows, { day, userId }, usersADay);
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
function foldAdjustments({ adjustments, reportRows }: TenantStores, sequence: number): void {
  for (const made of adjustments.ofDays(0, Number.MAX_SAFE_INTEGER)) {
    addCalls(reportRows, givenBackOf(made), sequence);
  }
}

/** An adjustment, in the step that makes it. Before anything was folded, the first fold will find it. */
export function foldAdjustment(parts: TenantStores, made: Adjustment): void {
  const sequence = nextSequence(parts);
  if (sequence !== null) addCalls(parts.reportRows, givenBackOf(made), sequence);
}

/** A user's own place, or the one of all that came after so many others. */
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
