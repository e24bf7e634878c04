import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { ACCOUNT_NAME } from "../../durable-objects/account/account-protocol.ts";
import { APPLIES_NAME } from "../../src/edge/bindings.ts";
import { NOW } from "./a-tenant.ts";

// Objects as an earlier build left them: `released-*.sql` has the tables and rows of one each.

/** When the rows of a fixture were written last. */
export const RELEASED_MS = NOW + 13_000;

type Stub = Parameters<typeof evictDurableObject>[0];

/**
 * The object starts anew with that database. Its batches have no runs: one would go on after the test.
 *
 * @param alarmMs null: no alarm is set
 */
export async function leave(stub: Stub, sql: string, alarmMs: number | null = null): Promise<void> {
  await runInDurableObject(stub, async (_, { storage }) => {
    await storage.deleteAll();
    storage.sql.exec(sql);
    if (alarmMs === null) await storage.deleteAlarm();
    else await storage.setAlarm(alarmMs);
  });
  await evictDurableObject(stub);
  // In memory again: `reset` leaves the storage of an object that is not.
  await runInDurableObject(stub, (instance) => {
    const value = { ...env, BATCHES: undefined };
    Object.defineProperty(instance, "env", { value, configurable: true });
  });
}

export const accountObject = () => env.ACCOUNT.getByName(ACCOUNT_NAME);
export const appliesObject = () => env.APPLIES.getByName(APPLIES_NAME);

/** Names of the tables of a fixture. */
export const tablesOf = (sql: string): readonly string[] =>
  [...sql.matchAll(/^CREATE TABLE "?(\w+)"?/gm)].map(([, name = ""]) => name);

/** The statements of a fixture that write rows of a table, one each. */
export const rowsOf = (sql: string, table: string): readonly string[] =>
  sql.split("\n").filter((line) => line.startsWith(`INSERT INTO ${table} `));

/** Rows of each of these tables in a fixture. */
export const countsOf = (sql: string, tables: readonly string[]): Record<string, number> =>
  Object.fromEntries(tables.map((table) => [table, rowsOf(sql, table).length]));

function literal(value: SqlStorageValue): string {
  if (value === null) return "NULL";
  if (typeof value === "string") return `'${value.replaceAll("'", "''")}'`;
  return typeof value === "number" ? String(value) : `X'${new Uint8Array(value).toHex()}'`;
}

/** Tables that say which migrations were run: later ones change their rows. */
const VERSIONS = ["schema_version", "features"];

/** The rows of a fixture that an object does not have any more as they were written. */
export const missingRows = ({ sql: storage }: DurableObjectStorage, sql: string): string[] =>
  tablesOf(sql).flatMap((table) => {
    const written = VERSIONS.includes(table) ? [] : rowsOf(sql, table);
    // Columns that were added since are not looked at.
    const columns = written[0]?.match(/\(([^)]*)\) VALUES/)?.[1];
    if (columns === undefined) return [];
    const stored = new Set(
      [...storage.exec(`SELECT ${columns} FROM ${table}`).raw()].map(
        (row) => `INSERT INTO ${table} (${columns}) VALUES (${row.map(literal).join(", ")});`,
      ),
    );
    return written.filter((row) => !stored.has(row));
  });
