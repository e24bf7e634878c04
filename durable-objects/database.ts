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

// Makes an object's tables in stages: the core's when the object is made, and a feature's with its first
// row. An object that never uses a feature stores no page of it.

/** Tables that are used together. */
export interface Feature {
  readonly name: string;
  /** In order; released ones are never edited. */
  readonly migrations: readonly Migration[];
  /** Its first migration was in the single list that objects had before there were stages. */
  readonly isReleased: boolean;
}

/** All features of an object, and the single list of migrations that older objects have run. */
export interface Schema {
  readonly released: readonly Migration[];
  readonly features: readonly Feature[];
}

/** The database as one feature uses it. */
export interface FeatureDatabase extends Database {
  /** Whether the tables exist. A statement on another feature's tables has to check this. */
  readonly isThere: boolean;
  /** Changes whenever rows may have changed. */
  readonly writes: number;
}

/** `version`: how many of a feature's migrations were run. */
const FEATURES_TABLE = `CREATE TABLE features (
  name TEXT PRIMARY KEY,
  version INTEGER NOT NULL CHECK (version >= 1)
) STRICT, WITHOUT ROWID`;

/** A statement that can make a new row. */
const INSERTS = /^\s*(?:INSERT|REPLACE)\b/;

export class StagedDatabase implements Database {
  readonly #db: Database;
  readonly #schema: Schema;
  readonly #parts = new Map<Feature, FeatureDatabase>();
  /** Versions by feature; null: not read yet. */
  #versions: Map<string, number> | null = null;
  /** Whether the object was made before there were stages. */
  #isOlder = false;
  /** Whether the table of features exists. */
  #hasTable = false;

  constructor(db: Database, schema: Schema) {
    this.#db = db;
    this.#schema = schema;
  }

  /**
   * Brings existing tables up to date. An object from before the stages has the tables of all released
   * features.
   *
   * @returns false: there are no tables, and nothing was written
   */
  open(): boolean {
    const { released, features } = this.#schema;
    if (this.#read().size === 0) return false;
    const isBehind = ({ name, migrations }: Feature) =>
      this.#versionOf(name) > 0 && this.#versionOf(name) < migrations.length;
    const behind = features.filter(isBehind);
    const [row] = this.#isOlder ? this.#db.run<{ version: number }>(RELEASED_VERSION) : [];
    const isOld = row !== undefined && row.version < released.length;
    // A cold start of an object that is up to date writes no row.
    if (isOld || behind.length > 0) {
      this.transaction(() => {
        if (isOld) migrate(this.#db, released);
        for (const feature of behind) this.#migrate(feature);
      });
    }
    return true;
  }

  /** Forgets which tables exist: all were deleted, or other code made some. */
  forget(): void {
    this.#versions = null;
  }

  /** The same object for the same feature. Its first insert makes the tables. */
  of(feature: Feature): FeatureDatabase {
    const known = this.#parts.get(feature);
    if (known !== undefined) return known;
    const part = this.#part(feature);
    this.#parts.set(feature, part);
    return part;
  }

  /** Makes the feature's tables if they do not exist. */
  ensure(feature: Feature): void {
    if (this.#versionOf(feature.name) === 0) this.transaction(() => this.#migrate(feature));
  }

  run<Row extends Record<string, SqlValue>>(statement: string, ...values: SqlValue[]): Row[] {
    return this.#db.run<Row>(statement, ...values);
  }

  /** If it fails, tables that it made are gone, so the known versions are forgotten too. */
  transaction<Result>(work: () => Result): Result {
    try {
      return this.#db.transaction(work);
    } catch (error) {
      this.forget();
      throw error;
    }
  }

  sync(): Promise<void> {
    return this.#db.sync();
  }

  size(): number {
    return this.#db.size();
  }

  #part(feature: Feature): FeatureDatabase {
    const { name } = feature;
    let writes = 0;
    const isThere = (): boolean => this.#versionOf(name) > 0;
    const run = <Row extends Record<string, SqlValue>>(
      statement: string,
      ...values: SqlValue[]
    ): Row[] => {
      if (!isThere()) {
        // Without tables there is nothing to find, change or delete.
        if (!INSERTS.test(statement)) return [];
        this.ensure(feature);
      }
      if (!statement.startsWith("SELECT")) writes += 1;
      return this.#db.run<Row>(statement, ...values);
    };
    return {
      get isThere() {
        return isThere();
      },
      get writes() {
        return writes;
      },
      run,
      transaction: (work) => this.transaction(work),
      sync: () => this.sync(),
      size: () => this.size(),
    };
  }

  /** Runs inside a transaction. Reads the versions again, since those in memory may be old. */
  #migrate({ name, migrations }: Feature): void {
    const versions = this.#read();
    const version = this.#versionOf(name);
    if (version >= migrations.length) return;
    if (!this.#hasTable) this.#db.run(FEATURES_TABLE);
    for (const { statements } of migrations.slice(version)) {
      for (const statement of statements) this.#db.run(compact(statement));
    }
    this.#db.run(
      "INSERT OR REPLACE INTO features (name, version) VALUES (?, ?)",
      name,
      migrations.length,
    );
    versions.set(name, migrations.length);
    this.#hasTable = true;
  }

  /** 0: the tables do not exist. */
  #versionOf(name: string): number {
    return (this.#versions ?? this.#read()).get(name) ?? 0;
  }

  #read(): Map<string, number> {
    const tables = this.#db.run<{ name: string }>(MARKS).map(({ name }) => name);
    this.#isOlder = tables.includes("schema_version");
    this.#hasTable = tables.includes("features");
    const { features } = this.#schema;
    const all = this.#isOlder ? features.filter(({ isReleased }) => isReleased) : [];
    const versions = new Map(all.map(({ name }) => [name, 1]));
    const rows = this.#hasTable
      ? this.#db.run<{ name: string; version: number }>("SELECT name, version FROM features")
      : [];
    for (const { name, version } of rows) versions.set(name, version);
    this.#versions = versions;
    return versions;
  }
}

