import type { Feature } from "../../database.ts";

// Runs of pipelines, their documents, and the steps of each; `docs/storage.md` describes them.

const PIPELINE_TABLES: readonly string[] = [
  `CREATE TABLE pipeline_runs (
    id TEXT PRIMARY KEY,
    state TEXT NOT NULL
      CHECK (state IN ('running', 'waiting', 'canceling', 'completed', 'stopped', 'canceled')),
    steps TEXT NOT NULL,
    documents INTEGER NOT NULL CHECK (documents >= 1),
    policy TEXT,
    model TEXT,
    resume INTEGER NOT NULL CHECK (resume IN (0, 1)),
    secret_hash TEXT NOT NULL,
    key_id TEXT,
    request_id TEXT NOT NULL,
    counts TEXT NOT NULL,
    micro_neurons INTEGER NOT NULL CHECK (micro_neurons >= 0),
    stopped_as TEXT,
    waits_until_ms INTEGER,
    created_at_ms INTEGER NOT NULL,
    progress_at_ms INTEGER NOT NULL,
    finished_at_ms INTEGER,
    has_files INTEGER NOT NULL CHECK (has_files IN (0, 1)),
    CHECK ((finished_at_ms IS NULL) = (state IN ('running', 'waiting', 'canceling')))
  ) STRICT, WITHOUT ROWID`,
  "CREATE INDEX pipeline_runs_open ON pipeline_runs (id) WHERE finished_at_ms IS NULL OR has_files = 1",
  `CREATE TABLE pipeline_documents (
    run_id TEXT NOT NULL,
    position INTEGER NOT NULL CHECK (position >= 0),
    document_id TEXT NOT NULL,
    file TEXT,
    end_byte INTEGER NOT NULL CHECK (end_byte >= 0),
    state TEXT NOT NULL CHECK (state IN ('pending', 'succeeded', 'failed')),
    failed_as TEXT,
    PRIMARY KEY (run_id, position),
    CHECK ((failed_as IS NOT NULL) = (state = 'failed'))
  ) STRICT, WITHOUT ROWID`,
  // `step` is its place in the run's list of steps.
  `CREATE TABLE pipeline_steps (
    run_id TEXT NOT NULL,
    position INTEGER NOT NULL,
    step INTEGER NOT NULL CHECK (step >= 0),
    state TEXT NOT NULL CHECK (state IN ('running', 'waiting', 'succeeded', 'failed')),
    attempts INTEGER NOT NULL CHECK (attempts >= 1),
    tries INTEGER NOT NULL CHECK (tries >= 0),
    round_at_ms INTEGER NOT NULL,
    started_at_ms INTEGER NOT NULL,
    finished_at_ms INTEGER,
    micro_neurons INTEGER NOT NULL CHECK (micro_neurons >= 0),
    decision TEXT,
    failed_as TEXT,
    PRIMARY KEY (run_id, position, step)
  ) STRICT, WITHOUT ROWID`,
  "CREATE INDEX pipeline_steps_running ON pipeline_steps (run_id, round_at_ms) WHERE state = 'running'",
];

/** The label of the request that made the run. */
const CONTEXT: readonly string[] = ["ALTER TABLE pipeline_runs ADD COLUMN context TEXT"];

export const PIPELINES: Feature = {
  name: "pipelines",
  migrations: [
    { name: "pipelines", statements: PIPELINE_TABLES },
    { name: "context", statements: CONTEXT },
  ],
  isReleased: false,
};
