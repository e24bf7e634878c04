import type { Feature } from "../../database.ts";
import { JOURNAL_GRANTS } from "./grant-schema.ts";

// The tables of the ledger, which the first call that is admitted makes; `docs/storage.md` describes
// them. The text of a statement is part of a released migration: it is never edited.

export const LEDGER_TABLES: readonly string[] = [
  // What every admission changes, in one row: the clock that never goes back, the rate windows,
  // where the scan for open holds starts, and the state of the account's own allocation.
  `CREATE TABLE meter (
        only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
        clock_ms INTEGER NOT NULL,
        windows TEXT NOT NULL,
        oldest_hold TEXT,
        closed_day INTEGER,
        closed_at_ms INTEGER,
        probe_at_ms INTEGER
      ) STRICT`,
  `CREATE TABLE periods (
        day INTEGER PRIMARY KEY,
        quota INTEGER NOT NULL CHECK (quota >= 0),
        granted INTEGER NOT NULL CHECK (granted >= 0),
        overage INTEGER NOT NULL CHECK (overage >= 0),
        posted INTEGER NOT NULL CHECK (posted = quota + granted + overage),
        totals TEXT NOT NULL
      ) STRICT`,
  // A hold and, once it ended, its line: the same row. While pending, the items are the plan.
  `CREATE TABLE journal (
        id TEXT PRIMARY KEY,
        day INTEGER NOT NULL,
        outcome TEXT NOT NULL CHECK (outcome IN ('pending', 'posted', 'voided', 'expired')),
        request_id TEXT NOT NULL,
        route TEXT NOT NULL,
        key_id TEXT,
        user_id TEXT,
        verdict_id TEXT,
        admitted_at_ms INTEGER NOT NULL,
        deadline_ms INTEGER NOT NULL,
        settled_at_ms INTEGER,
        held INTEGER NOT NULL CHECK (held >= 0),
        quota INTEGER NOT NULL DEFAULT 0 CHECK (quota >= 0),
        granted INTEGER NOT NULL DEFAULT 0 CHECK (granted >= 0),
        overage INTEGER NOT NULL DEFAULT 0 CHECK (overage >= 0),
        overrun INTEGER NOT NULL DEFAULT 0 CHECK (overrun >= 0),
        overage_rate TEXT,
        price_book TEXT NOT NULL,
        items TEXT NOT NULL,
        CHECK (quota + granted + overage <= held),
        CHECK ((outcome = 'pending') = (settled_at_ms IS NULL))
      ) STRICT, WITHOUT ROWID`,
];

/** Written only when an invariant was seen broken. */
export const VIOLATIONS_TABLE = `CREATE TABLE violations (
        name TEXT PRIMARY KEY,
        count INTEGER NOT NULL,
        last_at_ms INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID`;

/** What the verdicts of a call came to, by name (JSON); null: what `verdict_id` says. */
const VERDICT_COUNTS: readonly string[] = ["ALTER TABLE journal ADD COLUMN verdicts TEXT"];

/** The chat session whose message a call is; null: of none. */
const SESSION_CALLS: readonly string[] = ["ALTER TABLE journal ADD COLUMN session_id TEXT"];
/** The caller's label of a call; null: it has none. */
const CONTEXT: readonly string[] = ["ALTER TABLE journal ADD COLUMN context TEXT"];

/** What a call was made for, beside a message of a session; null: it was not. */
const PARENTS: readonly string[] = [
  "ALTER TABLE journal ADD COLUMN document_id TEXT",
  "ALTER TABLE journal ADD COLUMN run_id TEXT",
  "ALTER TABLE journal ADD COLUMN step TEXT",
];

export const LEDGER: Feature = {
  name: "ledger",
  migrations: [
    { name: "ledger", statements: [...LEDGER_TABLES, JOURNAL_GRANTS] },
    { name: "verdict_counts", statements: VERDICT_COUNTS },
    { name: "session_calls", statements: SESSION_CALLS },
    { name: "context", statements: CONTEXT },
    { name: "parents", statements: PARENTS },
  ],
  isReleased: true,
};

export const VIOLATIONS: Feature = {
  name: "violations",
  migrations: [{ name: "violations", statements: [VIOLATIONS_TABLE] }],
  isReleased: true,
};
