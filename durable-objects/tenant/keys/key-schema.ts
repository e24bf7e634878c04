// The table of keys. The statements are parts of released migrations: they are never edited.

/** Of objects from before the stages. */
export const FIRST_KEYS_TABLE = `CREATE TABLE keys (
        id TEXT PRIMARY KEY,
        secret_hash TEXT NOT NULL UNIQUE,
        name TEXT,
        role TEXT NOT NULL CHECK (role IN ('call', 'review', 'manage')),
        prefix TEXT NOT NULL,
        created_at_ms INTEGER NOT NULL,
        expires_at_ms INTEGER,
        ended INTEGER NOT NULL DEFAULT 0 CHECK (ended IN (0, 1)),
        last_used_day INTEGER
      ) STRICT, WITHOUT ROWID`;

const keysTable = (name: string): string => `CREATE TABLE ${name} (
    id TEXT PRIMARY KEY,
    secret_hash TEXT NOT NULL UNIQUE,
    name TEXT,
    role TEXT NOT NULL CHECK (role IN ('call', 'review', 'manage', 'score')),
    prefix TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    expires_at_ms INTEGER,
    ended INTEGER NOT NULL DEFAULT 0 CHECK (ended IN (0, 1)),
    last_used_day INTEGER
  ) STRICT, WITHOUT ROWID`;

export const KEYS_TABLE = keysTable("keys");

/** The first key of its rotations; null: it is itself the first. */
export const KEY_LINEAGES: readonly string[] = ["ALTER TABLE keys ADD COLUMN lineage TEXT"];

/**
 * Of those objects, later: a role that the first check does not know. SQLite changes no check, so the
 * keys move into a table whose check does.
 */
export const SCORE_KEYS: readonly string[] = [
  keysTable("keys_with_score"),
  `INSERT INTO keys_with_score
    (id, secret_hash, name, role, prefix, created_at_ms, expires_at_ms, ended, last_used_day)
    SELECT id, secret_hash, name, role, prefix, created_at_ms, expires_at_ms, ended, last_used_day
      FROM keys`,
  "DROP TABLE keys",
  "ALTER TABLE keys_with_score RENAME TO keys",
];
