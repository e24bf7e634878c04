import type { Feature } from "../../database.ts";

// Which verdicts answer for equal contents. One row a content, policy version and day, keyed by day
// first, so that what is out of time is purged without an index on time.

const REUSE_TABLES: readonly string[] = [
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

/** Made by the first verdict under a policy that reuses some. */
export const REUSE: Feature = {
  name: "reuse",
  migrations: [{ name: "reuse", statements: REUSE_TABLES }],
  isReleased: false,
};
