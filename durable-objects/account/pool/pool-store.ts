import type { AccountClosure } from "../../../src/domain/account/account-budget.ts";
import {
  type AccountSettings,
  DEFAULT_ACCOUNT_SETTINGS,
} from "../../../src/domain/account/account-terms.ts";
import type { LeaseAnswer } from "../../../src/domain/account/lease.ts";
import { type MicroNeurons, microNeurons } from "../../../src/domain/ledger/micro-neurons.ts";
import type { Day } from "../../../src/domain/ledger/period.ts";
import type { Share } from "../../../src/domain/account/pool.ts";
import { KEPT_PERIODS, type RateBound } from "../../../src/domain/account/rate-bounds.ts";
import type { RateUnits } from "../../../src/domain/ledger/rate-limit.ts";
import type { ClosedSum } from "../../../src/domain/account/day-pool.ts";
import type { Database, SqlValue } from "../../database.ts";
import { PromiseStore } from "./promise-store.ts";

/** The one row of the pool. */
export interface PoolState {
  readonly settings: AccountSettings;
  readonly measuredMargin: MicroNeurons;
  /** Grows with each change that all tenants must learn. */
  readonly notice: number;
  /** The latest notice by which calls may be possible that were denied before it. */
  readonly relief: number;
  readonly closure: AccountClosure | null;
  /** When the last closure was lifted. */
  readonly liftedAtMs: number;
  /** The highest threshold that an event was recorded of, and on which day. */
  readonly passed: { readonly day: Day; readonly threshold: number };
}

type StateRow = {
  settings: string;
  measured_margin: number;
  notice: number;
  closed_day: number | null;
  closed_at_ms: number | null;
  probe_at_ms: number | null;
  lifted_at_ms: number;
  told_day: number;
  told_threshold: number;
  relief: number;
};

type ShareRow = {
  day: number;
  tenant: string;
  life: number;
  granted: number;
  spent: number;
  pending: number;
  deadline_ms: number;
  seq: number;
  answer: string | null;
  asked_at_ms: number;
  reported_at_ms: number;
  want: number;
  refusals: number;
};

type BoundRow = { period: number; units: string };

const FIRST_STATE: PoolState = {
  settings: DEFAULT_ACCOUNT_SETTINGS,
  measuredMargin: microNeurons(0),
  notice: 0,
  relief: 0,
  closure: null,
  liftedAtMs: 0,
  passed: { day: 0, threshold: 0 },
};

const IS_OPEN = "(granted > spent + pending OR pending > 0 OR asked_at_ms > ?)";

export class PoolStore {
  readonly promises: PromiseStore;
  readonly #db: Database;

  constructor(db: Database) {
    this.promises = new PromiseStore(db);
    this.#db = db;
  }

  readState(): PoolState {
    const row = this.#db.run<StateRow>("SELECT * FROM pool_state")[0];
    if (row === undefined) return FIRST_STATE;
    return {
      settings: { ...DEFAULT_ACCOUNT_SETTINGS, ...(JSON.parse(row.settings) as AccountSettings) },
      measuredMargin: microNeurons(row.measured_margin),
      notice: row.notice,
      relief: row.relief,
      closure:
        row.closed_day === null
          ? null
          : {
              day: row.closed_day,
              closedAtMs: row.closed_at_ms ?? 0,
              probeAtMs: row.probe_at_ms ?? 0,
            },
      liftedAtMs: row.lifted_at_ms,
      passed: { day: row.told_day, threshold: row.told_threshold },
    };
  }

