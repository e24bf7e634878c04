import { REPORT_MIGRATIONS, type ReportMigration } from "./migrations.ts";

// The database of reports is migrated by the Worker that uses it, once for each time that it starts:
// so no deployment, no new database and no developer's machine needs a step of its own, and a
// database that was lost is made anew by the next use. The table is the one that `wrangler d1
// migrations` keeps, so that both know of each other's work.

const APPLIED = `CREATE TABLE IF NOT EXISTS d1_migrations (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT UNIQUE,
  applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL
)`;

/** Reads one table when there is nothing to do. @throws when the database does not answer */
export async function migrateReports(
  database: D1Database,
  migrations: readonly ReportMigration[] = REPORT_MIGRATIONS,
): Promise<void> {
  const applied = await appliedNames(database);
  for (const migration of migrations.filter(({ name }) => !applied.has(name))) {
    // oxlint-disable-next-line no-await-in-loop -- each builds on the one before it
    await apply(database, migration);
  }
}

/** One transaction. Where two start at once, the name of the second is taken, and it did nothing. */
async function apply(database: D1Database, { name, statements }: ReportMigration): Promise<void> {
  try {
    await database.batch([
      database.prepare(APPLIED),
      database.prepare("INSERT INTO d1_migrations (name) VALUES (?)").bind(name),
      ...statements.map((statement) => database.prepare(statement)),
    ]);
  } catch (error) {
    if (!(await appliedNames(database)).has(name)) throw error;
  }
}

async function appliedNames(database: D1Database): Promise<ReadonlySet<string>> {
  const found = await database
    .prepare("SELECT 1 AS found FROM sqlite_master WHERE name = 'd1_migrations'")
    .first();
  if (found === null) return new Set();
  const { results } = await database
    .prepare("SELECT name FROM d1_migrations")
    .all<{ name: string }>();
  return new Set(results.map(({ name }) => name));
}
