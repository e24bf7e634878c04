import type { Suggestion } from "../../../src/domain/moderation/labelled-text.ts";
import type { FeatureDatabase } from "../../database.ts";

type SuggestionRow = { id: string; created_at_ms: number; text: string; labels: string };

export class SuggestionStore {
  readonly #db: FeatureDatabase;
  /** Kept in memory, since each new one is compared with the most. Null: not read. */
  #count: number | null = null;

  constructor(db: FeatureDatabase) {
    this.#db = db;
  }

  forget(): void {
    this.#count = null;
  }

  get count(): number {
    this.#count ??= this.#db.run<{ n: number }>("SELECT COUNT(*) AS n FROM suggestions")[0]?.n ?? 0;
    return this.#count;
  }

  insert({ id, createdAtMs, text, labels }: Suggestion): void {
    const count = this.count;
    this.#db.run(
      "INSERT INTO suggestions (id, created_at_ms, text, labels) VALUES (?, ?, ?, ?)",
      id,
      createdAtMs,
      text,
      JSON.stringify(labels),
    );
    this.#count = count + 1;
  }

  /** The newest first, before an id, made within a time. */
  list(
    before: string,
    { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
    limit: number,
  ): Suggestion[] {
    return this.#db
      .run<SuggestionRow>(
        `SELECT * FROM suggestions WHERE id < ? AND created_at_ms >= ? AND created_at_ms < ?
          ORDER BY id DESC LIMIT ?`,
        before,
        fromMs,
        toMs,
        limit,
      )
      .map((row) => ({
        id: row.id,
        createdAtMs: row.created_at_ms,
        text: row.text,
        labels: JSON.parse(row.labels) as Suggestion["labels"],
      }));
  }

  /** False: there is none of this id, made at this time or later. */
  delete(id: string, fromMs: number): boolean {
    const found = this.#db.run<{ id: string }>(
      "DELETE FROM suggestions WHERE id = ? AND created_at_ms >= ? RETURNING id",
      id,
      fromMs,
    );
    this.forget();
    return found.length > 0;
  }

  /** When the oldest was made; null: there is none. */
  oldestMs(): number | null {
    const oldest = "SELECT created_at_ms AS at FROM suggestions ORDER BY id LIMIT 1";
    return this.#db.run<{ at: number }>(oldest)[0]?.at ?? null;
  }

  deleteOldest(): void {
    this.#db.run(
      "DELETE FROM suggestions WHERE id = (SELECT id FROM suggestions ORDER BY id LIMIT 1)",
    );
    this.forget();
  }

  /** Deletes at most `limit` made before a time; true when there may be more. */
  purge(beforeMs: number, limit: number): boolean {
    const old = this.#db
      .run<{ id: string; created_at_ms: number }>(
        "SELECT id, created_at_ms FROM suggestions ORDER BY id LIMIT ?",
        limit,
      )
      .filter((row) => row.created_at_ms < beforeMs);
    for (const { id } of old) this.#db.run("DELETE FROM suggestions WHERE id = ?", id);
    this.forget();
    return old.length === limit;
  }
}
