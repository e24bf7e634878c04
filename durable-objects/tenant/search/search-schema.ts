import type { Feature } from "../../database.ts";

// The tables of semantic search; `docs/storage.md` describes them.

export const SEARCH_TABLES: readonly string[] = [
  // `shard` null: in Vectorize. `due_at_ms`: when a set that is not ready is removed.
  `CREATE TABLE vector_sets (
    key TEXT PRIMARY KEY,
    document_id TEXT NOT NULL,
    revision TEXT NOT NULL,
    type TEXT NOT NULL,
    user_id TEXT,
    model TEXT NOT NULL,
    dimensions INTEGER NOT NULL CHECK (dimensions >= 1),
    shard INTEGER CHECK (shard >= 0),
    chunks INTEGER NOT NULL CHECK (chunks >= 1),
    state TEXT NOT NULL CHECK (state IN ('writing', 'ready', 'removing')),
    due_at_ms INTEGER,
    tries INTEGER NOT NULL CHECK (tries >= 0),
    CHECK ((due_at_ms IS NULL) = (state = 'ready'))
  ) STRICT, WITHOUT ROWID`,
  "CREATE UNIQUE INDEX vector_sets_ready ON vector_sets (document_id) WHERE state = 'ready'",
  "CREATE INDEX vector_sets_document ON vector_sets (document_id)",
  "CREATE INDEX vector_sets_user ON vector_sets (user_id, key) WHERE user_id IS NOT NULL",
  "CREATE INDEX vector_sets_due ON vector_sets (due_at_ms) WHERE due_at_ms IS NOT NULL",
  // `chunks`: of all its sets, whatever their state.
  `CREATE TABLE vector_shards (
    number INTEGER PRIMARY KEY,
    model TEXT NOT NULL,
    dimensions INTEGER NOT NULL CHECK (dimensions >= 1),
    chunks INTEGER NOT NULL CHECK (chunks >= 0)
  ) STRICT`,
];

export const SEARCH: Feature = {
  name: "search",
  migrations: [{ name: "search", statements: SEARCH_TABLES }],
  isReleased: false,
};
