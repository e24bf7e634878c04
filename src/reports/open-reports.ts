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

/** After an answer that says so: a table is missing, since the database was lost and made anew. */
export function forgetReports(env: Env): void {
  const database = (env as Partial<Env>).REPORTS;
  if (database !== undefined) migrated.delete(database);
}
