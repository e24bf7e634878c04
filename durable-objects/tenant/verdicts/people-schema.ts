import type { Feature } from "../../database.ts";

// What people did with verdicts, and what was kept for them to see.

/** Of a verdict that was decided by people: all its revisions, the first included. */
const REVISIONS_TABLE = `CREATE TABLE revisions (
    verdict_id TEXT NOT NULL,
    revision INTEGER NOT NULL CHECK (revision >= 1),
    body TEXT NOT NULL,
    PRIMARY KEY (verdict_id, revision)
  ) STRICT, WITHOUT ROWID`;

const CONTENT_TABLES: readonly string[] = [
  // Only while `content_retention_days` is not 0. Pictures lie in the bucket under the verdict's id.
  `CREATE TABLE contents (
    verdict_id TEXT PRIMARY KEY,
    created_at_ms INTEGER NOT NULL,
    text TEXT,
    pictures TEXT NOT NULL
  ) STRICT, WITHOUT ROWID`,
  // Of calls in progress, and of those that died: pictures that nothing else names.
  `CREATE TABLE content_files (
    verdict_id TEXT PRIMARY KEY,
    erase_at_ms INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID`,
  // Who read what was kept. It names no person.
  `CREATE TABLE content_reads (
    id TEXT PRIMARY KEY,
    at_ms INTEGER NOT NULL,
    key_id TEXT,
    request_id TEXT NOT NULL,
    verdict_id TEXT NOT NULL
  ) STRICT, WITHOUT ROWID`,
];

export const PEOPLE_TABLES: readonly string[] = [REVISIONS_TABLE, ...CONTENT_TABLES];

/** Later than the first tables: claims by when they end, so that those that have are found at once. */
export const CLAIM_INDEX: readonly string[] = [
  `CREATE INDEX verdicts_claims ON verdicts (json_extract(body, '$.review.claim_expires_at'))
    WHERE review_state = 'claimed'`,
];

/** Later still: what waits for a person and is urgent, so that it is claimed first without a scan. */
export const URGENT_INDEX: readonly string[] = [
  `CREATE INDEX verdicts_urgent ON verdicts (id)
    WHERE review_state = 'open' AND json_extract(body, '$.review.priority') = 'urgent'`,
];

export const REVISIONS: Feature = {
  name: "revisions",
  migrations: [{ name: "revisions", statements: [REVISIONS_TABLE] }],
  isReleased: true,
};

export const CONTENTS: Feature = {
  name: "contents",
  migrations: [{ name: "contents", statements: CONTENT_TABLES }],
  isReleased: true,
};
