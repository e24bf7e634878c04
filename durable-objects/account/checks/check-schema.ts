// Passes over all tenants that count what must always be zero (`check-passes.ts`).

export const CHECK_TABLES: readonly string[] = [
  // The latest that ended, and the one that runs.
  `CREATE TABLE check_passes (
    pass INTEGER PRIMARY KEY,
    started_at_ms INTEGER NOT NULL,
    ended_at_ms INTEGER,
    tenants INTEGER NOT NULL CHECK (tenants >= 0),
    after_tenant TEXT NOT NULL,
    is_walked INTEGER NOT NULL CHECK (is_walked IN (0, 1)),
    due_at_ms INTEGER NOT NULL,
    sums TEXT NOT NULL
  ) STRICT`,
  // Tenants that did not look sound when they were checked last. `again_at_ms`: when the pass that runs
  // checks them once more.
  `CREATE TABLE check_findings (
    tenant TEXT PRIMARY KEY,
    pass INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('broken', 'unfinished', 'unanswered')),
    tries INTEGER NOT NULL CHECK (tries >= 1),
    again_at_ms INTEGER,
    at_ms INTEGER NOT NULL,
    checked_to_ms INTEGER,
    counts TEXT NOT NULL
  ) STRICT, WITHOUT ROWID`,
  `CREATE INDEX check_findings_again ON check_findings (again_at_ms)
    WHERE again_at_ms IS NOT NULL`,
];
