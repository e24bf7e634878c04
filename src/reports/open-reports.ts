import { migrateReports } from "./reports-schema.ts";

/** Databases that were migrated since this Worker started, or are just being. */
const migrated = new WeakMap<D1Database, Promise<void>>();

/**
 * The platform's database of reports with all its tables, for whoever reads or writes it. Never asked
 * in the course of a governed call.
 *
 * @returns null: this deployment has none
 * @throws when the database does not answer
 */
export async function openReports(env: Env): Promise<D1Database | null> {
  // A deployment may do without it.
  const database = (env as Partial<Env>).REPORTS ?? null;
  if (database === null) return null;
  let migrating = migrated.get(database);
  if (migrating === undefined) {
    migrating = migrateReports(database);
    migrated.set(database, migrating);
  }
  try {
    await migrating;
  } catch (error) {
    migrated.delete(database);
    throw error;
  }
  return database;
}

/**
 * Work with the database that can be repeated: where a table turns out to be missing, since the
 * database was lost and made anew, its tables are made and the work is done once more.
 *
 * @returns null: this deployment has none
 * @throws when the database does not answer
 */
export async function useReports<Result>(
  env: Env,
  work: (database: D1Database) => Promise<Result>,
): Promise<Result | null> {
  const database = await openReports(env);
  if (database === null) return null;
  try {
    return await work(database);
  } catch (error) {
    if (!isMissingTable(error)) throw error;
    migrated.delete(database);
    await openReports(env);
    return work(database);
  }
}

const isMissingTable = (error: unknown): boolean =>
  error instanceof Error && error.message.includes("no such table");
