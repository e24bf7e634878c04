import type { AccountNews } from "../../../src/domain/account/account-budget.ts";
import type { LeaseRefusal } from "../../../src/domain/account/pool-refusal.ts";
import { type MicroNeurons, microNeurons } from "../../../src/domain/ledger/micro-neurons.ts";
import type { Day } from "../../../src/domain/ledger/period.ts";
import type { FeatureDatabase, StagedDatabase } from "../../database.ts";
import { ACCOUNT_VIEW, LEASES } from "./lease-schema.ts";

/** The tenant's allowance of a day. */
export interface Lease {
  readonly day: Day;
  readonly granted: MicroNeurons;
  readonly deadlineMs: number;
  /** Of the last message about this day that was answered. */
  readonly seq: number;
  readonly reportedAtMs: number;
  /** What that message was refused; null: nothing, or it holds no longer. */
  readonly refused: LeaseRefusal | null;
}

/** What is known of the account. */
export interface KnownAccount {
  readonly notice: number;
  readonly isPooled: boolean;
  /** What a call learned of the allocation, until the account has it. */
  readonly news: AccountNews | null;
}

type LeaseRow = {
  day: number;
  granted: number;
  deadline_ms: number;
  seq: number;
  told_at_ms: number;
  refused: string | null;
};

type ViewRow = { notice: number; is_pooled: number; news: string | null };

/** A refusal of an earlier version says too little: the tenant asks again. */
function readRefusal(stored: string | null): LeaseRefusal | null {
  const refused = stored === null ? null : (JSON.parse(stored) as LeaseRefusal);
  return refused !== null && "reachable" in refused ? refused : null;
}

export class LeaseStore {
  readonly #db: FeatureDatabase;
  readonly #view: FeatureDatabase;

  constructor(db: StagedDatabase) {
    this.#db = db.of(LEASES);
    this.#view = db.of(ACCOUNT_VIEW);
  }

  list(): Lease[] {
    return this.#db.run<LeaseRow>("SELECT * FROM leases ORDER BY day").map((row) => ({
      day: row.day,
      granted: microNeurons(row.granted),
      deadlineMs: row.deadline_ms,
      seq: row.seq,
      reportedAtMs: row.told_at_ms,
      refused: readRefusal(row.refused),
    }));
  }

  write({ day, granted, deadlineMs, seq, reportedAtMs, refused }: Lease): void {
    this.#db.run(
      `INSERT OR REPLACE INTO leases (day, granted, deadline_ms, seq, told_at_ms, refused)
        VALUES (?, ?, ?, ?, ?, ?)`,
      day,
      granted,
      deadlineMs,
      seq,
      reportedAtMs,
      refused === null ? null : JSON.stringify(refused),
    );
  }

  remove(day: Day): void {
    this.#db.run("DELETE FROM leases WHERE day = ?", day);
  }

  /** Null: none has come yet. */
  readAccount(): KnownAccount | null {
    const row = this.#view.run<ViewRow>("SELECT * FROM account_view")[0];
    return row === undefined
      ? null
      : {
          notice: row.notice,
          isPooled: row.is_pooled === 1,
          news: row.news === null ? null : (JSON.parse(row.news) as AccountNews),
        };
  }

  writeAccount({ notice, isPooled, news }: KnownAccount): void {
    this.#view.run(
      `INSERT OR REPLACE INTO account_view (only_row, notice, is_pooled, news)
        VALUES (1, ?, ?, ?)`,
      notice,
      isPooled ? 1 : 0,
      news === null ? null : JSON.stringify(news),
    );
  }
}