  writeState(state: PoolState): void {
    this.#db.run(
      `INSERT OR REPLACE INTO pool_state (only_row, settings, measured_margin, notice, closed_day,
        closed_at_ms, probe_at_ms, lifted_at_ms, told_day, told_threshold, relief)
        VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      JSON.stringify(state.settings),
      state.measuredMargin,
      state.notice,
      state.closure?.day ?? null,
      state.closure?.closedAtMs ?? null,
      state.closure?.probeAtMs ?? null,
      state.liftedAtMs,
      state.passed.day,
      state.passed.threshold,
      state.relief,
    );
  }

  listShares(day: Day): Share[] {
    return this.#db.run<ShareRow>("SELECT * FROM pool_shares WHERE day = ?", day).map(toShare);
  }

  /** Shares of a day that is over of which something may still come back, or be asked for. */
  listOpenShares(day: Day, askedSinceMs: number): Share[] {
    return this.#db
      .run<ShareRow>(`SELECT * FROM pool_shares WHERE day = ? AND ${IS_OPEN}`, day, askedSinceMs)
      .map(toShare);
  }

  /** The others, by tenant, over its generations. */
  closedSums(day: Day, askedSinceMs: number): ClosedSum[] {
    return this.#db.run<ClosedSum & Record<string, SqlValue>>(
      `SELECT tenant, SUM(MAX(granted, spent + pending)) AS claim, SUM(spent) AS spent
        FROM pool_shares WHERE day = ? AND NOT ${IS_OPEN} GROUP BY tenant`,
      day,
      askedSinceMs,
    );
  }

  sharesOf(day: Day, tenant: string): Share[] {
    return this.#db
      .run<ShareRow>("SELECT * FROM pool_shares WHERE day = ? AND tenant = ?", day, tenant)
      .map(toShare);
  }

  readShare(day: Day, tenant: string, generation: number): Share | null {
    const [row] = this.#db.run<ShareRow>(
      "SELECT * FROM pool_shares WHERE day = ? AND tenant = ? AND life = ?",
      day,
      tenant,
      generation,
    );
    return row === undefined ? null : toShare(row);
  }

  writeShare(day: Day, share: Share): void {
    this.#db.run(
      `INSERT OR REPLACE INTO pool_shares (day, tenant, life, granted, spent, pending, deadline_ms,
        seq, answer, asked_at_ms, reported_at_ms, want, refusals)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      day,
      share.tenant,
      share.generation,
      share.granted,
      share.spent,
      share.pending,
      share.deadlineMs,
      share.seq,
      share.answer === null ? null : JSON.stringify(share.answer),
      share.askedAtMs,
      share.reportedAtMs,
      share.want,
      share.refusals,
    );
  }

  /** How much of a day counts as gone, in µN, from all its shares. */
  claimOf(day: Day): number {
    const [row] = this.#db.run<{ claim: number | null }>(
      "SELECT SUM(MAX(granted, spent + pending)) AS claim FROM pool_shares WHERE day = ?",
      day,
    );
    return row?.claim ?? 0;
  }

  /** The same of days that are over, as it was written down. */
  listDayClaims(): { readonly day: Day; readonly claim: number }[] {
    return this.#db.run<{ day: number; claim: number }>("SELECT day, claim FROM pool_days");
  }

  writeDayClaim(day: Day, claim: number): void {
    this.#db.run("INSERT OR REPLACE INTO pool_days (day, claim) VALUES (?, ?)", day, claim);
  }

  purgeDayClaims(before: Day): void {
    this.#db.run("DELETE FROM pool_days WHERE day < ?", before);
  }

  /** Whether there are any of a day before this one. */
  hasShares(before: Day): boolean {
    return this.#db.run("SELECT day FROM pool_shares WHERE day < ? LIMIT 1", before).length > 0;
  }

  /** Deletes some of days before this one, by their keys: the others of these days are not read. */
  purgeShares(before: Day, limit: number): void {
    const old = this.#db.run<{ day: number; tenant: string; life: number }>(
      "SELECT day, tenant, life FROM pool_shares WHERE day < ? ORDER BY day, tenant, life LIMIT ?",
      before,
      limit,
    );
    for (const { day, tenant, life } of old) {
      this.#db.run(
        "DELETE FROM pool_shares WHERE day = ? AND tenant = ? AND life = ?",
        day,
        tenant,
        life,
      );
    }
  }

  readBounds(): RateBound[] {
    return this.#db
      .run<BoundRow>("SELECT period, units FROM rate_bounds")
      .map(({ period, units }) => ({ period, units: JSON.parse(units) as RateUnits }));
  }

  /** It takes the place of a period whose units have left the minute. */
  writeBound({ period, units }: RateBound): void {
    this.#db.run(
      `INSERT INTO rate_bounds (slot, period, units) VALUES (?, ?, ?)
        ON CONFLICT (slot) DO UPDATE SET period = excluded.period, units = excluded.units`,
      period % KEPT_PERIODS,
      period,
      JSON.stringify(units),
    );
  }
}

/** A refusal that an earlier version stored says too little to be repeated: its tenant asks once more. */
function readAnswer(stored: string | null): LeaseAnswer | null {
  if (stored === null) return null;
  const answer = JSON.parse(stored) as LeaseAnswer;
  return answer.refused === null || "reachable" in answer.refused ? answer : null;
}

const toShare = (row: ShareRow): Share => ({
  tenant: row.tenant,
  generation: row.life,
  granted: microNeurons(row.granted),
  spent: microNeurons(row.spent),
  pending: microNeurons(row.pending),
  deadlineMs: row.deadline_ms,
  seq: row.seq,
  answer: readAnswer(row.answer),
  askedAtMs: row.asked_at_ms,
  reportedAtMs: row.reported_at_ms,
  want: microNeurons(row.want),
  refusals: row.refusals,
});
