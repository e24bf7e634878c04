import type { Feature } from "../../database.ts";

// What feeds the platform's reports, in a tenant's object: how far its journal was folded, and the
// rows that came of it, until the reports have them and for as long as those are kept.

const ROW_TABLES: readonly string[] = [
  // `from_id`: every line before it was folded; nothing is admitted under an id before it.
  // `walked_id`: where the first look through an older journal is; null: it came to its end.
  `CREATE TABLE feed (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    sequence INTEGER NOT NULL CHECK (sequence >= 0),
    from_id TEXT NOT NULL,
    walked_id TEXT,
    settled_at_ms INTEGER NOT NULL,
    settled_id TEXT NOT NULL,
    refusals_from INTEGER NOT NULL,
    epoch INTEGER NOT NULL CHECK (epoch >= 0),
    rebuild TEXT
  ) STRICT`,
  // The body is the row as the reports have it. `waiting`: not yet known to be there.
  `CREATE TABLE report_rows (
    kind TEXT NOT NULL CHECK (kind IN ('usage_hour', 'call_hour', 'user_day', 'logged_verdict')),
    key TEXT NOT NULL,
    sequence INTEGER NOT NULL CHECK (sequence >= 0),
    waiting INTEGER NOT NULL CHECK (waiting IN (0, 1)),
    body TEXT NOT NULL,
    PRIMARY KEY (kind, key)
  ) STRICT, WITHOUT ROWID`,
  "CREATE INDEX report_rows_waiting ON report_rows (kind, key) WHERE waiting = 1",
];

/** A user's place within a day. */
const USERS_TABLE = `CREATE TABLE report_users (
    day INTEGER NOT NULL,
    user_id TEXT NOT NULL,
    slot INTEGER NOT NULL CHECK (slot >= 1),
    PRIMARY KEY (day, user_id)
  ) STRICT, WITHOUT ROWID`;

export const FEED_TABLES: readonly string[] = [...ROW_TABLES, USERS_TABLE];

export const FEED: Feature = {
  name: "feed",
  migrations: [{ name: "feed", statements: ROW_TABLES }],
  isReleased: true,
};

/** Made by the first line that names a user. */
export const REPORT_USERS: Feature = {
  name: "report_users",
  migrations: [{ name: "report_users", statements: [USERS_TABLE] }],
  isReleased: true,
};
