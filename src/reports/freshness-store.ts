/** When rows were last written to the reports; null: never. */
export async function readFreshness(database: D1Database): Promise<number | null> {
  const row = await database
    .prepare("SELECT written_at_ms FROM freshness")
    .first<{ written_at_ms: number }>();
  return row?.written_at_ms ?? null;
}
