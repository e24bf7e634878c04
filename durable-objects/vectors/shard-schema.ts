import type { Migration } from "../database.ts";

// The tables of a `VectorShard`; `docs/storage.md` describes them. Append migrations, never edit a
// released one.

export const SHARD_MIGRATIONS: readonly Migration[] = [
  {
    name: "first",
    statements: [
      // `closed_at_ms`: it is being erased, and takes no writes any more.
      `CREATE TABLE shard (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        model TEXT NOT NULL,
        dimensions INTEGER NOT NULL CHECK (dimensions >= 1),
        closed_at_ms INTEGER
      ) STRICT`,
      `CREATE TABLE vector_sets (
        key TEXT PRIMARY KEY,
        document_id TEXT NOT NULL,
        type TEXT NOT NULL,
        user_id TEXT,
        chunks INTEGER NOT NULL CHECK (chunks >= 1)
      ) STRICT, WITHOUT ROWID`,
      // `vector`: 32-bit floats, little-endian, of unit length.
      `CREATE TABLE passages (
        set_key TEXT NOT NULL,
        ordinal INTEGER NOT NULL CHECK (ordinal >= 0),
        start_at INTEGER NOT NULL CHECK (start_at >= 0),
        end_at INTEGER NOT NULL CHECK (end_at > start_at),
        text TEXT NOT NULL,
        vector BLOB NOT NULL,
        PRIMARY KEY (set_key, ordinal)
      ) STRICT, WITHOUT ROWID`,
      // A byte a number, of up to 128 passages from `first` on: what a search reads into memory.
      `CREATE TABLE codes (
        set_key TEXT NOT NULL,
        first INTEGER NOT NULL CHECK (first >= 0),
        codes BLOB NOT NULL,
        scales BLOB NOT NULL,
        residuals BLOB NOT NULL,
        PRIMARY KEY (set_key, first)
      ) STRICT, WITHOUT ROWID`,
    ],
  },
];
