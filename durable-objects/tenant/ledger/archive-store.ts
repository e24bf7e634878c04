import type { JournalEntry } from "../../../src/domain/ledger/adjustment.ts";
import type { Archive, ArchiveState } from "../../../src/domain/ledger/journal-archive.ts";
import { type Day, endOf, startOf } from "../../../src/domain/ledger/period.ts";
import type { FeatureDatabase, StagedDatabase } from "../../database.ts";
import { firstIdAfter, lastIdBefore } from "../../id-range.ts";
import { ARCHIVES } from "./archive-schema.ts";
import { type JournalRow, toEntry } from "./ledger-row.ts";
import { LEDGER } from "./ledger-schema.ts";

type ArchiveRow = {
  day: number;
  state: ArchiveState;
  lines: number;
  persons: number;
  amount: number;
  bytes: number;
  sha256: string;
  revision: number;
  stale: number;
  made_at_ms: number;
  rewritten_at_ms: number | null;
};

/** What is archived of the journal, and the lines that are next. */
export class ArchiveStore {
  readonly #db: FeatureDatabase;
  readonly #ledger: FeatureDatabase;

  constructor(db: StagedDatabase) {
    this.#db = db.of(ARCHIVES);
    this.#ledger = db.of(LEDGER);
  }

  read(day: Day): Archive | null {
    const [row] = this.#db.run<ArchiveRow>("SELECT * FROM archives WHERE day = ?", day);
    return row === undefined ? null : toArchive(row);
  }

  /** The one that is in work; null: none is. */
  open(): Archive | null {
    const [row] = this.#db.run<ArchiveRow>(
      "SELECT * FROM archives WHERE state IN ('writing', 'stored') ORDER BY day LIMIT 1",
    );
    return row === undefined ? null : toArchive(row);
  }

  /** Files, newest day first; one more than `limit` when there are more. */
  list(before: Day, limit: number): Archive[] {
    return this.#db
      .run<ArchiveRow>(
        `SELECT * FROM archives WHERE day < ? AND state IN ('stored', 'done')
          ORDER BY day DESC LIMIT ?`,
        before,
        limit + 1,
      )
      .map(toArchive);
  }

  /** Days of which the file names persons. */
  withPersons(): Day[] {
    return this.#db
      .run<{ day: number }>(
        "SELECT day FROM archives WHERE state IN ('stored', 'done') AND persons > 0 ORDER BY day",
      )
      .map(({ day }) => day);
  }

  /** The first day before that one that has a period and no archive. */
  nextDay(before: Day): Day | null {
    const [latest] = this.#db.run<{ day: number | null }>("SELECT MAX(day) AS day FROM archives");
    const [row] = this.#ledger.run<{ day: number }>(
      "SELECT day FROM periods WHERE day < ? AND day > ? ORDER BY day LIMIT 1",
      before,
      latest?.day ?? -1,
    );
    return row?.day ?? null;
  }

  write(archive: Archive): void {
    this.#db.run(
      `INSERT OR REPLACE INTO archives (day, state, lines, persons, amount, bytes, sha256, revision,
        stale, made_at_ms, rewritten_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      archive.day,
      archive.state,
      archive.lines,
      archive.persons,
      archive.microNeurons,
      archive.bytes,
      archive.sha256,
      archive.revision,
      archive.isStale ? 1 : 0,
      archive.madeAtMs,
      archive.rewrittenAtMs,
    );
  }

  /** A file that is being made may have a person in it that its lines have no more. */
  spoil(): void {
    this.#db.run("UPDATE archives SET stale = 1 WHERE state = 'writing'");
  }

  /** Lines of calls of a day, in order, after an id. */
  lines(day: Day, after: string, limit: number): JournalEntry[] {
    return this.#ledger
      .run<JournalRow>(
        "SELECT * FROM journal WHERE id > ? AND id < ? AND day = ? ORDER BY id LIMIT ?",
        after === "" ? lastIdBefore("jnl", startOf(day)) : after,
        firstIdAfter("jnl", endOf(day)),
        day,
        limit,
      )
      .map(toEntry)
      .map((entry) => {
        if (entry.kind === "hold") throw new Error("a call of an old day is in progress");
        return entry.line;
      });
  }

  /** Deletes at most `limit` of a day's lines of calls; true when there are more. */
  deleteLines(day: Day, limit: number): boolean {
    const rows = this.#ledger.run<{ id: string }>(
      "SELECT id FROM journal WHERE id > ? AND id < ? AND day = ? LIMIT ?",
      lastIdBefore("jnl", startOf(day)),
      firstIdAfter("jnl", endOf(day)),
      day,
      limit,
    );
    for (const { id } of rows) this.#ledger.run("DELETE FROM journal WHERE id = ?", id);
    return rows.length === limit;
  }

  /** Of the latest files: how many do not add up to what their periods posted. */
  countBroken(limit: number): number {
    const [row] = this.#db.run<{ broken: number }>(
      `SELECT COUNT(*) AS broken FROM (SELECT * FROM archives ORDER BY day DESC LIMIT ?) AS latest
        JOIN periods ON periods.day = latest.day
        WHERE latest.state = 'broken'
          OR (latest.state IN ('stored', 'done') AND latest.amount <> periods.posted)`,
      limit,
    );
    return row?.broken ?? 0;
  }
}

const toArchive = (row: ArchiveRow): Archive => ({
  day: row.day,
  state: row.state,
  lines: row.lines,
  persons: row.persons,
  microNeurons: row.amount,
  bytes: row.bytes,
  sha256: row.sha256,
  revision: row.revision,
  isStale: row.stale === 1,
  madeAtMs: row.made_at_ms,
  rewrittenAtMs: row.rewritten_at_ms,
});
