import type { Feature } from "../../database.ts";

// Which responses are kept. Their content lies in the bucket, a file each.

const RESPONSE_TABLES: readonly string[] = [
  // Written before the file, so that no file is without a row. `previous_id`: the parent. `used_at_ms`:
  // when it was made, or later used as a parent.
  `CREATE TABLE responses (
    id TEXT PRIMARY KEY,
    previous_id TEXT,
    user_id TEXT,
    created_at_ms INTEGER NOT NULL,
    used_at_ms INTEGER NOT NULL,
    bytes INTEGER NOT NULL CHECK (bytes >= 0)
  ) STRICT, WITHOUT ROWID`,
  `CREATE INDEX responses_used ON responses (used_at_ms)`,
  // Of deleted responses: a write that was under way may have arrived later, or the deletion failed.
  `CREATE TABLE response_files (
    id TEXT PRIMARY KEY,
    erase_at_ms INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID`,
];

export const RESPONSES: Feature = {
  name: "responses",
  migrations: [{ name: "responses", statements: RESPONSE_TABLES }],
  isReleased: false,
};
