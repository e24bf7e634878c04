// The storage of an object as the stores see it: named SQL statements, one transaction, one wait.
// The same stores then run over any SQLite, such as one that a simulation crashes at will.

export type SqlValue = string | number | null | ArrayBuffer;

export interface Database {
  /** Runs one statement and returns its rows. */
  run<Row extends Record<string, SqlValue>>(statement: string, ...values: SqlValue[]): Row[];
  /** All or nothing, without an `await` inside. */
  transaction<Result>(work: () => Result): Result;
  /** Resolves when everything written so far is durable. */
  sync(): Promise<void>;
  /** Bytes that the database takes. */
  size(): number;
}

export const objectDatabase = (storage: DurableObjectStorage): Database => ({
  run: <Row extends Record<string, SqlValue>>(statement: string, ...values: SqlValue[]): Row[] =>
    storage.sql.exec<Row>(statement, ...values).toArray(),
  transaction: (work) => storage.transactionSync(work),
  sync: () => storage.sync(),
  size: () => storage.sql.databaseSize,
});

export interface Migration {
  readonly name: string;
  readonly statements: readonly string[];
}

const VERSION_TABLE = "CREATE TABLE schema_version (version INTEGER NOT NULL) STRICT";

/** Released migrations are never edited: a test holds their hashes. */
export function migrate(database: Database, migrations: readonly Migration[]): void {
  database.transaction(() => {
    let version = schemaVersion(database);
    if (version === null) {
      database.run(VERSION_TABLE);
      database.run("INSERT INTO schema_version (version) VALUES (0)");
      version = 0;
    }
    // A cold start of an object that is up to date writes no row.
    if (version >= migrations.length) return;
    for (const { statements } of migrations.slice(version)) {
      for (const statement of statements) database.run(statement);
    }
    database.run("UPDATE schema_version SET version = ?", migrations.length);
  });
}

/** Null: nothing was migrated yet. */
function schemaVersion(database: Database): number | null {
  const tables = database.run("SELECT 1 AS found FROM sqlite_master WHERE name = 'schema_version'");
  if (tables.length === 0) return null;
  return (
    database.run<{ version: number }>("SELECT version FROM schema_version")[0]?.version ?? null
  );
}
