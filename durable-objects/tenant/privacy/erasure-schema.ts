import type { Feature } from "../../database.ts";

// The tables of erasures; `docs/storage.md` describes them.

export const ERASURE_TABLES: readonly string[] = [
  // The person's id stands here only while there may be something of that person to be found.
  `CREATE TABLE erasures (
    id TEXT PRIMARY KEY,
    person TEXT NOT NULL,
    user_id TEXT,
    place TEXT,
    again_at_ms INTEGER,
    files_due_ms INTEGER,
    counts TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    finished_at_ms INTEGER,
    CHECK ((user_id IS NULL) = (finished_at_ms IS NOT NULL)),
    CHECK (finished_at_ms IS NULL
      OR (place IS NULL AND again_at_ms IS NULL AND files_due_ms IS NULL))
  ) STRICT, WITHOUT ROWID`,
  "CREATE INDEX erasures_running ON erasures (id) WHERE finished_at_ms IS NULL",
  // Outside the object, and still to be erased.
  `CREATE TABLE erasure_files (
    erasure_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    PRIMARY KEY (erasure_id, kind, subject)
  ) STRICT, WITHOUT ROWID`,
];

export const ERASURES: Feature = {
  name: "erasures",
  migrations: [{ name: "erasures", statements: ERASURE_TABLES }],
  isReleased: true,
};
