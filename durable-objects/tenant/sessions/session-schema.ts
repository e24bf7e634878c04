import type { Feature } from "../../database.ts";

// The list of a tenant's chat sessions, each of which is an object of its own.

export const SESSIONS: Feature = {
  name: "sessions",
  migrations: [
    {
      name: "sessions",
      statements: [
        // `erase_at_ms`: its object is to be erased, and then this row goes.
        `CREATE TABLE sessions (
          id TEXT PRIMARY KEY,
          lineage TEXT,
          user_id TEXT,
          model TEXT NOT NULL,
          created_at_ms INTEGER NOT NULL,
          erase_at_ms INTEGER
        ) STRICT, WITHOUT ROWID`,
        "CREATE INDEX sessions_to_erase ON sessions (erase_at_ms) WHERE erase_at_ms IS NOT NULL",
      ],
    },
  ],
  isReleased: false,
};
