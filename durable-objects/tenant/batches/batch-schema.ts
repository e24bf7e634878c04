import type { Feature } from "../../database.ts";

// Batches, and what each of their steps came to.

export const BATCH_TABLES: readonly string[] = [
  `CREATE TABLE batches (
    id TEXT PRIMARY KEY,
    state TEXT NOT NULL
      CHECK (state IN ('running', 'waiting', 'canceling', 'completed', 'stopped', 'canceled')),
    items INTEGER NOT NULL CHECK (items >= 1),
    ends TEXT NOT NULL,
    resume INTEGER NOT NULL CHECK (resume IN (0, 1)),
    secret_hash TEXT,
    key_id TEXT,
    request_id TEXT NOT NULL,
    counts TEXT NOT NULL,
    micro_neurons INTEGER NOT NULL CHECK (micro_neurons >= 0),
    stopped_as TEXT,
    waits_until_ms INTEGER,
    created_at_ms INTEGER NOT NULL,
    progress_at_ms INTEGER NOT NULL,
    finished_at_ms INTEGER,
    has_file INTEGER NOT NULL CHECK (has_file IN (0, 1)),
    CHECK ((finished_at_ms IS NULL) = (state IN ('running', 'waiting', 'canceling')))
  ) STRICT, WITHOUT ROWID`,
  "CREATE INDEX batches_open ON batches (id) WHERE finished_at_ms IS NULL OR has_file = 1",
  `CREATE TABLE batch_steps (
    batch_id TEXT NOT NULL,
    step INTEGER NOT NULL CHECK (step >= 0),
    round INTEGER NOT NULL CHECK (round >= 1),
    attempts INTEGER NOT NULL CHECK (attempts >= 1),
    state TEXT NOT NULL CHECK (state IN ('running', 'waiting', 'done')),
    round_at_ms INTEGER NOT NULL,
    started_at_ms INTEGER NOT NULL,
    finished_at_ms INTEGER,
    results TEXT NOT NULL,
    PRIMARY KEY (batch_id, step)
  ) STRICT, WITHOUT ROWID`,
];

/** The label of the request that made the batch. */
const CONTEXT: readonly string[] = ["ALTER TABLE batches ADD COLUMN context TEXT"];

export const BATCHES: Feature = {
  name: "batches",
  migrations: [
    { name: "batches", statements: BATCH_TABLES },
    { name: "context", statements: CONTEXT },
  ],
  isReleased: true,
};
