import type { Migration } from "../database.ts";

// The tables of the one `StateApplies` object; `docs/storage.md` describes them. Append migrations,
// never edit a released one.

export const APPLY_MIGRATIONS: readonly Migration[] = [
  {
    name: "first",
    statements: [
      // `id` is null when the apply is forgotten and its rows are being erased.
      `CREATE TABLE applies (
        number INTEGER PRIMARY KEY,
        id TEXT UNIQUE,
        state TEXT NOT NULL,
        parts INTEGER NOT NULL CHECK (parts >= 1),
        prune INTEGER NOT NULL CHECK (prune IN (0, 1)),
        dry_run INTEGER NOT NULL CHECK (dry_run IN (0, 1)),
        stored_parts INTEGER NOT NULL CHECK (stored_parts <= parts),
        named INTEGER NOT NULL CHECK (named >= 0),
        others INTEGER NOT NULL CHECK (others >= 0),
        pruned_to TEXT,
        counts TEXT NOT NULL,
        change TEXT NOT NULL,
        warnings TEXT NOT NULL,
        actor TEXT NOT NULL,
        request_id TEXT NOT NULL,
        begun_at_ms INTEGER NOT NULL,
        started_at_ms INTEGER,
        ended_at_ms INTEGER,
        expires_at_ms INTEGER NOT NULL,
        due_at_ms INTEGER NOT NULL
      ) STRICT`,
      `CREATE TABLE apply_parts (
        apply INTEGER NOT NULL,
        part INTEGER NOT NULL CHECK (part >= 1),
        digest TEXT NOT NULL,
        actor TEXT NOT NULL,
        request_id TEXT NOT NULL,
        PRIMARY KEY (apply, part)
      ) STRICT, WITHOUT ROWID`,
      // `part` 0: no part names it. `settings`: as given, then as planned. `entry`: the id of its act
      // in the account's log, chosen before the act, so that one that is repeated is logged once.
      `CREATE TABLE apply_tenants (
        apply INTEGER NOT NULL,
        tenant TEXT NOT NULL,
        part INTEGER NOT NULL CHECK (part >= 0),
        stage TEXT NOT NULL
          CHECK (stage IN ('stored', 'unchanged', 'planned', 'acting', 'done', 'failed')),
        settings TEXT,
        action TEXT,
        changes TEXT,
        version INTEGER,
        warnings TEXT,
        failure TEXT,
        tries INTEGER NOT NULL DEFAULT 0,
        entry TEXT,
        PRIMARY KEY (apply, tenant)
      ) STRICT, WITHOUT ROWID`,
      "CREATE INDEX apply_tenants_stage ON apply_tenants (apply, stage, tenant)",
    ],
  },
];
