import { type Adjustment, amountOf } from "../ledger/adjustment.ts";
import type { Day } from "../ledger/period.ts";
import { charged, type Item, type JournalLine } from "../ledger/ledger.ts";
import { addLatency, mergeLatencies, NO_LATENCIES } from "./latency-histogram.ts";
import { dayOf } from "../ledger/period.ts";
import { countsOfLine } from "../moderation/verdict-counts.ts";
import { type CallHour, type Hour, hourOf, type UsageHour, type UserDay } from "./report-rows.ts";

// Journal lines, folded into what the reports are made of. A fold of some lines is what they add to
// the rows that there are: folds add up in any grouping, so each line counts once however the journal
// was cut into steps.

type Unnumbered<Row> = Omit<Row, "sequence">;

export interface Fold {
  readonly usage: ReadonlyMap<string, Unnumbered<UsageHour>>;
  readonly calls: ReadonlyMap<Hour, Unnumbered<CallHour>>;
  readonly users: ReadonlyMap<string, UserCharge>;
}

/** What a user's calls of a day came to. */
export interface UserCharge {
  readonly day: Day;
  readonly userId: string;
  readonly calls: number;
  readonly microNeurons: number;
}

export function foldLines(lines: readonly JournalLine[]): Fold {
  const usage = new Map<string, Unnumbered<UsageHour>>();
  const calls = new Map<Hour, Unnumbered<CallHour>>();
  const users = new Map<string, UserCharge>();
  for (const line of lines) {
    const hour = hourOf(line.admittedAtMs);
    const before = calls.get(hour);
    calls.set(hour, plusCalls(before ?? NO_CALLS(hour), callsOf(line)));
    for (const row of usageOf(line)) {
      const key = usageKey(row);
      const sofar = usage.get(key);
      usage.set(key, sofar === undefined ? row : plusUsage(sofar, row));
    }
    const { userId, day } = line;
    if (userId === null) continue;
    const key = `${day}|${userId}`;
    const user = users.get(key) ?? { day, userId, calls: 0, microNeurons: 0 };
    users.set(key, plusUser(user, { calls: 1, microNeurons: charged(line) }));
  }
  return { usage, calls, users };
}

/** One row for each of what ran; its calls are counted once, however many stages it had in them. */
function usageOf(line: JournalLine): readonly Unnumbered<UsageHour>[] {
  const rows = new Map<string, Unnumbered<UsageHour>>();
  for (const item of line.items) {
    if (!ranOrCost(item)) continue;
    const row = usageOfItem(line, item);
    const key = usageKey(row);
    const sofar = rows.get(key);
    rows.set(key, sofar === undefined ? row : plusUsage(sofar, row));
  }
  const took = tookMs(line);
  return [...rows.values()].map((row) => ({ ...row, latency: addLatency(NO_LATENCIES, took) }));
}

/** A stage that nobody was asked for is of no model, and costs nothing. */
const ranOrCost = ({ model, microNeurons, overrun }: Item): boolean =>
  model !== null || microNeurons > 0 || overrun > 0;

function usageOfItem(line: JournalLine, item: Item): Unnumbered<UsageHour> {
  const { microNeurons, basis, units } = item;
  return {
    hour: hourOf(line.admittedAtMs),
    model: item.model ?? item.pricedAs,
    engine: item.engine ?? "unknown",
    pricedAs: item.pricedAs,
    task: item.task,
    engineRequests: item.calls,
    failed: item.failed ? 1 : 0,
    inputTokens: units.input_token ?? 0,
    outputTokens: units.output_token ?? 0,
    units: { ...units },
    microNeurons,
    estimated: basis === "estimated" ? microNeurons : 0,
    held: basis === "held" ? microNeurons : 0,
    overrun: item.overrun,
    settledAfterMidnight: isLate(line) ? microNeurons : 0,
    latency: NO_LATENCIES,
  };
}

function callsOf(line: JournalLine): Unnumbered<CallHour> {
  const { outcome, drawn, overageUsdPer1000: rate } = line;
  return {
    hour: hourOf(line.admittedAtMs),
    calls: 1,
    posted: outcome === "posted" ? 1 : 0,
    voided: outcome === "voided" ? 1 : 0,
    expired: outcome === "expired" ? 1 : 0,
    failed: outcome === "posted" && line.items.some(({ failed }) => failed) ? 1 : 0,
    quota: drawn.quota,
    granted: drawn.granted,
    overage: drawn.overage,
    overageByRate: rate === null ? {} : { [rate]: drawn.overage },
    adjusted: 0,
    refused: {},
    verdicts: countsOfLine(line),
    latency: addLatency(NO_LATENCIES, tookMs(line)),
    settledAfterMidnight: isLate(line) ? charged(line) : 0,
  };
}

