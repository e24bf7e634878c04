import type { Migration } from "../database.ts";

// The tables of a session's object; `docs/storage.md` describes them.

export const SESSION_MIGRATIONS: readonly Migration[] = [
  {
    name: "first",
    statements: [
      // `listed`: the tenant's object knows of it.
      `CREATE TABLE session (
        only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
        id TEXT NOT NULL,
        tenant TEXT NOT NULL,
        user_id TEXT,
        system TEXT,
        model TEXT NOT NULL,
        ttl_s INTEGER NOT NULL CHECK (ttl_s > 0),
        max_turns INTEGER NOT NULL CHECK (max_turns >= 0),
        metadata TEXT NOT NULL,
        created_at_ms INTEGER NOT NULL,
        last_message_at_ms INTEGER,
        listed INTEGER NOT NULL DEFAULT 0 CHECK (listed IN (0, 1))
      ) STRICT`,
      // A message in OpenAI's form; those of one call came, and are kept, together.
      `CREATE TABLE messages (
        position INTEGER PRIMARY KEY,
        turn INTEGER NOT NULL,
        call_id TEXT NOT NULL,
        message TEXT NOT NULL,
        created_at_ms INTEGER NOT NULL
      ) STRICT`,
    ],
  },
  // The label of messages that bring none.
  { name: "context", statements: ["ALTER TABLE session ADD COLUMN context TEXT"] },
];
