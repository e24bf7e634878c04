/** When rows were last written to the reports; null: never. */
export async function readFreshness(database: D1Database): Promise<number | null> {
  const row = await database
    .prepare("SELECT written_at_ms FROM freshness")
    .first<{ written_at_ms: number }>();
  return row?.written_at_ms ?? null;
}

/** Part of what writes them. */
export const keepFreshness = (database: D1Database, nowMs: number): D1PreparedStatement =>
  database
    .prepare(
      `INSERT INTO freshness (only_row, written_at_ms) VALUES (1, ?) ON CONFLICT (only_row)
        DO UPDATE SET written_at_ms = MAX(written_at_ms, excluded.written_at_ms)`,
    )
    .bind(nowMs);
