import { type Adjustment, amountOf } from "../ledger/adjustment.ts";
import type { Day } from "../ledger/period.ts";
import { charged, type Item, type JournalLine } from "../ledger/ledger.ts";
import { addLatency, NO_LATENCIES } from "./latency-histogram.ts";
import { dayOf } from "../ledger/period.ts";
import { countsOfLine } from "../ledger/day-totals.ts";
import { type CallHour, type Hour, hourOf, type UsageHour } from "./report-rows.ts";
import {
  addSums,
  CALL_FIELDS,
  emptySum,
  ENGINE_FIELDS,
  sumOfItem,
  USER_FIELDS,
  type UserSum,
} from "./usage-sum.ts";
import { DOCUMENT_ROUTES, workOfLine } from "./work.ts";

// Folds journal lines into the rows of the reports. A fold of some lines is what they add to the rows
// that exist. Folds add up in any grouping, so each line counts once however the journal is cut into
// steps.

type Unnumbered<Row> = Omit<Row, "sequence">;

export interface Fold {
  readonly usage: ReadonlyMap<string, Unnumbered<UsageHour>>;
  readonly calls: ReadonlyMap<Hour, Unnumbered<CallHour>>;
  readonly users: ReadonlyMap<string, UserCharge>;
}

/** What a user's calls of a day came to. */
export interface UserCharge extends UserSum<number> {
  readonly day: Day;
  readonly userId: string;
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
    const user = users.get(key) ?? { day, userId, ...emptySum(USER_FIELDS, 0) };
    users.set(key, plusUser(user, { calls: 1, microNeurons: charged(line) }));
  }
  return { usage, calls, users };
}

/** A row for each model that ran. Its latency counts the call once, whatever the number of stages. */
export function usageOf(line: JournalLine): readonly Unnumbered<UsageHour>[] {
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

/** A stage that asked no engine has no model and costs nothing: it makes no row. */
const ranOrCost = ({ model, microNeurons, overrun }: Item): boolean =>
  model !== null || microNeurons > 0 || overrun > 0;

function usageOfItem(line: JournalLine, item: Item): Unnumbered<UsageHour> {
  return {
    hour: hourOf(line.admittedAtMs),
    model: item.model ?? item.pricedAs,
    engine: item.engine ?? "unknown",
    pricedAs: item.pricedAs,
    task: item.task,
    ...sumOfItem(item),
    settledAfterMidnight: isLate(line) ? item.microNeurons : 0,
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
    work: DOCUMENT_ROUTES.includes(line.route) ? workOfLine(line) : {},
    latency: addLatency(NO_LATENCIES, tookMs(line)),
    settledAfterMidnight: isLate(line) ? charged(line) : 0,
  };
}

/** What an adjustment adds to the hour of the line that it adjusts. Rows of what ran stay as they are. */
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

/** The key of a row, in sorting order: its hour comes first. */
export const usageKey = ({
  hour,
  model,
  engine,
  pricedAs,
  task,
}: Pick<UsageHour, "hour" | "model" | "engine" | "pricedAs" | "task">): string =>
  [inOrder(hour), model, engine, pricedAs, task].join("|");

/** The key of the row of an hour's calls. */
export const hourKey = (hour: Hour): string => inOrder(hour);

/** The number of an hour or a day, as text that sorts like the number for some centuries. */
export const inOrder = (hourOrDay: number): string => String(hourOrDay).padStart(7, "0");

const NOTHING_CALLED = emptySum(CALL_FIELDS, 0);

export const NO_CALLS = (hour: Hour): Unnumbered<CallHour> => ({ hour, ...NOTHING_CALLED });

/** Of the same hour, model, engine, price and task. */
export const plusUsage = (
  a: Unnumbered<UsageHour>,
  b: Unnumbered<UsageHour>,
): Unnumbered<UsageHour> => addSums(ENGINE_FIELDS, a, b);

/** Of the same hour. The fields keep their order, also where `a` lacks one. */
export const plusCalls = (a: Unnumbered<CallHour>, b: Unnumbered<CallHour>): Unnumbered<CallHour> =>
  addSums(CALL_FIELDS, { ...NO_CALLS(a.hour), ...a }, b);

export const plusUser = <User extends UserSum<number>>(user: User, more: UserSum<number>): User =>
  addSums<typeof USER_FIELDS, UserSum<number>>(USER_FIELDS, user, more) as User;