/** What an adjustment adds to the hour of the line that it adjusts. What ran, ran: no other row knows. */
export function givenBackOf(made: Adjustment): Unnumbered<CallHour> {
  const { quota, granted, overage } = made.givenBack;
  const { overageUsdPer1000: rate } = made;
  return {
    ...NO_CALLS(hourOf(made.admittedAtMs)),
    quota: 0 - quota,
    granted: 0 - granted,
    overage: 0 - overage,
    overageByRate: rate === null ? {} : { [rate]: 0 - overage },
    adjusted: 0 - amountOf(made),
  };
}

const tookMs = ({ admittedAtMs, settledAtMs }: JournalLine): number => settledAtMs - admittedAtMs;

const isLate = ({ settledAtMs, day }: JournalLine): boolean => dayOf(settledAtMs) > day;

/** What tells one row from the others, as it sorts: its hour first. */
export const usageKey = ({
  hour,
  model,
  engine,
  pricedAs,
  task,
}: Pick<UsageHour, "hour" | "model" | "engine" | "pricedAs" | "task">): string =>
  [inOrder(hour), model, engine, pricedAs, task].join("|");

/** Of an hour's calls. */
export const hourKey = (hour: Hour): string => inOrder(hour);

/** Numbers of hours and days as text that sorts like them, for some centuries. */
export const inOrder = (hourOrDay: number): string => String(hourOrDay).padStart(7, "0");

export const NO_CALLS = (hour: Hour): Unnumbered<CallHour> => ({
  hour,
  calls: 0,
  posted: 0,
  voided: 0,
  expired: 0,
  failed: 0,
  quota: 0,
  granted: 0,
  overage: 0,
  overageByRate: {},
  adjusted: 0,
  refused: {},
  verdicts: {},
  latency: NO_LATENCIES,
  settledAfterMidnight: 0,
});

/** Of the same hour, model, engine, price and task. */
export const plusUsage = (
  a: Unnumbered<UsageHour>,
  b: Unnumbered<UsageHour>,
): Unnumbered<UsageHour> => ({
  ...a,
  engineRequests: a.engineRequests + b.engineRequests,
  failed: a.failed + b.failed,
  inputTokens: a.inputTokens + b.inputTokens,
  outputTokens: a.outputTokens + b.outputTokens,
  units: plusCounts(a.units, b.units),
  microNeurons: a.microNeurons + b.microNeurons,
  estimated: a.estimated + b.estimated,
  held: a.held + b.held,
  overrun: a.overrun + b.overrun,
  settledAfterMidnight: a.settledAfterMidnight + b.settledAfterMidnight,
  latency: mergeLatencies([a.latency, b.latency]),
});

/** Of the same hour. */
export const plusCalls = (
  a: Unnumbered<CallHour>,
  b: Unnumbered<CallHour>,
): Unnumbered<CallHour> => ({
  hour: a.hour,
  calls: a.calls + b.calls,
  posted: a.posted + b.posted,
  voided: a.voided + b.voided,
  expired: a.expired + b.expired,
  failed: a.failed + b.failed,
  quota: a.quota + b.quota,
  granted: a.granted + b.granted,
  overage: a.overage + b.overage,
  overageByRate: plusCounts(a.overageByRate, b.overageByRate),
  adjusted: a.adjusted + b.adjusted,
  refused: plusCounts(a.refused, b.refused),
  verdicts: plusCounts(a.verdicts ?? {}, b.verdicts ?? {}),
  latency: mergeLatencies([a.latency, b.latency]),
  settledAfterMidnight: a.settledAfterMidnight + b.settledAfterMidnight,
});

export const plusUser = <User extends Pick<UserDay, "calls" | "microNeurons">>(
  user: User,
  more: Pick<UserDay, "calls" | "microNeurons">,
): User => ({
  ...user,
  calls: user.calls + more.calls,
  microNeurons: user.microNeurons + more.microNeurons,
});

function plusCounts(
  a: Readonly<Record<string, number>>,
  b: Readonly<Record<string, number>>,
): Readonly<Record<string, number>> {
  const sum: Record<string, number> = { ...a };
  for (const [key, count] of Object.entries(b)) sum[key] = (sum[key] ?? 0) + count;
  return sum;
}
