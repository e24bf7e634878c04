import type { Feature } from "../../database.ts";

// The tables of grants; `docs/storage.md` describes them.

export const GRANT_TABLES: readonly string[] = [
  // `ends_at_ms` is the earlier of the expiry and the end: those that are open are found by it,
  // however many have ended. What is drawn is no part of the index, so that a draw writes one row.
  `CREATE TABLE grants (
    id TEXT PRIMARY KEY,
    amount INTEGER NOT NULL CHECK (amount > 0),
    drawn INTEGER NOT NULL CHECK (drawn >= 0 AND drawn <= amount),
    reason TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    expires_at_ms INTEGER NOT NULL,
    ended_at_ms INTEGER,
    ends_at_ms INTEGER NOT NULL
      CHECK (ends_at_ms = MIN(expires_at_ms, IFNULL(ended_at_ms, expires_at_ms)))
  ) STRICT, WITHOUT ROWID`,
  "CREATE INDEX grants_ends ON grants (ends_at_ms)",
];

/** Of the ledger's table: which grants a line drew on, and how much on each (JSON); null: on none. */
export const JOURNAL_GRANTS =
  "ALTER TABLE journal ADD COLUMN grants TEXT CHECK ((grants IS NULL) = (granted = 0))";

export const GRANTS: Feature = {
  name: "grants",
  migrations: [{ name: "grants", statements: GRANT_TABLES }],
  isReleased: true,
};
