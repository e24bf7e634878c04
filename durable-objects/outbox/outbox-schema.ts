// The tables of an outbox; `docs/storage.md` describes them.

export const OUTBOX_TABLES: readonly string[] = [
  `CREATE TABLE events (
    id TEXT PRIMARY KEY,
    type TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    subject TEXT,
    decision TEXT,
    data TEXT,
    CHECK (subject IS NOT NULL OR data IS NOT NULL)
  ) STRICT, WITHOUT ROWID`,
  // `cursor`: all events up to it were handed over. What was not delivered at once has a row in
  // `deliveries` that says so.
  `CREATE TABLE webhooks (
    id TEXT PRIMARY KEY,
    url TEXT NOT NULL,
    description TEXT,
    events TEXT NOT NULL,
    decisions TEXT,
    enabled INTEGER NOT NULL CHECK (enabled IN (0, 1)),
    disabled_reason TEXT,
    secret TEXT NOT NULL,
    old_secret TEXT,
    old_secret_until_ms INTEGER,
    cursor TEXT NOT NULL,
    failing_since_ms INTEGER,
    created_at_ms INTEGER NOT NULL,
    updated_at_ms INTEGER NOT NULL,
    CHECK ((old_secret IS NULL) = (old_secret_until_ms IS NULL))
  ) STRICT, WITHOUT ROWID`,
  `CREATE TABLE deliveries (
    webhook_id TEXT NOT NULL,
    id TEXT NOT NULL,
    event_id TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'delivered', 'failed')),
    next_attempt_at_ms INTEGER,
    created_at_ms INTEGER NOT NULL,
    attempts TEXT NOT NULL,
    PRIMARY KEY (webhook_id, id),
    CHECK ((state = 'pending') = (next_attempt_at_ms IS NOT NULL))
  ) STRICT, WITHOUT ROWID`,
  `CREATE INDEX deliveries_due ON deliveries (webhook_id, next_attempt_at_ms)
    WHERE state = 'pending'`,
];
