import type { Feature } from "../../database.ts";

// The table of the journal's archives; `docs/storage.md` describes it.

export const ARCHIVE_TABLES: readonly string[] = [
  `CREATE TABLE archives (
    day INTEGER PRIMARY KEY,
    state TEXT NOT NULL CHECK (state IN ('writing', 'stored', 'done', 'empty', 'broken')),
    lines INTEGER NOT NULL CHECK (lines >= 0),
    persons INTEGER NOT NULL CHECK (persons >= 0),
    amount INTEGER NOT NULL CHECK (amount >= 0),
    bytes INTEGER NOT NULL CHECK (bytes >= 0),
    sha256 TEXT NOT NULL,
    revision INTEGER NOT NULL CHECK (revision >= 1),
    stale INTEGER NOT NULL CHECK (stale IN (0, 1)),
    made_at_ms INTEGER NOT NULL,
    rewritten_at_ms INTEGER
  ) STRICT`,
  "CREATE INDEX archives_open ON archives (day) WHERE state IN ('writing', 'stored')",
];

export const ARCHIVES: Feature = {
  name: "archives",
  migrations: [{ name: "archives", statements: ARCHIVE_TABLES }],
  isReleased: true,
};
