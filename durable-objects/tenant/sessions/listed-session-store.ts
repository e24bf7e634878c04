import type { ListedSession } from "../../../src/domain/session/listed-session.ts";
import type { FeatureDatabase } from "../../database.ts";
import { AFTER_ALL_IDS } from "../../id-range.ts";

type SessionRow = {
  id: string;
  lineage: string | null;
  user_id: string | null;
  model: string;
  created_at_ms: number;
  erase_at_ms: number | null;
};

/** Rows that one page of a search looks at. */
const SCAN = 1000;

/** The sessions of a tenant. */
export class ListedSessionStore {
  readonly #db: FeatureDatabase;
  /** By the lineage of the key that made them. Null: not counted since the object started. */
  #counts: Map<string | null, number> | null = null;

  constructor(db: FeatureDatabase) {
    this.#db = db;
  }

  /** Of a transaction that was rolled back nothing is remembered. */
  forget(): void {
    this.#counts = null;
  }

  /** All rows: sessions that are still to be erased too. */
  count(): number {
    return [...this.#load().values()].reduce((total, n) => total + n, 0);
  }

  /** As `count`, of one key and its rotations. */
  countOf(lineage: string): number {
    return this.#load().get(lineage) ?? 0;
  }

  #load(): Map<string | null, number> {
    this.#counts ??= new Map(
      this.#db
        .run<{ lineage: string | null; n: number }>(
          "SELECT lineage, COUNT(*) AS n FROM sessions GROUP BY lineage",
        )
        .map(({ lineage, n }) => [lineage, n]),
    );
    return this.#counts;
  }

  insert(session: ListedSession): void {
    const counts = this.#load();
    this.#db.run(
      `INSERT INTO sessions (id, lineage, user_id, model, created_at_ms) VALUES (?, ?, ?, ?, ?)`,
      session.id,
      session.lineage,
      session.userId,
      session.model,
      session.createdAtMs,
    );
    counts.set(session.lineage, (counts.get(session.lineage) ?? 0) + 1);
  }

  /** Null: there is none, or it is to be erased. */
  read(id: string): ListedSession | null {
    const [row] = this.#db.run<SessionRow>(
      "SELECT * FROM sessions WHERE id = ? AND erase_at_ms IS NULL",
      id,
    );
    return row === undefined ? null : toListed(row);
  }

  /** Newest first; one more than `limit` when there are more. */
  list(before: string | null, limit: number): ListedSession[] {
    return this.#db
      .run<SessionRow>(
        `SELECT * FROM sessions WHERE id < ? AND erase_at_ms IS NULL ORDER BY id DESC LIMIT ?`,
        before ?? AFTER_ALL_IDS,
        limit + 1,
      )
      .map(toListed);
  }

  /** Of one person, whether or not they are to be erased: a page after one of them. */
  ofPerson(
    person: string,
    after: string,
  ): { readonly sessions: readonly ListedSession[]; readonly next: string | null } {
    const rows = this.#db.run<SessionRow>(
      "SELECT * FROM sessions WHERE id > ? ORDER BY id LIMIT ?",
      after,
      SCAN,
    );
    const next = rows.length < SCAN ? null : (rows.at(-1)?.id ?? null);
    return { sessions: rows.filter((row) => row.user_id === person).map(toListed), next };
  }

  eraseAt(id: string, atMs: number): void {
    this.#db.run("UPDATE sessions SET erase_at_ms = ? WHERE id = ?", atMs, id);
  }

  delete(id: string): void {
    const counts = this.#load();
    const [gone] = this.#db.run<{ lineage: string | null }>(
      "DELETE FROM sessions WHERE id = ? RETURNING lineage",
      id,
    );
    if (gone !== undefined) counts.set(gone.lineage, (counts.get(gone.lineage) ?? 1) - 1);
  }

  /** When the first is to be erased; null: none is. */
  firstEraseMs(): number | null {
    const [row] = this.#db.run<{ at: number | null }>(
      "SELECT MIN(erase_at_ms) AS at FROM sessions WHERE erase_at_ms IS NOT NULL",
    );
    return row?.at ?? null;
  }

  listToErase(nowMs: number, limit: number): string[] {
    return this.#ids("SELECT id FROM sessions WHERE erase_at_ms <= ? LIMIT ?", nowMs, limit);
  }

  /** Any of them, whatever their state. */
  some(limit: number): string[] {
    return this.#ids("SELECT id FROM sessions ORDER BY id LIMIT ?", limit);
  }

  #ids(statement: string, ...values: number[]): string[] {
    return this.#db.run<{ id: string }>(statement, ...values).map(({ id }) => id);
  }
}

const toListed = (row: SessionRow): ListedSession => ({
  id: row.id,
  lineage: row.lineage,
  userId: row.user_id,
  model: row.model,
  createdAtMs: row.created_at_ms,
});
