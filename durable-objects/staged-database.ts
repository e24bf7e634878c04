import { type Database, migrate, type Migration, type SqlValue } from "./database.ts";

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
