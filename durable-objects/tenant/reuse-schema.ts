// Which verdicts answer for equal contents. One row a content, policy version and day, keyed by day
// first, so that what is out of time is purged without an index on time.

export const REUSE_TABLES: readonly string[] = [
  // Without a verdict: a person decided otherwise, or doubts it, and none of that key is reused.
  `CREATE TABLE reusable_verdicts (
    day INTEGER NOT NULL,
    policy_name TEXT NOT NULL,
    policy_version INTEGER NOT NULL,
    key TEXT NOT NULL,
    verdict_id TEXT,
    PRIMARY KEY (day, policy_name, policy_version, key)
  ) STRICT, WITHOUT ROWID`,
];

/** What the verdicts of a call came to, by name (JSON); null: what `verdict_id` says. */
export const VERDICT_COUNTS: readonly string[] = ["ALTER TABLE journal ADD COLUMN verdicts TEXT"];
