import type { AccountClosure } from "../../../src/domain/account/account-budget.ts";
import type { DayTotals } from "../../../src/domain/ledger/day-totals.ts";
import type { Hold, JournalLine, LineOutcome } from "../../../src/domain/ledger/ledger.ts";
import { microNeurons } from "../../../src/domain/ledger/micro-neurons.ts";
import { type Day, endOf, startOf } from "../../../src/domain/ledger/period.ts";
import { type Drawn, posted } from "../../../src/domain/ledger/quota.ts";
import type { Windows } from "../../../src/domain/ledger/rate-limit.ts";
import type { FeatureDatabase, StagedDatabase } from "../../database.ts";
import { AFTER_ALL_IDS, firstIdAfter, lastIdBefore } from "../../id-range.ts";
import {
  encodeGrants,
  encodeItems,
  encodeStages,
  type Entry,
  type JournalRow,
  toEntry,
} from "./ledger-row.ts";
import { LEDGER, VIOLATIONS } from "./ledger-schema.ts";
import { LineSumStore } from "./line-sum-store.ts";

// The meter, the periods and the journal of a tenant: rows become domain values here.

/** What every admission reads and writes. */
export interface Meter {
  readonly clockMs: number;
  readonly windows: Windows;
  /** The smallest id of any hold that was open when this was written: where a scan starts. */
  readonly oldestHold: string | null;
  readonly closure: AccountClosure | null;
}

export interface Period {
  readonly day: Day;
  readonly drawn: Drawn;
  readonly totals: DayTotals;
}

export interface LineQuery {
  /** Lines before this id, newest first. */
  readonly before: string | null;
  readonly fromMs: number | null;
  readonly toMs: number | null;
  readonly outcome: LineOutcome | null;
  readonly limit: number;
}

export interface JournalSum {
  readonly lines: number;
  /** µN. */
  readonly posted: number;
  /** Lines of which an engine used more than was held. */
  readonly brokenBounds: number;
}

type MeterRow = {
  clock_ms: number;
  windows: string;
  oldest_hold: string | null;
  closed_day: number | null;
  closed_at_ms: number | null;
  probe_at_ms: number | null;
};

type PeriodRow = { day: number; quota: number; granted: number; overage: number; totals: string };

export class LedgerStore {
  readonly #db: FeatureDatabase;
  readonly #violations: FeatureDatabase;
  readonly lineSums: LineSumStore;

  constructor(db: StagedDatabase) {
    this.#db = db.of(LEDGER);
    this.#violations = db.of(VIOLATIONS);
    this.lineSums = new LineSumStore(db);
  }

  readMeter(): Meter {
    const row = this.#db.run<MeterRow>("SELECT * FROM meter")[0];
    if (row === undefined) return { clockMs: 0, windows: {}, oldestHold: null, closure: null };
    return {
      clockMs: row.clock_ms,
      windows: JSON.parse(row.windows) as Windows,
      oldestHold: row.oldest_hold,
      closure:
        row.closed_day === null
          ? null
          : {
              day: row.closed_day,
              closedAtMs: row.closed_at_ms ?? 0,
              probeAtMs: row.probe_at_ms ?? 0,
            },
    };
  }

