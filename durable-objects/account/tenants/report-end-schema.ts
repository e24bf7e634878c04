// Tables of what the `Account` object does for the reports.

export const REPORT_END_TABLES: readonly string[] = [
  // Ended generations whose rows in the reports are still to be replaced by their daily totals.
  `CREATE TABLE report_ends (
    tenant TEXT NOT NULL,
    generation INTEGER NOT NULL,
    cleared INTEGER NOT NULL CHECK (cleared IN (0, 1)),
    after_day INTEGER NOT NULL,
    due_at_ms INTEGER NOT NULL,
    PRIMARY KEY (tenant, generation)
  ) STRICT, WITHOUT ROWID`,
  // Messages that the queue gave up. The objects of tenants send their rows again.
  `CREATE TABLE dead_messages (
    day INTEGER PRIMARY KEY,
    messages INTEGER NOT NULL
  ) STRICT`,
];