/** SQLite stores a table's statement as it was written, and line breaks and indents would take pages. */
const compact = (statement: string): string => statement.replace(/\s*\n\s*/g, " ");

const MARKS = "SELECT name FROM sqlite_master WHERE name IN ('features', 'schema_version')";
const RELEASED_VERSION = "SELECT version FROM schema_version";

// Group commit: while one commit is written to the disk, the next batch gathers. Concurrent calls then
// share a transaction, the writes to common rows, and one wait for durability.

/** Operations in one transaction; the rest wait for the next. */
const MAX_BATCH = 128;

interface Waiting<Operation, Result> {
  readonly operation: Operation;
  readonly resolve: (result: Result) => void;
  readonly reject: (reason: unknown) => void;
}

export class GroupCommit<Operation, Result> {
  readonly #commit: (operations: readonly Operation[]) => readonly Result[];
  readonly #sync: () => Promise<void>;
  #waiting: Waiting<Operation, Result>[] = [];
  #running = false;

  /**
   * @param commit runs all operations in one transaction and returns their results in order; when
   *   it throws, nothing of the batch may have been kept
   * @param sync resolves when what was committed is durable
   */
  constructor(
    commit: (operations: readonly Operation[]) => readonly Result[],
    sync: () => Promise<void>,
  ) {
    this.#commit = commit;
    this.#sync = sync;
  }

  /** How many operations wait for the next commit. The caller decides how many may wait. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Resolves with the operation's result once it is durable. */
  run(operation: Operation): Promise<Result> {
    const result = new Promise<Result>((resolve, reject) => {
      this.#waiting.push({ operation, resolve, reject });
    });
    if (!this.#running) void this.#drain();
    return result;
  }

  async #drain(): Promise<void> {
    this.#running = true;
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, MAX_BATCH);
      // eslint-disable-next-line no-await-in-loop -- the next batch gathers while this one syncs
      await this.#commitBatch(batch);
    }
    this.#running = false;
  }

  async #commitBatch(batch: readonly Waiting<Operation, Result>[]): Promise<void> {
    const settle = this.#attempt(batch);
    try {
      await this.#sync();
      for (const tell of settle) tell();
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }

  /** If a batch throws, each operation is committed alone, so that a bad one does not fail the others. */
  #attempt(batch: readonly Waiting<Operation, Result>[]): (() => void)[] {
    try {
      const results = this.#commit(batch.map(({ operation }) => operation));
      return batch.map(
        ({ resolve }, at) =>
          () =>
            resolve(results[at] as Result),
      );
    } catch (error) {
      const [only] = batch;
      if (batch.length > 1) return batch.flatMap((waiting) => this.#attempt([waiting]));
      return only === undefined ? [] : [() => only.reject(error)];
    }
  }
}