  writeMeter(meter: Meter): void {
    this.#db.run(
      `INSERT OR REPLACE INTO meter
        (only_row, clock_ms, windows, oldest_hold, closed_day, closed_at_ms, probe_at_ms)
        VALUES (1, ?, ?, ?, ?, ?, ?)`,
      meter.clockMs,
      JSON.stringify(meter.windows),
      meter.oldestHold,
      meter.closure?.day ?? null,
      meter.closure?.closedAtMs ?? null,
      meter.closure?.probeAtMs ?? null,
    );
  }

  readPeriod(day: Day): Period | null {
    const row = this.#db.run<PeriodRow>("SELECT * FROM periods WHERE day = ?", day)[0];
    return row === undefined ? null : toPeriod(row);
  }

  /** Oldest first, both days included. */
  listPeriods(from: Day, to: Day): Period[] {
    return this.#db
      .run<PeriodRow>("SELECT * FROM periods WHERE day BETWEEN ? AND ? ORDER BY day", from, to)
      .map(toPeriod);
  }

  /** `from` included, `to` not. */
  postedByDay(from: Day, to: Day): [Day, number][] {
    return this.#db
      .run<{ day: number; posted: number }>(
        "SELECT day, posted FROM periods WHERE day >= ? AND day < ?",
        from,
        to,
      )
      .map(({ day, posted: amount }) => [day, amount]);
  }

  writePeriod({ day, drawn, totals }: Period): void {
    this.#db.run(
      `INSERT OR REPLACE INTO periods (day, quota, granted, overage, posted, totals)
        VALUES (?, ?, ?, ?, ?, ?)`,
      day,
      drawn.quota,
      drawn.granted,
      drawn.overage,
      posted(drawn),
      JSON.stringify(totals),
    );
  }

  insertHold(hold: Hold): void {
    this.#db.run(
      `INSERT INTO journal (id, day, outcome, request_id, route, key_id, user_id, session_id,
        admitted_at_ms, deadline_ms, held, price_book, items, context, document_id, run_id, step)
        VALUES (?, ?, 'pending', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      hold.callId,
      hold.day,
      hold.requestId,
      hold.route,
      hold.keyId,
      hold.userId,
      hold.sessionId ?? null,
      hold.admittedAtMs,
      hold.deadlineMs,
      hold.held,
      hold.priceBook,
      encodeStages(hold.stages),
      hold.context ?? null,
      hold.documentId ?? null,
      hold.runId ?? null,
      hold.step ?? null,
    );
  }

  /** Turns the pending row into its line. Only a pending row can be turned. */
  finishLine(line: JournalLine): void {
    this.#db.run(
      `UPDATE journal SET outcome = ?, verdict_id = ?, settled_at_ms = ?, quota = ?, granted = ?,
        overage = ?, overrun = ?, overage_rate = ?, items = ?, grants = ?, verdicts = ?
        WHERE id = ? AND outcome = 'pending'`,
      line.outcome,
      line.verdictId,
      line.settledAtMs,
      line.drawn.quota,
      line.drawn.granted,
      line.drawn.overage,
      line.overrun,
      line.overageUsdPer1000,
      encodeItems(line.items),
      encodeGrants(line.grants),
      line.verdicts === undefined ? null : JSON.stringify(line.verdicts),
      line.callId,
    );
  }

  /** A late settle names the verdict of an expired line; its amounts stay. */
  nameVerdict(callId: string, verdictId: string | null): void {
    this.#db.run("UPDATE journal SET verdict_id = ? WHERE id = ?", verdictId, callId);
  }

  readEntry(callId: string): Entry | null {
    const row = this.#db.run<JournalRow>("SELECT * FROM journal WHERE id = ?", callId)[0];
    return row === undefined ? null : toEntry(row);
  }

  /** Read once, when the object starts: a range of the primary key, not the whole journal. */
  openHolds(oldest: string | null): Hold[] {
    if (oldest === null) return [];
    return this.#db
      .run<JournalRow>("SELECT * FROM journal WHERE id >= ? AND outcome = 'pending'", oldest)
      .map(toEntry)
      .flatMap((entry) => (entry.kind === "hold" ? [entry.hold] : []));
  }

  /** Ended lines, newest first by id; one more than `limit` when there are more. */
  listLines({ before, fromMs, toMs, outcome, limit }: LineQuery): JournalLine[] {
    return this.#db
      .run<JournalRow>(
        `SELECT * FROM journal WHERE outcome <> 'pending' AND id < ? AND id < ? AND id >= ?
          AND admitted_at_ms >= ? AND admitted_at_ms < ? AND outcome = IFNULL(?, outcome)
          ORDER BY id DESC LIMIT ?`,
        before ?? AFTER_ALL_IDS,
        toMs === null ? AFTER_ALL_IDS : firstIdAfter("jnl", toMs),
        fromMs === null ? "" : lastIdBefore("jnl", fromMs),
        fromMs ?? 0,
        toMs ?? Number.MAX_SAFE_INTEGER,
        outcome,
        limit + 1,
      )
      .map(toEntry)
      .flatMap((entry) => (entry.kind === "line" ? [entry.line] : []));
  }

  /** Lines of a range of ids in which no hold is open, in order. */
  linesBetween(afterId: string, beforeId: string, limit: number): JournalLine[] {
    return this.#lines(
      `SELECT * FROM journal WHERE id > ? AND id < ? AND outcome <> 'pending'
        ORDER BY id LIMIT ?`,
      afterId,
      beforeId,
      limit,
    );
  }

  /** Lines from an id on, in the order in which they settled, after one of them. */
  linesSettledAfter(
    fromId: string,
    after: { readonly settledAtMs: number; readonly id: string },
    limit: number,
  ): JournalLine[] {
    return this.#lines(
      `SELECT * FROM journal WHERE id >= ? AND outcome <> 'pending'
        AND (settled_at_ms, id) > (?, ?) ORDER BY settled_at_ms, id LIMIT ?`,
      fromId,
      after.settledAtMs,
      after.id,
      limit,
    );
  }

  #lines(statement: string, ...values: (string | number)[]): JournalLine[] {
    return this.#db
      .run<JournalRow>(statement, ...values)
      .map(toEntry)
      .flatMap((entry) => (entry.kind === "line" ? [entry.line] : []));
  }

  /** What the journal itself says of a day, to be held against its period. */
  sumLines(day: Day): JournalSum {
    const row = this.#db.run<{ lines: number; posted: number | null; broken: number | null }>(
      `SELECT COUNT(*) AS lines, SUM(overrun > 0) AS broken,
        IFNULL(SUM(quota + granted + overage), 0) AS posted
        FROM journal WHERE id >= ?1 AND id < ?2 AND day = ?3`,
      lastIdBefore("jnl", startOf(day)),
      firstIdAfter("jnl", endOf(day)),
      day,
    )[0];
    return {
      lines: row?.lines ?? 0,
      posted: (row?.posted ?? 0) - this.lineSums.adjustedOn(day),
      brokenBounds: row?.broken ?? 0,
    };
  }

  addViolation(name: string, nowMs: number): void {
    this.#violations.run(
      `INSERT INTO violations (name, count, last_at_ms) VALUES (?, 1, ?)
        ON CONFLICT (name) DO UPDATE SET count = count + 1, last_at_ms = excluded.last_at_ms`,
      name,
      nowMs,
    );
  }

  listViolations(): { readonly name: string; readonly count: number }[] {
    const all = "SELECT name, count FROM violations";
    return this.#violations.run<{ name: string; count: number }>(all);
  }
}

const toPeriod = (row: PeriodRow): Period => ({
  day: row.day,
  drawn: {
    quota: microNeurons(row.quota),
    granted: microNeurons(row.granted),
    overage: microNeurons(row.overage),
  },
  totals: JSON.parse(row.totals) as DayTotals,
});
